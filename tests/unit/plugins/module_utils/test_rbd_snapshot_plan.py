# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Lock,
    Snapshot,
    Watcher,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_snapshot_plan import clone_names, plan_snapshot

from tests.unit.plugins.module_utils.conftest import RELEASES

NAME = parse_snapshot_name("p/i@s")
EMPTY = Image(ImageName("p", "", "i"), "1", 2, ())
PLAIN = replace(EMPTY, snapshots=(Snapshot("s", 1, protected=False),))
PROTECTED = replace(EMPTY, snapshots=(Snapshot("s", 1, protected=True),))
SAME = replace(PLAIN, size=1)
WATCHED: dict[str, Any] = {"watchers": (Watcher("10.0.0.1:0/7", "client.7"),)}


@pytest.mark.parametrize(
    ("state", "image", "commands", "after"),
    [
        ("present", EMPTY, ["snap create p/i@s"], {"protected": False, "size": 2}),
        ("present", PLAIN, [], {"protected": False, "size": 1}),
        ("present", PROTECTED, [], {"protected": True, "size": 1}),
        ("protected", EMPTY, ["snap create p/i@s", "snap protect p/i@s"], {"protected": True, "size": 2}),
        ("protected", PLAIN, ["snap protect p/i@s"], {"protected": True, "size": 1}),
        ("protected", PROTECTED, [], {"protected": True, "size": 1}),
        ("unprotected", EMPTY, ["snap create p/i@s"], {"protected": False, "size": 2}),
        ("unprotected", PLAIN, [], {"protected": False, "size": 1}),
        ("unprotected", PROTECTED, ["snap unprotect p/i@s"], {"protected": False, "size": 1}),
        ("absent", EMPTY, [], None),
        ("absent", PLAIN, ["snap rm --no-progress p/i@s"], None),
        ("absent", PROTECTED, ["snap unprotect p/i@s", "snap rm --no-progress p/i@s"], None),
    ],
)
def test_each_state_from_each_other(
    state: str, image: Image, commands: list[str], after: dict[str, bool] | None
) -> None:
    plan = plan_snapshot(NAME, state, image, [])
    assert [" ".join(rbd_argv(operation)) for operation in plan.operations] == commands
    assert plan.after == after
    assert plan.problem is None


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("state", ["absent", "unprotected"])
def test_snapshot_with_clones_stays_as_it_is(recorded: Callable[..., Any], release: str, state: str) -> None:
    plan = plan_snapshot(NAME, state, PROTECTED, clone_names(recorded("children", release)))
    assert plan.problem == "snapshot p/i@s has clones: delete or flatten diskless/pi1/root first"


def test_snapshot_with_clones_that_needs_no_protection_is_left_alone() -> None:
    assert plan_snapshot(NAME, "unprotected", PLAIN, ["p/clone"]).problem is None


@pytest.mark.parametrize(("image", "differs"), [(SAME, True), (PLAIN, False)])
def test_rollback_if_the_content_or_the_size_differs(image: Image, differs: bool) -> None:
    plan = plan_snapshot(NAME, "rolled_back", image, [], differs)
    assert [" ".join(rbd_argv(operation)) for operation in plan.operations] == ["snap rollback --no-progress p/i@s"]
    assert plan.before == {"protected": False, "size": 1, "image_differs": True, "image_size": image.size}
    assert plan.after == {"protected": False, "size": 1, "image_differs": False, "image_size": 1}
    assert plan.problem is None


def test_no_rollback_of_an_image_that_nobody_wrote_to_whoever_uses_it() -> None:
    plan = plan_snapshot(NAME, "rolled_back", replace(SAME, **WATCHED), [], differs=False)
    assert (plan.operations, plan.problem, plan.before) == ((), None, plan.after)


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        (
            WATCHED,
            "image p/i is in use, watched by 10.0.0.1:0/7 (client.7): a rollback would change it under that client; "
            "stop that client first",
        ),
        (
            {"lock": Lock("client.7", "10.0.0.1:0/7", "mine", exclusive=True)},
            "image p/i is locked by 10.0.0.1:0/7 (client.7, lock 'mine'): break that lock with rbd_lock first",
        ),
        # Left behind by a dead client: librbd takes it over.
        ({"lock": Lock("client.7", "10.0.0.1:0/7", "auto 9", exclusive=True)}, None),
    ],
)
def test_no_rollback_under_a_client(user: dict[str, Any], problem: str | None) -> None:
    assert plan_snapshot(NAME, "rolled_back", replace(SAME, **user), [], differs=True).problem == problem


def test_rollback_to_a_snapshot_that_does_not_exist() -> None:
    plan = plan_snapshot(parse_snapshot_name("p/i@sx"), "rolled_back", PLAIN, [])
    assert (plan.operations, plan.problem) == ((), "snapshot p/i@sx does not exist; did you mean s?")
