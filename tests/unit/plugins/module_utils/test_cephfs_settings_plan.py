# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to give file systems their settings, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings import FileSystem, parse_fs_dump
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings_plan import (
    FeatureWish,
    Wish,
    choose,
    plan,
    problems_of,
    unknown,
)

KNOWN = ["reserved", "jewel", "mimic", "metric_collect"]


@pytest.fixture
def cephfs(recorded: Callable[..., Any]) -> FileSystem:
    """The file system of the recording: timeout 60, autoclose 600, features jewel and metric_collect."""
    return parse_fs_dump(recorded("mds_fs_dump", "18"), 18)["cephfs"]


def changed(cephfs: FileSystem, **settings: Any) -> FileSystem:
    return FileSystem(cephfs.name, cephfs.file_system_id, {**cephfs.settings, **settings}, cephfs.ranks)


def test_nothing_is_done_for_what_is_so_already(cephfs: FileSystem) -> None:
    wish = Wish(
        {"session_autoclose": 600, "allow_standby_replay": True}, FeatureWish(add=("jewel",), remove=("mimic",))
    )
    made = plan(cephfs, wish)
    assert made.commands == ()
    assert made.before == made.after


def test_only_what_differs_is_set(cephfs: FileSystem) -> None:
    made = plan(cephfs, Wish({"session_timeout": 60, "allow_standby_replay": False, "max_file_size": 1 << 41}))
    assert made.commands == (
        ("set", "cephfs", "allow_standby_replay", "false"),
        ("set", "cephfs", "max_file_size", str(1 << 41)),
    )
    assert made.after == {**made.before, "allow_standby_replay": False, "max_file_size": 1 << 41}


@pytest.mark.parametrize(
    ("found", "wanted", "order"),
    [
        ((60, 300), (400, 500), ["session_autoclose", "session_timeout"]),
        ((400, 500), (60, 300), ["session_timeout", "session_autoclose"]),
        ((60, 300), (40, 60), ["session_autoclose", "session_timeout"]),
    ],
)
def test_no_session_is_closed_before_it_is_stale_at_any_moment(
    cephfs: FileSystem, found: tuple[int, int], wanted: tuple[int, int], order: list[str]
) -> None:
    names = ("session_timeout", "session_autoclose")
    one = changed(cephfs, **dict(zip(names, found, strict=True)))
    commands = plan(one, Wish(dict(zip(names, wanted, strict=True)))).commands
    assert [words[2] for words in commands] == order
    now = dict(zip(names, found, strict=True))
    for words in commands:
        now[words[2]] = int(words[3])
        assert now["session_timeout"] <= now["session_autoclose"]


def test_new_max_mds_does_not_make_a_file_system_joinable(cephfs: FileSystem) -> None:
    """Ceph takes it for leave to join (measured on all releases)."""
    closed = changed(cephfs, joinable=False)
    assert plan(closed, Wish({"max_mds": 2})).commands == (
        ("set", "cephfs", "max_mds", "2"),
        ("set", "cephfs", "joinable", "false"),
    )
    assert plan(closed, Wish({"max_mds": 2, "joinable": True})).commands[-1] == ("set", "cephfs", "joinable", "true")
    assert len(plan(cephfs, Wish({"max_mds": 2})).commands) == 1


@pytest.mark.parametrize(
    ("wish", "after"),
    [
        (FeatureWish(exactly=("mimic",)), ("mimic",)),
        (FeatureWish(exactly=()), ()),
        (FeatureWish(add=("mimic",)), ("jewel", "metric_collect", "mimic")),
        (FeatureWish(remove=("jewel",)), ("metric_collect",)),
        (FeatureWish(exactly=("jewel",), add=("mimic",)), ("jewel", "mimic")),
    ],
)
def test_client_features(cephfs: FileSystem, wish: FeatureWish, after: tuple[str, ...]) -> None:
    made = plan(cephfs, Wish(features=wish))
    assert made.after["required_client_features"] == after
    now = set(made.before["required_client_features"])
    for what, name, verb, feature in made.commands:
        assert (what, name) == ("required_client_features", "cephfs")
        (now.add if verb == "add" else now.remove)(feature)
    assert now == set(after)


def test_file_systems_are_chosen_by_name(cephfs: FileSystem) -> None:
    found = {"homes": cephfs, "scratch": cephfs}
    assert choose(found, []) == [cephfs, cephfs]
    assert choose(found, ["homes", "homes"]) == [cephfs]
    assert unknown(found, ["homes", "home", "x"]) == [
        "file system home does not exist; did you mean homes?",
        "file system x does not exist; file systems that exist: homes, scratch",
    ]
    assert unknown({}, ["x"]) == ["file system x does not exist; file systems that exist: none"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"session_timeout": 29}, "session_timeout is 29: expected 30 seconds or more"),
        ({"session_autoclose": 29, "session_timeout": 29}, "session_autoclose is 29: expected 30 seconds or more"),
        ({"max_file_size": 65535}, "max_file_size is 65535: expected 65536 bytes or more"),
        ({"max_mds": 0}, "max_mds is 0: expected 1 active MDS or more"),
        ({"max_mds": 257}, "max_mds is 257: a file system has 256 ranks at most"),
        ({"standby_count_wanted": -1}, "standby_count_wanted is -1: expected 0 standby MDS or more"),
        (
            {"session_timeout": 601},
            "file system cephfs would have session_timeout 601 and session_autoclose 600: a session would be closed "
            "before it counts as stale; set session_autoclose to 601 or more, or session_timeout to 600 or less",
        ),
    ],
)
def test_values_out_of_range_are_refused(cephfs: FileSystem, settings: dict[str, Any], problem: str) -> None:
    assert problem in problems_of([cephfs], Wish(settings), 18)


def test_values_in_range_are_taken(cephfs: FileSystem) -> None:
    settings = {"session_timeout": 600, "max_mds": 256, "max_file_size": 65536, "standby_count_wanted": 0}
    assert problems_of([cephfs], Wish(settings), 18) == []
    # What was so before is not this task's to mend.
    assert problems_of([changed(cephfs, session_timeout=900)], Wish({"max_mds": 1}), 18) == []


def test_features_are_checked_against_those_of_the_release(cephfs: FileSystem) -> None:
    wish = Wish(features=FeatureWish(add=("mimick", "reserved"), remove=("jewel",)))
    assert problems_of([cephfs], wish, 18, KNOWN) == [
        "client feature mimick does not exist in release 18; did you mean mimic?",
        "client feature reserved does not exist in release 18",
    ]
    both = Wish(features=FeatureWish(add=("jewel",), remove=("jewel",)))
    assert problems_of([cephfs], both, 18, KNOWN) == ["client feature jewel is to be required and not to be required"]


def test_all_that_a_release_has_not_is_named_together(cephfs: FileSystem) -> None:
    wish = Wish({"refuse_client_session": True, "max_mds": 0}, FeatureWish(exactly=("jewel",)))
    assert problems_of([cephfs], wish, 14) == [
        "Ceph 14 has no file system setting refuse_client_session: it needs release 18; leave it out",
        "Ceph 14 has no file system setting required_client_features: it needs release 16; leave it out",
        "max_mds is 0: expected 1 active MDS or more",
    ]
    assert problems_of([cephfs], Wish(features=FeatureWish(exactly=())), 16, KNOWN) == []
