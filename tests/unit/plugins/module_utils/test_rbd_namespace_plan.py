# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a namespace."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_namespace_plan import NamespacePlan, plan_namespace
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

STATE = RbdState({"p": frozenset({"ns"})}, {}, frozenset({"p", "pool"}))
ROOT = ImageName("p", "ns", "root")


def commands(plan: NamespacePlan) -> list[str]:
    return [" ".join(rbd_argv(operation)) for operation in plan.operations]


def test_empty_namespace_is_removed() -> None:
    plan = plan_namespace("p", "ns", "absent", STATE, [])
    assert commands(plan) == ["namespace rm p/ns"]
    assert (plan.before, plan.after, plan.problem) == ({"images": []}, None, None)


def test_namespace_with_images_is_not_removed() -> None:
    plan = plan_namespace("p", "ns", "absent", STATE, [ROOT])
    assert plan.problem == "namespace p/ns has images: root; delete them first, by name"


def test_namespace_that_is_not_there_needs_no_removal() -> None:
    assert plan_namespace("p", "other", "absent", STATE, []) == NamespacePlan()


def test_namespace_is_created() -> None:
    plan = plan_namespace("p", "new", "present", STATE, [])
    assert commands(plan) == ["namespace create p/new"]
    assert (plan.before, plan.after) == (None, {"images": []})


def test_namespace_that_is_there_stays() -> None:
    plan = plan_namespace("p", "ns", "present", STATE, [ROOT])
    assert plan.operations == ()
    assert plan.before == plan.after == {"images": ["root"]}


def test_pool_has_to_exist() -> None:
    plan = plan_namespace("poo", "ns", "absent", STATE, [])
    assert plan.problem == "pool poo does not exist; did you mean pool?"
