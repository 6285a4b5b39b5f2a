# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for one image."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Parent,
    Snapshot,
    Watcher,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image_plan import (
    ImagePlan,
    WantedImage,
    plan_absent,
    plan_present,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

NAME = ImageName("p", "", "i")
FEATURES = ("layering", "exclusive-lock")
FOUND = Image(NAME, "1", 8 << 30, (*FEATURES, "operations"), None, (), ())
WATCHER = Watcher("10.0.0.13:0/123", "client.4170")
GOLDEN = Image(ImageName("p", "", "golden"), "2", 4 << 30, FEATURES, None, (Snapshot("root", 4 << 30, True),), ())
SNAPSHOT = parse_snapshot_name("p/golden@root")


def state(*images: Image) -> RbdState:
    return RbdState({"p": frozenset({"ns"})}, {image.name: image for image in images})


def commands(plan: ImagePlan) -> list[str]:
    return [" ".join(command.args) for command in plan.commands]


def test_empty_image_is_created() -> None:
    plan = plan_present(WantedImage(NAME, 8 << 30, FEATURES), state())
    assert plan.problems == ()
    assert commands(plan) == ["create --image-feature layering,exclusive-lock --size 8589934592B p/i"]
    assert (plan.before, plan.after) == (None, {"size": 8 << 30, "features": list(FEATURES), "parent": None})


def test_features_are_left_to_the_cluster_when_not_given() -> None:
    assert commands(plan_present(WantedImage(NAME, 1), state())) == ["create --size 1B p/i"]


def test_namespace_is_created_when_it_is_missing() -> None:
    there, new = ImageName("p", "ns", "i"), ImageName("p", "new", "i")
    assert commands(plan_present(WantedImage(there, 1), state())) == ["create --size 1B p/ns/i"]
    assert commands(plan_present(WantedImage(new, 1), state())) == [
        "namespace create p/new",
        "create --size 1B p/new/i",
    ]


def test_import_gets_its_name_last() -> None:
    plan = plan_present(WantedImage(NAME, 8 << 30, source="/golden.raw"), state())
    assert commands(plan) == [
        "import --no-progress - p/i.part",
        "resize --no-progress --size 8589934592B p/i.part",
        "rename p/i.part p/i",
    ]
    assert [command.stdin_file for command in plan.commands] == ["/golden.raw", None, None]


def test_left_over_part_of_an_import_is_removed_first() -> None:
    part = replace(FOUND, name=ImageName("p", "", "i.part"))
    plan = plan_present(WantedImage(NAME, source="/golden.raw"), state(part))
    assert plan.problems == ()
    assert commands(plan)[0] == "rm --no-progress p/i.part"


def test_part_that_somebody_is_writing_is_left_alone() -> None:
    part = replace(FOUND, name=ImageName("p", "", "i.part"), watchers=(WATCHER,))
    plan = plan_present(WantedImage(NAME, source="/golden.raw"), state(part))
    assert plan.problems == (
        "image p/i.part is being written by 10.0.0.13:0/123 (client.4170): wait for that import",
    )  # fmt: skip


def test_clone_is_grown_to_the_size() -> None:
    plan = plan_present(WantedImage(NAME, 8 << 30, FEATURES, parent=SNAPSHOT), state(GOLDEN))
    assert commands(plan) == [
        "clone --rbd-default-clone-format 2 --image-feature layering,exclusive-lock p/golden@root p/i",
        "resize --no-progress --size 8589934592B p/i",
    ]
    assert plan.after == {"size": 8 << 30, "features": list(FEATURES), "parent": "p/golden@root"}


def test_clone_has_its_parents_size_by_default() -> None:
    plan = plan_present(WantedImage(NAME, None, FEATURES, parent=SNAPSHOT), state(GOLDEN))
    assert len(plan.commands) == 1
    assert plan.after is not None
    assert plan.after["size"] == 4 << 30


@pytest.mark.parametrize("wanted", [WantedImage(NAME), WantedImage(NAME, 8 << 30), WantedImage(NAME, None, FEATURES)])
def test_image_as_wanted_is_left_alone(wanted: WantedImage) -> None:
    plan = plan_present(wanted, state(FOUND))
    assert (plan.commands, plan.problems) == ((), ())
    assert plan.before == plan.after


def test_source_of_an_existing_image_is_not_looked_at() -> None:
    assert plan_present(WantedImage(NAME, source="/golden.raw"), state(FOUND)).commands == ()


def test_small_image_is_grown() -> None:
    plan = plan_present(WantedImage(NAME, 9 << 30), state(replace(FOUND, watchers=(WATCHER,))))
    assert plan.problems == ()
    assert commands(plan) == ["resize --no-progress --size 9663676416B p/i"]


def test_shrinking_needs_to_be_allowed() -> None:
    plan = plan_present(WantedImage(NAME, 7 << 30), state(FOUND))
    assert plan.problems == (
        "image p/i has 8GiB, wanted are 7GiB: shrinking cuts off data, set allow_shrink=true if that is meant",
    )
    plan = plan_present(WantedImage(NAME, 7 << 30, allow_shrink=True), state(FOUND))
    assert plan.problems == ()
    assert commands(plan) == ["resize --no-progress --allow-shrink --size 7516192768B p/i"]


def test_image_in_use_is_never_shrunk() -> None:
    plan = plan_present(WantedImage(NAME, 7 << 30, allow_shrink=True), state(replace(FOUND, watchers=(WATCHER,))))
    assert plan.problems == (
        "image p/i has 8GiB, wanted are 7GiB: it is in use, watched by 10.0.0.13:0/123 (client.4170): "
        "stop that client first",
    )


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (WantedImage(NAME), "image p/i does not exist: size, source or parent has to say what to create"),
        (WantedImage(NAME, 1, ("object-map",)), "image p/i: feature object-map needs exclusive-lock"),
        (
            WantedImage(NAME, 1 << 30, parent=SNAPSHOT),
            "image p/i: size 1GiB is less than the 4GiB of parent p/golden@root",
        ),
        (WantedImage(NAME, parent=parse_snapshot_name("p/golden@x")), "image p/i: parent p/golden@x does not exist"),
        (WantedImage(ImageName("q", "", "i"), 1), "image q/i: pool q does not exist"),
    ],
)
def test_what_cannot_be_created(wanted: WantedImage, problem: str) -> None:
    assert plan_present(wanted, state(GOLDEN)).problems == (problem,)


def test_features_and_parent_of_an_existing_image_are_not_changed() -> None:
    child = replace(FOUND, parent=Parent(parse_snapshot_name("p/old@root"), "3"))
    wanted = WantedImage(NAME, None, ("layering",), parent=SNAPSHOT)
    assert plan_present(wanted, state(child, GOLDEN)).problems == (
        "image p/i has features layering, exclusive-lock, wanted are layering: "
        "change them with rbd feature enable or disable",
        "image p/i is a clone of p/old@root, not of p/golden@root: the parent of an image cannot change",
    )
    assert "image p/i is no clone, not of p/golden@root" in plan_present(wanted, state(FOUND, GOLDEN)).problems[1]


def test_image_is_removed() -> None:
    plan = plan_absent(NAME, state(FOUND))
    assert (commands(plan), plan.problems, plan.after) == (["rm --no-progress p/i"], (), None)
    assert plan_absent(NAME, state()) == ImagePlan((), None, None)


def test_image_in_use_or_with_snapshots_is_not_removed() -> None:
    used = replace(FOUND, watchers=(WATCHER,), snapshots=(Snapshot("a", 1, False), Snapshot("b", 1, True)))
    assert plan_absent(NAME, state(used)).problems == (
        "image p/i is in use, watched by 10.0.0.13:0/123 (client.4170): stop that client first",
        "image p/i has snapshots: remove a, b first",
    )
