# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_lock on a real cluster, with real owners: dead ones, live ones, and others than expected."""

from __future__ import annotations

import re
import select
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.dead_owner import blocklist, leave_lock_of_dead_owner
from tests.integration.holder import Holder, hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun


@pytest.fixture
def image(ceph: CephCluster, request: pytest.FixtureRequest) -> str:
    """An image of the test's own."""
    return new_image(ceph, re.sub(r"\W+", "-", request.node.name))


def new_image(ceph: CephCluster, name: str) -> str:
    ceph.run("rbd", "create", "--size", "8M", f"{POOL}/{name}")
    return name


def locks(ceph: CephCluster, image: str) -> list[dict[str, str]]:
    return list(ceph.rbd("lock", "ls", f"{POOL}/{image}"))


def test_lock_of_dead_owner_is_broken(module: ModuleRun, ceph: CephCluster, image: str) -> None:
    lock = leave_lock_of_dead_owner(ceph, image)
    announced = module("rbd_lock", check_mode=True, pool=POOL, image=image, blocklist_expire="2h")
    assert locks(ceph, image) == [lock]
    assert lock["address"] not in blocklist(ceph)
    done = module.converge("rbd_lock", pool=POOL, image=image, blocklist_expire="2h")
    assert announced["actions"] == done["actions"]
    assert done["actions"] == [
        f"blocklist {lock['address']} for 7200 s",
        f"break lock '{lock['id']}' of {lock['locker']} on image {POOL}/{image}",
    ]
    assert done["locks"] == [
        {
            "pool": POOL,
            "namespace": "",
            "image": image,
            "owner": lock["locker"],
            "address": lock["address"],
            "lock_id": lock["id"],
        }
    ]
    assert locks(ceph, image) == []
    assert lock["address"] in blocklist(ceph)
    with hold_image(ceph, image) as holder:
        assert holder.write() == "written"


@pytest.mark.full
def test_lock_in_a_namespace_is_broken(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("rbd", "namespace", "create", f"{POOL}/locks")
    ceph.run("rbd", "create", "--size", "8M", f"{POOL}/locks/pi1")
    lock = leave_lock_of_dead_owner(ceph, "pi1", namespace="locks")
    args = {"pool": POOL, "namespace": "locks", "image": "pi1"}
    module.converge("rbd_lock", **args, owner=lock["locker"])
    assert ceph.rbd("lock", "ls", f"{POOL}/locks/pi1") == []
    assert lock["address"] in blocklist(ceph)


def test_image_without_lock_stays_as_it_is(module: ModuleRun, ceph: CephCluster, image: str) -> None:
    before = blocklist(ceph)
    done = module("rbd_lock", pool=POOL, image=image, owner="client.4137")
    assert (done["changed"], done["actions"], done["locks"]) == (False, [], [])
    assert blocklist(ceph) == before


def test_live_owner_keeps_its_lock(module: ModuleRun, ceph: CephCluster, image: str) -> None:
    with hold_image(ceph, image) as holder:
        (lock,) = locks(ceph, image)
        with pytest.raises(ModuleFailed) as refused:
            module("rbd_lock", pool=POOL, image=image, owner=lock["address"])
        assert str(refused.value) == (
            f"image {POOL}/{image} is locked by {holder.client}, instance {lock['address']}, which is alive: "
            "it watches the image; stop that client (one that died stops watching within 30 s), "
            "or set force=true to cut it off as it runs"
        )
        assert holder.write() == "written"
        assert locks(ceph, image) == [lock]
        assert lock["address"] not in blocklist(ceph)


def test_live_owner_is_fenced_by_force(module: ModuleRun, ceph: CephCluster, image: str) -> None:
    with hold_image(ceph, image) as holder:
        (lock,) = locks(ceph, image)
        module("rbd_lock", pool=POOL, image=image, force=True)
        assert locks(ceph, image) == []
        assert lock["address"] in blocklist(ceph)
        # librbd of Ceph 14 hangs for good.
        expected = "" if ceph.release == "14" else "ConnectionShutdown"
        assert expected in try_to_write(holder, seconds=3 if ceph.release == "14" else 30)
        with hold_image(ceph, image) as successor:
            assert successor.write() == "written"
        holder.kill()


def try_to_write(holder: Holder, seconds: float) -> str:
    """Return what came of a write, or nothing if that took longer."""
    assert holder.process.stdin is not None
    assert holder.process.stdout is not None
    holder.process.stdin.write("\n")
    holder.process.stdin.flush()
    answered, _written, _failed = select.select([holder.process.stdout], [], [], seconds)
    said = holder.process.stdout.readline() if answered else ""
    assert said != "written\n"
    return said


@pytest.mark.parametrize("force", [False, True])
def test_lock_that_somebody_else_took_over_is_not_touched(
    module: ModuleRun, ceph: CephCluster, image: str, force: bool
) -> None:
    expected = leave_lock_of_dead_owner(ceph, image)
    with hold_image(ceph, image) as successor:  # takes the lock from the dead
        for owner in (expected["locker"], expected["address"]):
            with pytest.raises(
                ModuleFailed, match=f"is locked by {successor.client}, instance .*, and not by {re.escape(owner)}: "
            ):
                module("rbd_lock", pool=POOL, image=image, owner=owner, force=force)
        assert [lock["locker"] for lock in locks(ceph, image)] == [successor.client]
        assert successor.write() == "written"


def test_lock_set_by_hand_is_broken_by_force_alone(module: ModuleRun, ceph: CephCluster, image: str) -> None:
    ceph.run("rbd", "lock", "add", f"{POOL}/{image}", "backup")
    (lock,) = locks(ceph, image)
    with pytest.raises(ModuleFailed, match=r"lock 'backup', which was set by hand .*; ask, then set force=true"):
        module("rbd_lock", pool=POOL, image=image)
    assert locks(ceph, image) == [lock]
    module.converge("rbd_lock", pool=POOL, image=image, force=True)
    assert locks(ceph, image) == []


def test_shared_lock_is_left_to_people(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("rbd", "create", "--size", "8M", "--image-feature", "layering", f"{POOL}/lock-shared")
    ceph.run("rbd", "lock", "add", "--shared", "tag", f"{POOL}/lock-shared", "one")
    for bindings in (True, False):
        with pytest.raises(ModuleFailed, match="it is a shared lock, set by hand; remove it with rbd lock remove"):
            module("rbd_lock", bindings=bindings, pool=POOL, image="lock-shared", force=True)


def test_entry_that_lasts_is_left_alone_and_a_short_one_renewed(
    module: ModuleRun, ceph: CephCluster, image: str
) -> None:
    address = leave_lock_of_dead_owner(ceph, image)["address"]
    word = "blacklist" if ceph.release == "14" else "blocklist"
    ceph.run("ceph", "osd", word, "add", address, "86400")
    until = blocklist(ceph)[address]
    longer = module("rbd_lock", check_mode=True, pool=POOL, image=image, blocklist_expire="3d")
    assert longer["actions"][0] == f"renew the blocklist entry of {address} for 259200 s"
    shorter = module("rbd_lock", check_mode=True, pool=POOL, image=image, blocklist_expire="1h")
    assert len(shorter["actions"]) == 1
    module("rbd_lock", pool=POOL, image=image, blocklist_expire="3d")
    assert blocklist(ceph)[address] > until
    assert locks(ceph, image) == []


def test_one_live_owner_stops_the_whole_list(module: ModuleRun, ceph: CephCluster) -> None:
    dead = [new_image(ceph, name) for name in ("lock-rack1", "lock-rack2")]
    live = new_image(ceph, "lock-rack3")
    left = [leave_lock_of_dead_owner(ceph, image) for image in dead]
    items = [{"image": image} for image in (*dead, live, "lock-rack4")]
    with hold_image(ceph, live):
        with pytest.raises(ModuleFailed, match=r"^image rbd-tests/lock-rack4 does not exist; did you mean lock-rack"):
            module("rbd_lock", pool=POOL, images=items)
        with pytest.raises(ModuleFailed, match=r"^image rbd-tests/lock-rack3 is locked .* alive"):
            module("rbd_lock", pool=POOL, images=items[:3])
        assert [locks(ceph, image) for image in dead] == [[lock] for lock in left]
    done = module("rbd_lock", pool=POOL, images=items[:3])
    assert len(done["actions"]) == 4
    assert [locks(ceph, image) for image in dead] == [[], []]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"pool": "rbd-test"}, "image rbd-test/lock-none: pool rbd-test does not exist; did you mean rbd-tests?"),
        ({"namespace": "nowhere"}, "image rbd-tests/nowhere/lock-none: namespace nowhere does not exist"),
    ],
)
@pytest.mark.parametrize("bindings", [True, False])
def test_what_does_not_exist_is_named(module: ModuleRun, args: dict[str, Any], message: str, bindings: bool) -> None:
    with pytest.raises(ModuleFailed, match=re.escape(message)):
        module("rbd_lock", check_mode=True, bindings=bindings, **{"pool": POOL, "image": "lock-none", **args})
