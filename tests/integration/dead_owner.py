# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that dies while it holds an image, as in a power cut."""

from __future__ import annotations

import time
from collections.abc import Sequence

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image

# The client says that it lives every 5 s: it has to be dead before that.
WATCH_TIMEOUT_SECONDS = 3
PATIENCE_SECONDS = 60


def leave_lock_of_dead_owner(
    ceph: CephCluster, image: str, namespace: str = "", name: str = "client.admin", launcher: Sequence[str] = ()
) -> dict[str, str]:
    """Kill a client that holds the image, wait until its watch is over, and return its lock as ``rbd lock ls`` does."""
    # Not Ceph's 30 s.
    ceph.run("ceph", "config", "set", "osd", "osd_client_watch_timeout", str(WATCH_TIMEOUT_SECONDS))
    try:
        with hold_image(ceph, image, namespace=namespace, name=name, launcher=launcher) as holder:
            holder.kill()
    finally:
        ceph.run("ceph", "config", "rm", "osd", "osd_client_watch_timeout")
    spec = "/".join(part for part in (POOL, namespace, image) if part)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while ceph.rbd("status", spec)["watchers"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{spec}: its dead owner still watches it")
        time.sleep(0.1)
    (lock,) = ceph.rbd("lock", "ls", spec)
    return dict(lock)


def blocklist(ceph: CephCluster) -> dict[str, str]:
    """Return the blocklist, without its ranges: until when, by address."""
    dump = ceph.ceph("osd", "dump")
    return dict(dump.get("blocklist", dump.get("blacklist")))
