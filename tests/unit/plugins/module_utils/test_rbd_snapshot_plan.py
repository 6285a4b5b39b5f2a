# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Snapshot,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_snapshot_plan import clone_names, plan_snapshot

NAME = parse_snapshot_name("p/i@s")
EMPTY = Image(ImageName("p", "", "i"), "1", 1, (), None, (), ())
PLAIN = Image(ImageName("p", "", "i"), "1", 1, (), None, (Snapshot("s", 1, protected=False),), ())
PROTECTED = Image(ImageName("p", "", "i"), "1", 1, (), None, (Snapshot("s", 1, protected=True),), ())


@pytest.mark.parametrize(
    ("state", "image", "commands", "after"),
    [
        ("present", EMPTY, ["snap create p/i@s"], {"protected": False}),
        ("present", PLAIN, [], {"protected": False}),
        ("present", PROTECTED, [], {"protected": True}),
        ("protected", EMPTY, ["snap create p/i@s", "snap protect p/i@s"], {"protected": True}),
        ("protected", PLAIN, ["snap protect p/i@s"], {"protected": True}),
        ("protected", PROTECTED, [], {"protected": True}),
        ("absent", None, [], None),
        ("absent", EMPTY, [], None),
        ("absent", PLAIN, ["snap rm --no-progress p/i@s"], None),
        ("absent", PROTECTED, ["snap unprotect p/i@s", "snap rm --no-progress p/i@s"], None),
    ],
)
def test_each_state_from_each_other(
    state: str, image: Image | None, commands: list[str], after: dict[str, bool] | None
) -> None:
    plan = plan_snapshot(NAME, state, image, [])
    assert [" ".join(command.args) for command in plan.commands] == commands
    assert plan.after == after
    assert plan.problem is None


def test_image_has_to_exist() -> None:
    assert plan_snapshot(NAME, "present", None, []).problem == "snapshot p/i@s: image p/i does not exist"


def test_snapshot_with_clones_is_not_removed(recorded: Callable[[str], Any]) -> None:
    plan = plan_snapshot(NAME, "absent", PROTECTED, clone_names(recorded("children")))
    assert plan.problem == "snapshot p/i@s has clones: delete or flatten diskless/pi1/root first"
