# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Lock,
    Parent,
    Snapshot,
    Watcher,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image_plan import (
    ImagePlan,
    WantedImage,
    plan_image,
    plan_images,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

NAME = ImageName("p", "", "i")
FEATURES = ("layering", "exclusive-lock")
FOUND = Image(NAME, "1", 8 << 30, (*FEATURES, "operations"))
WATCHER = Watcher("10.0.0.13:0/123", "client.4170")
GOLDEN = Image(ImageName("p", "", "golden"), "2", 4 << 30, FEATURES, snapshots=(Snapshot("root", 4 << 30, True),))
GONE = WantedImage(NAME, "absent")
SNAPSHOT = parse_snapshot_name("p/golden@root")


def state(*images: Image) -> RbdState:
    return RbdState({"p": frozenset({"ns"})}, {image.name: image for image in images}, frozenset({"p", "data", "pool"}))


def commands(plan: ImagePlan) -> list[str]:
    return [" ".join(rbd_argv(operation)) for operation in plan.operations]


def described(size: int = 8 << 30, **other: Any) -> dict[str, Any]:
    return {"size": size, "features": list(FEATURES), "parent": None, "data_pool": None, "metadata": {}, **other}


def imported(size: int | None = None, source_size: int | None = 4 << 30) -> WantedImage:
    return WantedImage(NAME, size=size, source="/golden.raw", source_size=source_size)


def test_empty_image_is_created() -> None:
    plan = plan_image(WantedImage(NAME, "present", 8 << 30, FEATURES), state())
    assert plan.problems == ()
    assert commands(plan) == ["create --image-feature layering,exclusive-lock --size 8589934592B p/i"]
    assert (plan.before, plan.after) == (None, described())


def test_features_are_left_to_the_cluster_when_not_given() -> None:
    assert commands(plan_image(WantedImage(NAME, "present", 1), state())) == ["create --size 1B p/i"]


def test_namespace_is_created_when_it_is_missing() -> None:
    there, new = ImageName("p", "ns", "i"), ImageName("p", "new", "i")
    assert commands(plan_image(WantedImage(there, size=1), state())) == ["create --size 1B p/ns/i"]
    assert commands(plan_image(WantedImage(new, size=1), state())) == [
        "namespace create p/new",
        "create --size 1B p/new/i",
    ]


def test_import_gets_its_name_last() -> None:
    plan = plan_image(imported(8 << 30), state())
    assert commands(plan) == [
        "import --no-progress - p/i.part",
        "resize --no-progress --size 8589934592B p/i.part",
        "rename p/i.part p/i",
    ]
    assert plan.operations[0].arguments["source"] == "/golden.raw"
    assert plan.after == described(features=[])


def test_left_over_part_of_an_import_is_removed_first() -> None:
    part = replace(FOUND, name=ImageName("p", "", "i.part"))
    plan = plan_image(imported(), state(part))
    assert plan.problems == ()
    assert commands(plan)[0] == "rm --no-progress p/i.part"


def test_part_that_somebody_is_writing_is_left_alone() -> None:
    part = replace(FOUND, name=ImageName("p", "", "i.part"), watchers=(WATCHER,))
    plan = plan_image(imported(), state(part))
    assert plan.problems == (
        "image p/i.part is being written by 10.0.0.13:0/123 (client.4170): wait for that import",
    )  # fmt: skip


def test_clone_is_grown_to_the_size() -> None:
    plan = plan_image(WantedImage(NAME, "present", 8 << 30, FEATURES, parent=SNAPSHOT), state(GOLDEN))
    assert commands(plan) == [
        "clone --rbd-default-clone-format 2 --image-feature layering,exclusive-lock p/golden@root p/i",
        "resize --no-progress --size 8589934592B p/i",
    ]
    assert plan.after == described(parent="p/golden@root")


def test_clone_has_its_parents_size_by_default() -> None:
    plan = plan_image(WantedImage(NAME, "present", None, FEATURES, parent=SNAPSHOT), state(GOLDEN))
    assert len(plan.operations) == 1
    assert plan.after is not None
    assert plan.after["size"] == 4 << 30


@pytest.mark.parametrize(
    "wanted", [WantedImage(NAME), WantedImage(NAME, "present", 8 << 30), WantedImage(NAME, "present", None, FEATURES)]
)
def test_image_as_wanted_is_left_alone(wanted: WantedImage) -> None:
    plan = plan_image(wanted, state(FOUND))
    assert (plan.operations, plan.problems) == ((), ())
    assert plan.before == plan.after


def test_source_of_an_existing_image_is_not_looked_at() -> None:
    assert plan_image(imported(), state(FOUND)).operations == ()


def test_small_image_is_grown() -> None:
    plan = plan_image(WantedImage(NAME, "present", 9 << 30), state(replace(FOUND, watchers=(WATCHER,))))
    assert plan.problems == ()
    assert commands(plan) == ["resize --no-progress --size 9663676416B p/i"]


def test_shrinking_needs_to_be_allowed() -> None:
    plan = plan_image(WantedImage(NAME, "present", 7 << 30), state(FOUND))
    assert plan.problems == (
        "image p/i has 8GiB, wanted are 7GiB: shrinking cuts off data, set allow_shrink=true if that is meant",
    )
    plan = plan_image(WantedImage(NAME, "present", 7 << 30, allow_shrink=True), state(FOUND))
    assert plan.problems == ()
    assert commands(plan) == ["resize --no-progress --allow-shrink --size 7516192768B p/i"]


def test_image_in_use_is_never_shrunk() -> None:
    plan = plan_image(
        WantedImage(NAME, "present", 7 << 30, allow_shrink=True), state(replace(FOUND, watchers=(WATCHER,)))
    )
    assert plan.problems == (
        "image p/i has 8GiB, wanted are 7GiB: it is in use, watched by 10.0.0.13:0/123 (client.4170): "
        "stop that client first",
    )


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (WantedImage(NAME), "image p/i does not exist: size, source or parent has to say what to create"),
        (
            WantedImage(NAME, "present", 1, ("object-map", "fast-diff")),
            "image p/i: feature object-map needs exclusive-lock",
        ),
        (
            WantedImage(NAME, "present", 1 << 30, parent=SNAPSHOT),
            "image p/i: size 1GiB is less than the 4GiB of parent p/golden@root",
        ),
        (WantedImage(NAME, parent=parse_snapshot_name("p/golden@x")), "image p/i: parent p/golden@x does not exist"),
        (WantedImage(ImageName("q", "", "i"), size=1), "image q/i: pool q does not exist"),
    ],
)
def test_what_cannot_be_created(wanted: WantedImage, problem: str) -> None:
    assert plan_image(wanted, state(GOLDEN)).problems == (problem,)


def test_features_and_parent_of_an_existing_image_are_not_changed() -> None:
    child = replace(FOUND, parent=Parent(parse_snapshot_name("p/old@root"), "3"))
    wanted = WantedImage(NAME, "present", None, ("layering",), parent=SNAPSHOT)
    assert plan_image(wanted, state(child, GOLDEN)).problems == (
        "image p/i has features layering, exclusive-lock, wanted are layering: "
        "change them with diskless.ceph.rbd_feature",
        "image p/i is a clone of p/old@root, not of p/golden@root: the parent of an image cannot change",
    )
    assert "image p/i is no clone, not of p/golden@root" in plan_image(wanted, state(FOUND, GOLDEN)).problems[1]


def test_image_is_removed() -> None:
    plan = plan_image(GONE, state(FOUND))
    assert (commands(plan), plan.problems, plan.after) == (["rm --no-progress p/i"], (), None)
    assert plan_image(GONE, state()) == ImagePlan(NAME, (), None, None)


def test_image_in_use_or_with_snapshots_is_not_removed() -> None:
    used = replace(FOUND, watchers=(WATCHER,), snapshots=(Snapshot("a", 1, False), Snapshot("b", 1, True)))
    assert plan_image(GONE, state(used)).problems == (
        "image p/i is in use, watched by 10.0.0.13:0/123 (client.4170): stop that client first",
        "image p/i has snapshots: remove a, b first",
    )


def test_lock_that_somebody_took_by_hand_keeps_the_image() -> None:
    """Ceph would hang, or say no more than that the image is busy."""
    by_hand = Lock("client.4137", "10.0.0.13:0/123", "mine", exclusive=True)
    locked = state(replace(FOUND, lock=by_hand))
    (problem,) = plan_image(GONE, locked).problems
    assert problem == (
        "image p/i is locked by 10.0.0.13:0/123 (client.4137, lock 'mine'): "
        "break that lock first, with diskless.ceph.rbd_lock"
    )
    (problem,) = plan_image(WantedImage(NAME, size=9 << 30), locked).problems
    assert "nothing can change it" in problem
    assert plan_image(WantedImage(NAME), locked).problems == ()
    dead = replace(by_hand, lock_id="auto 139887151959440")
    assert plan_image(GONE, state(replace(FOUND, lock=dead))).problems == ()


def test_source_that_is_larger_or_missing() -> None:
    assert plan_image(imported(1 << 30), state()).problems == (
        "image p/i: size 1GiB is less than the 4GiB of source /golden.raw",
    )
    assert plan_image(imported(source_size=None), state()).problems == (
        "image p/i: source /golden.raw is not a file",
    )  # fmt: skip
    assert plan_image(imported(source_size=None), state(FOUND)).problems == ()


def test_new_image_has_the_features_that_the_cluster_gives_it() -> None:
    plan = plan_image(WantedImage(NAME, size=1), state(), ("layering", "operations", "deep-flatten"))
    assert plan.after == described(1, features=["layering", "deep-flatten"])


def test_nearest_names_are_offered() -> None:
    wanted = WantedImage(ImageName("poll", "", "i"), size=1, data_pool="dota")
    assert plan_image(wanted, state()).problems == (
        "image poll/i: data pool dota does not exist; did you mean data?",
        "image poll/i: pool poll does not exist; did you mean pool?",
    )
    (problem,) = plan_image(WantedImage(NAME, parent=parse_snapshot_name("p/golden@rot")), state(GOLDEN)).problems
    assert problem == "image p/i: parent p/golden@rot does not exist; did you mean root?"


def test_data_pool_is_chosen_once() -> None:
    wanted = WantedImage(NAME, size=1, data_pool="data")
    plan = plan_image(wanted, state())
    assert commands(plan) == ["create --data-pool data --size 1B p/i"]
    assert plan.after == described(1, features=[], data_pool="data")
    assert plan_image(replace(wanted, size=None), state(FOUND)).problems == (
        "image p/i has its data in pool p, wanted is data: the data pool of an image cannot change",
    )
    assert plan_image(WantedImage(NAME, data_pool="p"), state(FOUND)).problems == ()
    assert plan_image(WantedImage(NAME, data_pool="data"), state(replace(FOUND, data_pool="data"))).problems == ()


def test_only_named_metadata_is_touched() -> None:
    found = replace(FOUND, metadata={"gone": "1", "kept": "2", "old": "3", "same": "4"})
    plan = plan_image(WantedImage(NAME, metadata={"gone": None, "never": None, "old": "5", "same": "4"}), state(found))
    assert commands(plan) == ["image-meta set -- p/i old 5", "image-meta remove -- p/i gone"]
    assert plan.after == described(metadata={"kept": "2", "old": "5", "same": "4"})


def test_clone_begins_with_the_features_and_metadata_of_its_parent() -> None:
    golden = replace(GOLDEN, metadata={"suite": "bookworm", "role": "golden"})
    plan = plan_image(WantedImage(NAME, parent=SNAPSHOT, metadata={"role": None, "host": "pi1"}), state(golden))
    assert commands(plan)[1:] == ["image-meta set -- p/i host pi1", "image-meta remove -- p/i role"]
    assert plan.after is not None
    assert plan.after["metadata"] == {"host": "pi1", "suite": "bookworm"}
    assert plan.after["features"] == list(FEATURES)


def test_import_is_whole_before_it_gets_its_name() -> None:
    plan = plan_image(replace(imported(), metadata={"a": "b"}), state())
    assert commands(plan)[1:] == ["image-meta set -- p/i.part a b", "rename p/i.part p/i"]


def test_clone_is_flattened() -> None:
    wanted = WantedImage(NAME, "flattened", parent=SNAPSHOT)
    new = plan_image(wanted, state(GOLDEN))
    assert commands(new) == ["clone --rbd-default-clone-format 2 p/golden@root p/i", "flatten --no-progress p/i"]
    assert new.after == described(4 << 30)
    clone = plan_image(wanted, state(GOLDEN, replace(FOUND, parent=Parent(SNAPSHOT, "2"))))
    assert commands(clone) == ["flatten --no-progress p/i"]
    assert (clone.before, clone.after) == (described(parent="p/golden@root"), described())
    flat = plan_image(wanted, state(GOLDEN, FOUND))
    assert (flat.operations, flat.problems) == ((), ())


def test_clone_of_another_snapshot_is_not_flattened() -> None:
    child = replace(FOUND, parent=Parent(parse_snapshot_name("p/old@root"), "3"))
    (problem,) = plan_image(WantedImage(NAME, "flattened", parent=SNAPSHOT), state(child, GOLDEN)).problems
    assert "is a clone of p/old@root, not of p/golden@root" in problem


def test_source_and_parent_exclude_each_other() -> None:
    assert plan_image(replace(imported(), parent=SNAPSHOT), state(GOLDEN)).problems == (
        "image p/i cannot have more than one of source, parent and renamed_from",
    )


def test_image_that_is_listed_twice_is_a_problem() -> None:
    plans = plan_images([WantedImage(NAME, size=1), WantedImage(NAME, size=2)], state(), {"p": FEATURES})
    assert [plan.problems for plan in plans] == [(), ("image p/i is listed more than once",)]
    assert plans[0].after == described(1)


FORMER = replace(FOUND, name=ImageName("p", "", "former"))
RENAMED = WantedImage(NAME, renamed_from=FORMER.name)


def test_image_gets_another_name_and_stays_the_same() -> None:
    plan = plan_image(RENAMED, state(FORMER))
    assert plan.problems == ()
    assert commands(plan) == ["rename p/former p/i"]
    assert plan.before_by_name == {"p/former": described(), "p/i": None}
    assert plan.after_by_name == {"p/former": None, "p/i": described()}


def test_image_that_has_the_name_already_stays_and_so_does_the_other() -> None:
    """A run that died after the rename is completed: the former name may be another image's by then."""
    plan = plan_image(RENAMED, state(FOUND, FORMER))
    assert (plan.operations, plan.problems) == ((), ())
    assert plan.before_by_name == plan.after_by_name == {"p/i": described()}


def test_renamed_image_can_be_changed_as_well() -> None:
    plan = plan_image(replace(RENAMED, size=16 << 30, metadata={"kept": "yes"}), state(FORMER))
    assert commands(plan) == [
        "rename p/former p/i",
        "image-meta set -- p/i kept yes",
        "resize --no-progress --size 17179869184B p/i",
    ]
    assert plan.after_by_name["p/i"] == described(16 << 30, metadata={"kept": "yes"})


def test_rename_of_an_image_that_does_not_exist_is_refused() -> None:
    expected = "image p/i does not exist, and neither does p/former, which was to get that name"
    assert plan_image(RENAMED, state()).problems == (expected,)


def test_rename_under_a_running_client_is_refused() -> None:
    plan = plan_image(RENAMED, state(replace(FORMER, watchers=(WATCHER,))))
    assert plan.problems == (
        "image p/former is in use, watched by 10.0.0.13:0/123 (client.4170): stop that client first",
    )


def test_rename_of_an_image_locked_by_hand_is_refused_and_with_a_dead_lock_is_not() -> None:
    hand, dead = (Lock("client.1", "10.0.0.13:0/1", lock_id, True) for lock_id in ("mine", "auto 1"))
    (problem,) = plan_image(RENAMED, state(replace(FORMER, lock=hand))).problems
    assert problem.startswith("image p/former is locked by 10.0.0.13:0/1 (client.1, lock 'mine'): break that lock")
    assert plan_image(RENAMED, state(replace(FORMER, lock=dead))).problems == ()


def test_image_that_is_renamed_and_wanted_in_one_task_is_refused() -> None:
    plans = plan_images([RENAMED, WantedImage(FORMER.name, size=1)], state(FORMER), {})
    assert plans[0].problems == ("image p/former is renamed to p/i, and listed besides: do that in another task",)
    twice = plan_images([RENAMED, replace(RENAMED, name=ImageName("p", "", "j"))], state(FORMER), {})
    assert [len(plan.problems) for plan in twice] == [1, 1]


def test_image_cannot_be_a_clone_and_renamed() -> None:
    problems = plan_image(replace(RENAMED, parent=SNAPSHOT), state(FORMER, GOLDEN)).problems
    assert "image p/i cannot have more than one of source, parent and renamed_from" in problems
