# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a fleet, and its way into the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster, Monitor
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage import apply_plan
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_plan import (
    Plan,
    State,
    fleet_diff,
    plan_fleet,
)
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_result import fleet_result
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Parent,
    Snapshot,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

FEATURES = ("layering", "exclusive-lock", "object-map", "fast-diff")
SNAPSHOT = parse_snapshot_name("diskless/golden@root")
GOLDEN = Image(SNAPSHOT.image, "901d", 4 << 30, FEATURES, snapshots=(Snapshot("root", 4 << 30, True),))
CLUSTER = Cluster("f51d", 16, (Monitor("a", "10.77.0.2:6789", "10.77.0.2:3300"),))


def host(name: str = "pi1", number: int = 11, **other: Any) -> WantedHost:
    root = ImageName("diskless", name, "root")
    wanted = WantedHost(name, "amd64", f"10.77.0.{number}", root, f"client.diskless.{name}", 8 << 30, FEATURES, "6.1")
    return replace(wanted, **other)


def root_image(name: str = "pi1", **other: Any) -> Image:
    features = (*FEATURES, "operations")
    image = Image(ImageName("diskless", name, "root"), "0", 8 << 30, features, parent=Parent(SNAPSHOT, "901d"))
    return replace(image, **other)


def state(*images: Image, users: Mapping[str, CephxUser] | None = None) -> State:
    namespaces = {"diskless": frozenset(image.name.namespace for image in images if image.name.namespace)}
    return State(CLUSTER, RbdState(namespaces, {image.name: image for image in images}), users or {})


def plan(hosts: list[WantedHost], found: State) -> Plan:
    keys = iter(f"KEY{number}" for number in range(10))
    return plan_fleet(hosts, {"amd64": SNAPSHOT}, found, lambda: next(keys))


def settled(*names: str) -> State:
    """A cluster that holds what these hosts want."""
    first = plan([host(name, 11 + number) for number, name in enumerate(names)], state(GOLDEN))
    users = {step.user.name: replace(step.user, key=f"OLD-{step.host.name}") for step in first.hosts}
    return state(GOLDEN, *(root_image(name) for name in names), users=users)


class Client:
    """Notes what it is asked to do."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.commands: list[tuple[str, ...]] = []
        self.keyring = ""

    def either(self, with_bindings: Callable[[], Any], _without: Callable[[], Any]) -> Any:
        return with_bindings()

    def python_json(self, _script: str, request: Any, **_other: Any) -> Any:
        self.requests.append(request)
        return [None] * len(request)

    def ceph(self, *args: str, stdin: str = "") -> str:
        self.commands.append(args)
        self.keyring = stdin
        return ""


def applied(wanted: Plan) -> Client:
    client = Client()
    apply_plan(client, wanted)  # type: ignore[arg-type]
    return client


def test_new_host_gets_namespace_clone_size_and_user() -> None:
    wanted = plan([host()], state(GOLDEN))
    assert wanted.problems == ()
    assert [(step.image_action, step.user_action) for step in wanted.hosts] == [("created", "created")]
    client = applied(wanted)
    clone = {"parent": ["diskless", "", "golden", "root"], "features": list(FEATURES), "data_pool": None}
    assert client.requests == [
        [[["create_namespace", "diskless", "pi1", "", {}]]],
        [
            [
                ["clone_image", "diskless", "pi1", "root", clone],
                ["resize_image", "diskless", "pi1", "root", {"size": 8 << 30, "shrink": False}],
            ]
        ],
    ]
    assert client.commands == [("auth", "import", "-i", "-")]
    assert client.keyring.startswith("[client.diskless.pi1]\n\tkey = KEY0\n\tcaps mon = ")
    assert "rbd_header.901d" in client.keyring


def test_settled_fleet_is_left_alone() -> None:
    wanted = plan([host(), host("pi2", 12)], settled("pi1", "pi2"))
    assert not any(step.changed for step in wanted.hosts)
    assert fleet_diff(wanted) == {"before": {}, "after": {}}
    client = applied(wanted)
    assert (client.requests, client.commands) == ([], [])


def test_only_the_new_host_is_touched() -> None:
    wanted = plan([host(), host("pi2", 12)], settled("pi1"))
    client = applied(wanted)
    assert {operation[2] for request in client.requests for job in request for operation in job} == {"pi2"}
    assert "client.diskless.pi1" not in client.keyring
    assert list(fleet_diff(wanted)["after"]) == ["pi2"]


def test_large_fleet_goes_in_batches() -> None:
    hosts = [host(f"pi{number:03d}", 1) for number in range(120)]
    client = Client()
    apply_plan(client, plan_fleet(hosts, {"amd64": SNAPSHOT}, state(GOLDEN)))  # type: ignore[arg-type]
    assert [len(request) for request in client.requests] == [100, 20, 100, 20]
    assert len(client.commands) == 1
    assert client.keyring.count("key = ") == 120


@pytest.mark.parametrize(
    ("image", "users", "actions"),
    [
        (None, {}, ("created", "created")),
        (root_image(size=4 << 30), {}, ("grown", "created")),
        (root_image(), {}, ("unchanged", "created")),
    ],
)
def test_run_that_died_half_way_is_completed(
    image: Image | None, users: dict[str, CephxUser], actions: tuple[str, str]
) -> None:
    found = state(GOLDEN, *([image] if image else []), users=users)
    (step,) = plan([host()], found).hosts
    assert (step.image_action, step.user_action) == actions


def test_changed_address_changes_caps_and_keeps_the_key() -> None:
    wanted = plan([host(address="10.77.0.99")], settled("pi1"))
    (step,) = wanted.hosts
    assert (step.image_action, step.user_action) == ("unchanged", "updated")
    client = applied(wanted)
    assert client.requests == []
    assert "key = OLD-pi1" in client.keyring
    assert "10.77.0.99/32" in client.keyring


def test_order_of_grants_is_no_change() -> None:
    found = settled("pi1")
    user = found.users["client.diskless.pi1"]
    shuffled = {service: ", ".join(reversed(text.split(", "))) for service, text in user.caps.items()}
    found = replace(found, users={user.name: replace(user, caps=shuffled)})
    assert not any(step.changed for step in plan([host()], found).hosts)


def test_caps_follow_the_parent_that_the_image_has() -> None:
    """After a new golden image the hosts go on with the old one until they are moved."""
    old = Parent(parse_snapshot_name("diskless/older@root"), "01d")
    (step,) = plan([host()], state(GOLDEN, root_image(parent=old))).hosts
    assert "rbd_header.01d" in step.user.caps["osd"]
    assert "901d" not in step.user.caps["osd"]
    assert step.differences == (
        "host pi1: root image diskless/pi1/root is a clone of diskless/older@root, not of diskless/golden@root",
    )


@pytest.mark.parametrize(
    ("image", "difference"),
    [
        ({"parent": None}, "is no clone (any more), not of diskless/golden@root"),
        ({"size": 9 << 30}, "has 9GiB, more than root_size 8GiB"),
        (
            {"features": (*FEATURES, "journaling")},
            "cannot be mapped by kernel 6.1: no kernel maps journaling",
        ),
        (
            {"features": ("layering", "operations")},
            "has features layering, wanted are layering, exclusive-lock, object-map, fast-diff",
        ),
    ],
)
def test_existing_image_is_reported_never_changed(image: dict[str, Any], difference: str) -> None:
    wanted = plan([host()], state(GOLDEN, root_image(**image)))
    (step,) = wanted.hosts
    assert step.differences == (f"host pi1: root image diskless/pi1/root {difference}",)
    assert step.image_action == "unchanged"
    assert wanted.problems == ()
    assert applied(wanted).requests == []


@pytest.mark.parametrize(
    ("golden", "problem"),
    [
        (None, "golden image diskless/golden@root for amd64 does not exist"),
        ({"snapshots": ()}, "golden image diskless/golden@root for amd64 does not exist: image diskless/golden has no"),
        (
            {"snapshots": (Snapshot("root", 4 << 30, False),)},
            "golden image diskless/golden@root for amd64 is not protected, so it could be deleted under its clones: "
            "rbd snap protect diskless/golden@root",
        ),
        (
            {"parent": Parent(parse_snapshot_name("p/a@b"), "1")},
            "golden image diskless/golden@root for amd64 is itself a clone, of p/a@b: flatten it",
        ),
        (
            {"features": ("layering", "data-pool")},
            "golden image diskless/golden@root for amd64 keeps its data in another",
        ),
    ],
)
def test_unusable_golden_image(golden: dict[str, Any] | None, problem: str) -> None:
    found = state(root_image("pi2")) if golden is None else state(root_image("pi2"), replace(GOLDEN, **golden))
    (said,) = plan([host()], found).problems
    assert said.startswith(problem)


def test_all_problems_are_reported_together() -> None:
    small, foreign = host("pi2", 12, root_size=1 << 30), host("pi3", 13, arch="arm64")
    elsewhere = host("pi4", 14, root=ImageName("nowhere", "pi4", "root"))
    assert plan([host(), small, foreign, elsewhere], state(GOLDEN)).problems == (
        "golden_images has no arm64, the architecture of pi3",
        "pool nowhere does not exist: create it with diskless.ceph.rbd_pool",
        "host pi2: root_size 1GiB is less than the 4GiB of golden image diskless/golden@root",
    )


def test_diff_shows_caps_and_image_but_no_key() -> None:
    diff = fleet_diff(plan([host()], state(GOLDEN)))
    assert diff["before"] == {"pi1": {"cephx_user": None, "root_image": None}}
    after = diff["after"]["pi1"]
    assert after["root_image"] == {
        "name": "diskless/pi1/root",
        "size": 8 << 30,
        "features": list(FEATURES),
        "parent": "diskless/golden@root",
    }
    assert after["cephx_user"]["name"] == "client.diskless.pi1"
    assert "KEY" not in str(diff)


def test_result_has_keys_only_of_users_that_exist() -> None:
    wanted = plan([host(), host("pi2", 12)], settled("pi1"))
    checked, done = (fleet_result(wanted, CLUSTER, check_mode) for check_mode in (True, False))
    assert list(checked["cephx_keys"]) == ["pi1"]
    assert list(done["cephx_keys"]) == ["pi1", "pi2"]
    assert {**checked, "cephx_keys": None} == {**done, "cephx_keys": None}
    assert done["monitors"] == [{"name": "a", "v1": "10.77.0.2:6789", "v2": "10.77.0.2:3300"}]
    assert done["hosts"][1] == {
        "name": "pi2",
        "image": "diskless/pi2/root",
        "parent": "diskless/golden@root",
        "image_action": "created",
        "user_action": "created",
        "differences": [],
    }
