# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_lock_info on a real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL, Machine
from tests.integration.dead_owner import leave_lock_of_dead_owner
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

NAMESPACE = "lock-info"


@pytest.fixture(scope="module")
def images(ceph: CephCluster) -> list[str]:
    """Images in a namespace of their own."""
    names = ["by-hand", "dead", "free", "live"]
    ceph.run("rbd", "namespace", "create", f"{POOL}/{NAMESPACE}")
    for name in names:
        ceph.run("rbd", "create", "--size", "8M", f"{POOL}/{NAMESPACE}/{name}")
    return names


def info(module: ModuleRun, **args: Any) -> list[dict[str, Any]]:
    result = module.info("rbd_lock_info", ignore=("seconds_left",), **{"pool": POOL, "namespace": NAMESPACE, **args})
    return list(result["images"])


def test_each_owner_is_told_alive_dead_or_unknown(module: ModuleRun, ceph: CephCluster, images: list[str]) -> None:
    ceph.run("rbd", "lock", "add", f"{POOL}/{NAMESPACE}/by-hand", "backup")
    dead = leave_lock_of_dead_owner(ceph, "dead", namespace=NAMESPACE)
    with hold_image(ceph, "live", namespace=NAMESPACE) as holder:
        found = info(module)
        status = ceph.rbd("status", f"{POOL}/{NAMESPACE}/live")["watchers"]
    assert [entry["image"] for entry in found] == images
    locks = {entry["image"]: entry["lock"] for entry in found}
    assert locks["free"] is None
    assert (locks["live"]["owner"], locks["live"]["owner_alive"]) == (holder.client, True)
    assert (locks["by-hand"]["lock_id"], locks["by-hand"]["cookie"]) == ("backup", None)
    assert locks["by-hand"]["owner_alive"] is None
    assert locks["dead"] == {
        "owner": dead["locker"],
        "address": dead["address"],
        "lock_id": dead["id"],
        "cookie": int(dead["id"].removeprefix("auto ")),
        "exclusive": True,
        "owner_alive": False,
        "owner_blocklisted": False,
        "blocklisted_by": [],
    }
    assert found[3]["watchers"] == [
        {"client": f"client.{watcher['client']}", "address": watcher["address"]} for watcher in status
    ]
    assert locks["live"]["cookie"] == status[0]["cookie"]


def test_whole_pool_and_named_images(module: ModuleRun, images: list[str]) -> None:
    every = info(module, namespace=None)
    assert [entry["image"] for entry in every if entry["namespace"] == NAMESPACE] == images
    assert [entry["image"] for entry in info(module, images=["live", "free"])] == ["free", "live"]


def test_entries_that_hit_the_owner_are_told(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], images: list[str]
) -> None:
    assert images
    machine = machines[0]
    machine.give_key("client.admin", ceph.ceph("auth", "get", "client.admin")[0]["key"])
    ceph.run("rbd", "create", "--size", "8M", f"{POOL}/{NAMESPACE}/remote")
    lock = leave_lock_of_dead_owner(ceph, "remote", NAMESPACE, launcher=[*ceph.launcher[:-1], machine.container])
    assert lock["address"].startswith(f"{machine.address}:0/")
    word = "blacklist" if ceph.release == "14" else "blocklist"
    entries = [
        {"address": f"{machine.address}:0/0", "kind": "host"},
        {"address": lock["address"], "kind": "client"},
    ]
    commands = [[f"{machine.address}:0/0"], [lock["address"]]]
    if ceph.release != "14":
        entries.append({"address": "10.76.0.8/29", "kind": "range"})
        commands.append(["10.76.0.8/29"])
    try:
        for command in commands:
            ceph.run("ceph", "osd", word, *(["range"] if command[0].endswith("/29") else []), "add", *command, "7200")
        (found,) = info(module, images=["remote"])
    finally:
        for command in commands:
            ceph.run("ceph", "osd", word, *(["range"] if command[0].endswith("/29") else []), "rm", *command)
    assert found["lock"]["owner_blocklisted"] is True
    assert [{**entry, "seconds_left": None} for entry in found["lock"]["blocklisted_by"]] == [
        {**entry, "seconds_left": None} for entry in entries
    ]
    assert all(7100 < entry["seconds_left"] <= 7200 for entry in found["lock"]["blocklisted_by"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"pool": "rbd-test"}, r"^pool rbd-test does not exist; did you mean rbd-tests\?$"),
        ({"pool": "rbd-test", "images": ["free"]}, r"free: pool rbd-test does not exist; did you mean rbd-tests\?$"),
        ({"namespace": "lockinfo"}, r"^namespace rbd-tests/lockinfo does not exist; did you mean lock-info.*\?$"),
        (
            {"images": ["fre", "live", "xxx"]},
            r"^image rbd-tests/lock-info/fre does not exist; did you mean free.*\?; "
            r"image rbd-tests/lock-info/xxx does not exist$",
        ),
    ],
)
@pytest.mark.parametrize("bindings", [True, False])
def test_what_does_not_exist_is_named(
    module: ModuleRun, images: list[str], args: dict[str, Any], message: str, bindings: bool
) -> None:
    assert images
    with pytest.raises(ModuleFailed, match=message):
        module("rbd_lock_info", bindings=bindings, **{"pool": POOL, "namespace": NAMESPACE, **args})
