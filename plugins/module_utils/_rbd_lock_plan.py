# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan how the lock of a dead owner is broken. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable

from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import parse_instance
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock import owner_alive, owns
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_fence import OwnerFence


@dataclass(frozen=True)
class WantedBreak:
    """An image whose lock is to be broken; ``owner`` (client.N or instance) is whose it has to be, None for anybody."""

    name: ImageName
    owner: str | None = None


@dataclass(frozen=True)
class LockPlan:
    """One lock that is broken once ``fence`` keeps its owner out."""

    name: ImageName
    lock: Lock
    fence: OwnerFence

    @property
    def actions(self) -> tuple[str, ...]:
        """The steps in their order, for people."""
        return (*self.fence.actions, f"break lock {self.lock.lock_id!r} of {self.lock.locker} on image {self.name}")

    @property
    def before(self) -> dict[str, Any]:
        """The lock as it is."""
        return {"lock": describe_lock(self.lock), "owner_blocklisted": self.fence.in_force}

    @property
    def after(self) -> dict[str, Any]:
        """What becomes of it."""
        return {"lock": None, "owner_blocklisted": True}


def describe_lock(lock: Lock) -> dict[str, Any]:
    """Return what identifies a lock."""
    return {"owner": lock.locker, "address": lock.address, "lock_id": lock.lock_id}


def refusal(wanted: WantedBreak, image: Image, force: bool) -> str | None:
    """Return why the lock of an existing image is not to be broken; None if it may be, or there is none."""
    lock = image.lock
    if lock is None:
        return None
    held = f"image {wanted.name} is locked by {lock.locker}, instance {lock.address}"
    if wanted.owner is not None and not owns(wanted.owner, lock):
        return f"{held}, and not by {wanted.owner}: that one has lost it since; see who has it now with rbd_lock_info"
    if not lock.exclusive:
        return f"{held}, and maybe others: it is a shared lock, set by hand; remove it with rbd lock remove"
    if parse_instance(lock.address).whole_host:
        return f"{held}, which is a whole host: to block that would cut off every client there"
    return None if force else _sign_of_life(image, lock, held)


def _sign_of_life(image: Image, lock: Lock, held: str) -> str | None:
    alive = owner_alive(image)
    if alive:
        return (
            f"{held}, which is alive: it watches the image; stop that client (one that died stops watching within "
            "30 s), or set force=true to cut it off as it runs"
        )
    if alive is None:
        return (
            f"{held}, with lock {lock.lock_id!r}, which was set by hand (rbd lock add): nothing tells whether somebody "
            "relies on it; ask, then set force=true"
        )
    return None


def repetitions(wanted: Iterable[WantedBreak]) -> list[str]:
    """Return a problem for each image that is named more than once."""
    names = [item.name for item in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"image {name} is named more than once" for name in twice]
