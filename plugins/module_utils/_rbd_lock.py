# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of an RBD image: whose it is, whether its owner is alive, and what keeps the owner out. No I/O."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, Entry
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import parse_instance
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, Lock

_CLIENT = re.compile(r"client\.\d+")
_AUTOMATIC = re.compile(r"auto (\d+)")


def lock_cookie(lock: Lock) -> int | None:
    """Return the cookie of the watch under which a client took the lock; None for a lock set by hand."""
    match = _AUTOMATIC.fullmatch(lock.lock_id)
    return int(match[1]) if match else None


def owner_alive(image: Image) -> bool | None:
    """Tell whether the owner of the image's lock is alive, as far as Ceph knows.

    A client that takes the lock watches the image as long as it lives, and some seconds longer
    (``osd_client_watch_timeout``). A lock set by hand belongs to a command that ended at once: that it does not watch
    says nothing about who relies on the lock, so None; and None without a lock.
    """
    if image.lock is None:
        return None
    if any(watcher.address == image.lock.address for watcher in image.watchers):
        return True
    return False if image.lock.automatic else None


def parse_owner(text: str) -> str:
    """Return ``client.N`` or a client instance as Ceph prints it; raises ValueError for anything else."""
    if _CLIENT.fullmatch(text):
        return text
    try:
        instance = parse_instance(text)
    except ValueError:
        instance = None
    if instance is None or instance.whole_host:
        raise ValueError(
            f"owner {text!r}: expected a client such as client.4137 or a client instance such as "
            "10.0.0.13:0/2736153118, as rbd_lock_info returns them"
        )
    return str(instance)


def owns(owner: str, lock: Lock) -> bool:
    """Tell whether the lock is that of the owner that :func:`parse_owner` returned."""
    return owner in {lock.locker, str(parse_instance(lock.address))}


def describe_image(image: Image, blocklist: Blocklist, now: datetime) -> dict[str, Any]:
    """Return the lock and the watchers of an image as a module returns them."""
    return {
        "pool": image.name.pool,
        "namespace": image.name.namespace,
        "image": image.name.image,
        "lock": None if image.lock is None else _describe_lock(image, image.lock, blocklist, now),
        "watchers": [{"client": watcher.client, "address": watcher.address} for watcher in image.watchers],
    }


def _describe_lock(image: Image, lock: Lock, blocklist: Blocklist, now: datetime) -> dict[str, Any]:
    entries = blocklist.entries_for(lock.address)
    return {
        "owner": lock.locker,
        "address": lock.address,
        "lock_id": lock.lock_id,
        "cookie": lock_cookie(lock),
        "exclusive": lock.exclusive,
        "owner_alive": owner_alive(image),
        "owner_blocklisted": bool(entries),
        "blocklisted_by": [_describe_entry(entry, now) for entry in entries],
    }


def _describe_entry(entry: Entry, now: datetime) -> dict[str, Any]:
    left = int((entry.until - now).total_seconds())
    return {"address": entry.address, "kind": entry.kind, "seconds_left": max(left, 0)}
