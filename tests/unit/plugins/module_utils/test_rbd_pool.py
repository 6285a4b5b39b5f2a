# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for one pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_pool import create_command, pool_plan


def test_missing_pool_is_created_and_initialised(recorded: Callable[[str], Any]) -> None:
    plan = pool_plan("new", recorded("pool_ls_detail"))
    assert (plan.create, plan.initialise, plan.problem) == (True, True, None)
    assert plan.before == {"pool": None}
    assert plan.after == {"pool": {"name": "new", "applications": ["rbd"]}}


def test_rbd_pool_is_left_alone(recorded: Callable[[str], Any]) -> None:
    plan = pool_plan("diskless", recorded("pool_ls_detail"))
    assert (plan.create, plan.initialise, plan.problem) == (False, False, None)
    assert plan.before == plan.after


def test_pool_without_application_is_initialised() -> None:
    plan = pool_plan("diskless", [{"pool_name": "diskless", "application_metadata": {}}])
    assert (plan.create, plan.initialise, plan.problem) == (False, True, None)


def test_pool_of_another_application_is_refused(recorded: Callable[[str], Any]) -> None:
    plan = pool_plan("cephfs_data", recorded("pool_ls_detail"))
    assert plan.problem == "pool cephfs_data is used by cephfs: choose another pool for RBD images"


def test_old_release_is_told_the_number_of_pgs() -> None:
    assert create_command("p", 16) == ("osd", "pool", "create", "p")
    assert create_command("p", 14) == ("osd", "pool", "create", "p", "32")
