# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for the features of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_feature_plan import (
    FeaturePlan,
    FeatureRules,
    WantedFeatures,
    plan_features,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock, Watcher

from tests.unit.plugins.module_utils.conftest import RELEASES

NAME = ImageName("p", "", "i")
MAPS = ("exclusive-lock", "object-map", "fast-diff")
INVALID = ("object map invalid", "fast diff invalid")
WATCHER = Watcher("10.0.0.1:0/7", "client.7")
LOCK = Lock("client.7", "10.0.0.1:0/7", "auto 9", exclusive=True)


def plan(  # noqa: PLR0913 -- keywords
    asked: Sequence[str],
    present: Sequence[str],
    *,
    enabled: bool = True,
    flags: tuple[str, ...] = (),
    watchers: tuple[Watcher, ...] = (),
    lock: Lock | None = None,
    **rules: Any,
) -> FeaturePlan:
    image = Image(NAME, "1", 1, tuple(present), flags=flags, watchers=watchers, lock=lock)
    return plan_features(WantedFeatures(NAME, tuple(asked), enabled), image, FeatureRules(**rules))


def commands(found: FeaturePlan) -> list[str]:
    return [" ".join(rbd_argv(operation)) for operation in found.operations]


@pytest.mark.parametrize("release", RELEASES)
def test_every_step_is_what_ceph_does_or_the_smallest_that_it_accepts(
    recorded: Callable[..., Any], release: str
) -> None:
    """From each set of features, each single one: the plan foretells what Ceph did, if Ceph was willing."""
    willing = 0
    for effect in recorded("rbd_feature_effects", release):
        enabled = "enabled" in effect
        asked = effect["enabled" if enabled else "disabled"]
        found = plan([asked], effect["before"], enabled=enabled, rebuild_object_map=False)
        if effect["errno"] is None:
            willing += 1
            assert found.after == {"features": effect["after"], "flags": sorted(effect["flags"])}
        else:
            # Ceph refuses what is so already, and what has to begin with something else.
            assert (asked in effect["before"]) == enabled or len(found.closure) > 1 or not found.operations
    assert willing > 10


@pytest.mark.parametrize("release", RELEASES)
def test_ceph_refuses_what_the_plan_refuses(recorded: Callable[..., Any], release: str) -> None:
    refused = recorded("rbd_features_failures", release)["immutable_features_change"]
    assert "cannot update immutable features" in refused["stderr"]
    assert plan(["deep-flatten"], ["layering"]).problems == (
        "image p/i: feature deep-flatten can only be chosen when an image is created: create another image with it",
    )


@pytest.mark.parametrize(
    ("asked", "present", "closure"),
    [
        (["fast-diff"], ["layering"], MAPS),
        (["object-map"], ["layering"], MAPS),
        (["journaling"], ["layering"], ("exclusive-lock", "journaling")),
        (["journaling", "fast-diff"], ["layering"], (*MAPS, "journaling")),
        (["fast-diff"], ["exclusive-lock", "object-map"], ("fast-diff",)),
        (["object-map"], ["exclusive-lock", "object-map"], ()),
        (["layering"], ["layering"], ()),
    ],
)
def test_enabling_brings_what_it_builds_on(asked: list[str], present: list[str], closure: tuple[str, ...]) -> None:
    found = plan(asked, present)
    assert found.closure == closure
    assert found.after["features"] == plan([], [*present, *closure]).before["features"]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("asked", "present", "closure"),
    [
        (["exclusive-lock"], [*MAPS, "journaling"], ("journaling", "fast-diff", "object-map", "exclusive-lock")),
        (["exclusive-lock"], ["exclusive-lock", "journaling"], ("journaling", "exclusive-lock")),
        (["object-map"], MAPS, ("fast-diff", "object-map")),
        (["fast-diff"], MAPS, ("fast-diff", "object-map")),
        (["journaling", "deep-flatten"], [*MAPS, "deep-flatten", "journaling"], ("journaling", "deep-flatten")),
        (["journaling", "striping"], MAPS, ()),
    ],
)
def test_disabling_takes_what_builds_on_it(asked: list[str], present: list[str], closure: tuple[str, ...]) -> None:
    found = plan(asked, present, enabled=False)
    assert found.closure == closure
    assert found.after["features"] == [name for name in found.before["features"] if name not in closure]
    assert found.problems == ()


def test_all_in_one_command_then_the_object_map() -> None:
    assert commands(plan(["fast-diff"], ["layering"])) == [
        "feature enable p/i exclusive-lock object-map fast-diff",
        "object-map rebuild --no-progress p/i",
    ]
    assert commands(plan(["exclusive-lock"], MAPS, enabled=False)) == [
        "feature disable p/i fast-diff object-map exclusive-lock"
    ]


def test_object_map_is_rebuilt_when_it_is_invalid_and_never_when_that_is_not_wanted() -> None:
    assert commands(plan(["object-map"], MAPS, flags=INVALID)) == ["object-map rebuild --no-progress p/i"]
    assert plan(["object-map"], MAPS, flags=INVALID).after["flags"] == []
    unwanted = plan(["object-map"], MAPS, flags=INVALID, rebuild_object_map=False)
    assert (unwanted.operations, unwanted.before) == ((), unwanted.after)
    assert plan(["journaling"], MAPS, enabled=False, flags=INVALID).operations == ()
    assert plan(["object-map"], MAPS, enabled=False, flags=INVALID).after["flags"] == []


def test_feature_that_the_kernel_cannot_map_is_not_enabled() -> None:
    assert plan(["fast-diff"], ["layering"], kernel="4.14").problems == (
        "image p/i: kernel 4.14 could not map it: object-map needs kernel 5.3",
        "image p/i: kernel 4.14 could not map it: fast-diff needs kernel 5.3",
    )
    assert plan(["fast-diff"], ["layering"], kernel="5.3").problems == ()
    assert plan(["journaling"], ["exclusive-lock", "journaling"], kernel="6.1").problems == ()


@pytest.mark.parametrize(
    ("users", "text"),
    [
        ({"watchers": (WATCHER,)}, "in use, watched by 10.0.0.1:0/7 (client.7): disabling exclusive-lock takes"),
        ({"lock": LOCK}, "in use, locked by 10.0.0.1:0/7 (client.7, lock 'auto 9'): disabling exclusive-lock takes"),
        ({"lock": LOCK, "watchers": (WATCHER,)}, "lock 'auto 9') and watched by 10.0.0.1:0/7 (client.7): disabling"),
    ],
)
def test_lock_of_a_client_in_use_is_kept_unless_forced(users: dict[str, Any], text: str) -> None:
    (problem,) = plan(["exclusive-lock"], ["exclusive-lock"], enabled=False, **users).problems
    assert text in problem
    assert problem.endswith("stop that client first, or set force=true")
    assert plan(["exclusive-lock"], ["exclusive-lock"], enabled=False, force=True, **users).problems == ()
    assert plan(["deep-flatten"], ["deep-flatten"], enabled=False, **users).problems == ()
    assert plan(["exclusive-lock"], ["layering"], enabled=False, **users).problems == ()
    assert plan(["object-map"], ["exclusive-lock"], **users).problems == ()


def test_features_that_never_change_and_features_that_do_not_exist() -> None:
    assert plan(["layering"], ["layering"], enabled=False).problems == (
        "image p/i: feature layering cannot be disabled: create another image without it",
    )
    assert plan(["object-mop", "data-pool"], ["layering"]).problems == (
        "image p/i: there is no feature 'object-mop'; did you mean object-map?",
        "image p/i: feature data-pool can only be chosen when an image is created: create another image with it",
    )
