# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that comes back takes its lock from its former self by itself; the narrow caps are enough for that."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL, Machine
from tests.integration.dead_owner import blocklist, leave_lock_of_dead_owner
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleRun

NAMESPACE = "takeover"
TAKEOVER_SECONDS = 40


@pytest.fixture(scope="module")
def namespace(ceph: CephCluster) -> str:
    """A namespace for these images."""
    ceph.run("rbd", "namespace", "create", f"{POOL}/{NAMESPACE}")
    return NAMESPACE


def new_image(ceph: CephCluster, name: str) -> str:
    ceph.run("rbd", "create", "--size", "8M", f"{POOL}/{NAMESPACE}/{name}")
    return name


def give_user(ceph: CephCluster, machines: list[Machine], user: str) -> None:
    key = ceph.ceph("auth", "get", user)[0]["key"]
    for machine in machines:
        machine.give_key(user, key)


def on(ceph: CephCluster, machine: Machine) -> list[str]:
    """The words before a command that run it there, for so long at most."""
    return [*ceph.launcher[:-1], machine.container, "timeout", "--kill-after=1", str(TAKEOVER_SECONDS)]


@pytest.mark.parametrize(
    ("image", "caps"),
    [
        ("narrow", {"profile": "narrow_rbd", "pool": POOL, "namespace": NAMESPACE}),
        ("bound", {"profile": "narrow_rbd", "pool": POOL, "namespace": NAMESPACE, "network": "10.76.0.0/24"}),
        ("wide", {"caps": {"mon": "profile rbd", "osd": f"profile rbd pool={POOL} namespace={NAMESPACE}"}}),
    ],
)
def test_lock_of_a_killed_owner_is_taken_over(  # noqa: PLR0913, PLR0917 -- fixtures
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], namespace: str, image: str, caps: dict[str, Any]
) -> None:
    user = f"client.takeover-{image}"
    module("cephx_user", name=user, **caps)
    give_user(ceph, machines, user)
    new_image(ceph, image)
    dead = leave_lock_of_dead_owner(ceph, image, namespace, user, launcher=on(ceph, machines[0]))
    assert dead["address"] not in blocklist(ceph)
    with hold_image(ceph, image, namespace=namespace, name=user, launcher=on(ceph, machines[1])) as successor:
        (lock,) = ceph.rbd("lock", "ls", f"{POOL}/{namespace}/{image}")
        assert lock["locker"] == successor.client
        assert successor.write() == "written"
    hit = [address for address in blocklist(ceph) if address.startswith(f"{machines[0].address}:")]
    assert dead["address"] in hit
    assert f"{machines[0].address}:0/0" not in hit  # the machine itself is not locked out


def test_user_that_may_not_blocklist_does_not_get_the_lock(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], namespace: str
) -> None:
    user = "client.takeover-none"
    module("cephx_user", name=user, caps={"mon": "allow r", "osd": f"profile rbd pool={POOL} namespace={namespace}"})
    give_user(ceph, machines, user)
    image = new_image(ceph, "none")
    dead = leave_lock_of_dead_owner(ceph, image, namespace, user, launcher=on(ceph, machines[0]))
    machine = machines[1]
    write = ["rbd", "bench", "--io-type", "write", "--io-size", "4K", "--io-total", "4K", f"{POOL}/{namespace}/{image}"]
    assert machine.try_to(user, *write).returncode != 0
    assert ceph.rbd("lock", "ls", f"{POOL}/{namespace}/{image}") == [dead]
    # With this module's help it does.
    module("rbd_lock", pool=POOL, namespace=namespace, image=image, owner=dead["locker"])
    assert machine.try_to(user, *write).returncode == 0
