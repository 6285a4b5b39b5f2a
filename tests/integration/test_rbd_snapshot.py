# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_snapshot on real clusters."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image
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
    result = module.converge("rbd_snapshot", **args, state="unprotected")
    assert result["snapshot"] == {"protected": False, "size": 1 << 20}
    assert snapshots(ceph, "snapped") == {"root": "false"}
    ceph.run("rbd", "snap", "protect", f"{POOL}/snapped@root")
    module.converge("rbd_snapshot", **args, state="absent")
    assert snapshots(ceph, "snapped") == {}


def test_snapshot_with_clones_stays(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="mother", size="1MiB", features=["layering"])
    args: dict[str, Any] = {"pool": POOL, "image": "mother", "name": "root"}
    module("rbd_snapshot", **args, state="protected")
    parent = f"{POOL}/mother@root"
    module("rbd_image", pool=POOL, namespace="ns3", name="child", parent=parent, features=["layering"])
    for state in ("absent", "unprotected"):
        with pytest.raises(ModuleFailed, match=f"has clones: delete or flatten {POOL}/ns3/child first"):
            module("rbd_snapshot", **args, state=state)
    assert snapshots(ceph, "mother") == {"root": "true"}


def digest(ceph: CephCluster, image: str) -> str:
    export = f"rbd export --no-progress {POOL}/{image} - | sha256sum"
    return str(ceph.run("sh", "-c", export)).split()[0]


@pytest.mark.parametrize("features", ["layering", "layering,exclusive-lock,object-map,fast-diff"])
def test_rollback_brings_back_every_byte_and_the_size(module: ModuleRun, ceph: CephCluster, features: str) -> None:
    image = f"rolled-{len(features)}"
    ceph.run("rbd", "create", "--size", "8M", "--image-feature", features, f"{POOL}/{image}")
    original = digest(ceph, image)
    args: dict[str, Any] = {"pool": POOL, "image": image, "name": "before", "state": "rolled_back"}
    ceph.run("rbd", "snap", "create", f"{POOL}/{image}@before")
    for check_mode, bindings in ((True, True), (False, False)):
        untouched = module("rbd_snapshot", check_mode=check_mode, bindings=bindings, **args)
        assert (untouched["changed"], untouched["snapshot"]["image_differs"]) == (False, False)
    ceph.run("rbd", "bench", "--io-type", "write", "--io-size", "4096", "--io-total", "8192", f"{POOL}/{image}")
    ceph.run("rbd", "resize", "--no-progress", "--size", "12M", f"{POOL}/{image}")
    assert digest(ceph, image) != original
    announced = [module("rbd_snapshot", check_mode=True, bindings=bindings, **args) for bindings in (True, False)]
    result = module("rbd_snapshot", bindings=module.writes_by_bindings, **args)
    assert [run["changed"] for run in (*announced, result)] == [True, True, True]
    assert announced[0]["diff"] == announced[1]["diff"] == result["diff"]
    assert result["diff"]["before"] == {
        f"{POOL}/{image}@before": {"protected": False, "size": 8 << 20, "image_differs": True, "image_size": 12 << 20}
    }
    assert result["snapshot"] == {"protected": False, "size": 8 << 20, "image_differs": False, "image_size": 8 << 20}
    assert digest(ceph, image) == original


def test_no_rollback_under_a_client(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("rbd", "create", "--size", "4M", f"{POOL}/rolled-live")
    args: dict[str, Any] = {"pool": POOL, "image": "rolled-live", "name": "before", "state": "rolled_back"}
    ceph.run("rbd", "snap", "create", f"{POOL}/rolled-live@before")
    with hold_image(ceph, "rolled-live") as holder:
        message = (
            rf"rolled-live is in use, watched by 10\..* \({holder.client}\): a rollback would change it under that"
        )
        with pytest.raises(ModuleFailed, match=message):
            module("rbd_snapshot", **args)
    ceph.run("rbd", "lock", "add", f"{POOL}/rolled-live", "mine")
    with pytest.raises(
        ModuleFailed, match=r"rolled-live is locked by .*, lock 'mine'\): break that lock with rbd_lock"
    ):
        module("rbd_snapshot", **args)


def test_what_does_not_exist_is_named_with_what_resembles_it(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("rbd", "create", "--size", "1M", f"{POOL}/nearby")
    ceph.run("rbd", "snap", "create", f"{POOL}/nearby@upgrade")
    args: dict[str, Any] = {"pool": POOL, "image": "nearby", "name": "upgrad", "state": "rolled_back"}
    for other, message in (
        ({}, f"snapshot {POOL}/nearby@upgrad does not exist; did you mean upgrade?"),
        ({"image": "nearbi"}, f"image {POOL}/nearbi does not exist; did you mean nearby?"),
        ({"pool": "rbd-test"}, f"pool rbd-test does not exist; did you mean {POOL}?"),
    ):
        with pytest.raises(ModuleFailed) as failure:
            module("rbd_snapshot", **{**args, **other})
        assert str(failure.value).endswith(message)
    assert module("rbd_snapshot", pool=POOL, image="nearbi", name="x", state="absent")["changed"] is False
