# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break locks: keep their owners out, prove it, break, prove that too."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_plan import LockPlan
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_operations import remove_lock
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd


def break_locks(client: CephClient, dialect: Dialect, plans: Sequence[LockPlan]) -> None:
    """Carry out the plans, the blocklist first: an owner that was not dead after all must not write any more."""
    _keep_out(client, dialect, plans)
    failure = None
    try:
        apply_operations(client, [[remove_lock(plan.name, plan.lock)] for plan in plans])
    except CephError as error:
        failure = error
    images = read_rbd(client, [plan.name for plan in plans]).images
    kept = [str(plan.name) for plan in plans if plan.name in images and images[plan.name].lock == plan.lock]
    # A client that waited for the lock may have been faster: then the lock is not its dead owner's any more either.
    if kept:
        raise failure or CephError(("rbd", "lock", "rm"), f"succeeded, and the lock is still there: {', '.join(kept)}")


def _keep_out(client: CephClient, dialect: Dialect, plans: Sequence[LockPlan]) -> None:
    # One client may own the locks of many images.
    fences = sorted({plan.fence for plan in plans})
    client.ceph_many([command for fence in fences for command in fence.removals(dialect)], parallel=True)
    client.ceph_many([command for fence in fences for command in fence.additions(dialect)], parallel=True)
    blocklist = parse_blocklist(client.ceph_json("osd", "dump"))
    absent = [fence.instance for fence in fences if not blocklist.entries_for(fence.instance)]
    if absent:
        raise CephError(
            ("ceph", "osd", dialect.word, "add"),
            f"succeeded, and osd dump does not list {', '.join(absent)}: no lock was broken",
        )
