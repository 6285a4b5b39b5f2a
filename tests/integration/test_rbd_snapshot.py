# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_snapshot on a real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.module_run import ModuleFailed, ModuleRun


def snapshots(ceph: CephCluster, image: str) -> dict[str, Any]:
    return {snapshot["name"]: snapshot["protected"] for snapshot in ceph.rbd("snap", "ls", f"{POOL}/{image}")}


def test_snapshot_from_none_to_protected_and_back(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="snapped", size="1MiB", features=["layering"])
    args: dict[str, Any] = {"pool": POOL, "image": "snapped", "name": "root"}
    module.converge("rbd_snapshot", **args)
    assert snapshots(ceph, "snapped") == {"root": "false"}
    module.converge("rbd_snapshot", **args, state="protected")
    assert snapshots(ceph, "snapped") == {"root": "true"}
    assert module("rbd_snapshot", **args, state="present")["changed"] is False
    module.converge("rbd_snapshot", **args, state="absent")
    assert snapshots(ceph, "snapped") == {}


def test_snapshot_with_clones_stays(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="mother", size="1MiB", features=["layering"])
    args: dict[str, Any] = {"pool": POOL, "image": "mother", "name": "root"}
    module("rbd_snapshot", **args, state="protected")
    parent = f"{POOL}/mother@root"
    module("rbd_image", pool=POOL, namespace="ns3", name="child", parent=parent, features=["layering"])
    with pytest.raises(ModuleFailed, match=f"has clones: delete or flatten {POOL}/ns3/child first"):
        module("rbd_snapshot", **args, state="absent")
    assert snapshots(ceph, "mother") == {"root": "true"}
