# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a lock is broken, and the proofs in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_lock_apply
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephCommand, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_apply import break_locks
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_fence import OwnerFence
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_plan import LockPlan
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

LOCK = Lock("client.4137", "10.0.0.1:0/123", "auto 42", exclusive=True)
SUCCESSOR = Lock("client.5000", "10.0.0.1:0/456", "auto 43", exclusive=True)
FENCE = OwnerFence(LOCK.address, 3600, in_force=False, add=True, renew=False)
NAMES = [ImageName("p", "", "i"), ImageName("p", "", "j")]
PLANS = [LockPlan(name, LOCK, FENCE) for name in NAMES]


class FakeCluster(CephClient):
    """Notes what is done to it, in order. ``left`` is the lock that the images have afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.done: list[str] = []
        self.blocklist: dict[str, str] = {}
        self.takes_entries = True
        self.left: Lock | None = None
        self.failures: list[CephError] = []
        monkeypatch.setattr(_rbd_lock_apply, "apply_operations", self._apply)
        monkeypatch.setattr(_rbd_lock_apply, "read_rbd", self._read)

    def ceph_many(self, commands: Sequence[CephCommand], parallel: bool = False) -> list[str]:
        for command in commands:
            self.done.append(" ".join(command.args))
            if self.takes_entries:
                self.blocklist[command.args[3]] = "2026-11-21T12:00:00.000000+0000"
        return [""] * len(commands)

    def ceph_json(self, *args: str) -> Any:
        self.done.append(" ".join(args))
        return {"blocklist": self.blocklist}

    def _apply(self, _client: CephClient, jobs: Sequence[Sequence[Any]]) -> None:
        self.done += [str(operation) for job in jobs for operation in job]
        for failure in self.failures:
            raise failure

    def _read(self, _client: CephClient, names: Sequence[ImageName]) -> RbdState:
        self.done.append("read images")
        return RbdState({}, {name: Image(name, "1", 1, (), lock=self.left) for name in names})


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    return FakeCluster(monkeypatch)


def test_owner_is_blocked_first_and_once(cluster: FakeCluster) -> None:
    break_locks(cluster, Dialect(18), PLANS)
    assert cluster.done == [
        "osd blocklist add 10.0.0.1:0/123 3600",
        "osd dump",
        "remove lock auto 42 of image p/i",
        "remove lock auto 42 of image p/j",
        "read images",
    ]


def test_no_lock_is_broken_while_the_owner_is_not_proven_blocked(cluster: FakeCluster) -> None:
    cluster.takes_entries = False
    with pytest.raises(CephError, match=r"osd dump does not list 10\.0\.0\.1:0/123: no lock was broken"):
        break_locks(cluster, Dialect(18), PLANS)
    assert not [step for step in cluster.done if "remove lock" in step]


def test_lock_that_stays_is_an_error(cluster: FakeCluster) -> None:
    cluster.left = LOCK
    with pytest.raises(CephError, match="succeeded, and the lock is still there: p/i, p/j"):
        break_locks(cluster, Dialect(18), PLANS)
    cluster.failures = [CephError(("rbd",), "no")]
    with pytest.raises(CephError, match="rbd: no"):
        break_locks(cluster, Dialect(18), PLANS)


def test_successor_that_was_faster_is_no_error(cluster: FakeCluster) -> None:
    cluster.left, cluster.failures = SUCCESSOR, [CephError(("rbd",), "no such lock")]
    break_locks(cluster, Dialect(18), PLANS)
