# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_feature on real clusters."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

MAPS = ["exclusive-lock", "object-map", "fast-diff"]


def create(ceph: CephCluster, image: str, *features: str) -> None:
    ceph.run("rbd", "create", "--size", "8M", "--image-feature", ",".join(("layering", *features)), f"{POOL}/{image}")


def seen(ceph: CephCluster, image: str) -> tuple[list[str], list[str]]:
    info: dict[str, Any] = ceph.rbd("info", f"{POOL}/{image}")
    return info["features"], info["flags"]


def test_enabling_brings_what_it_needs_and_disabling_takes_what_needs_it(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "featured")
    args: dict[str, Any] = {"pool": POOL, "name": "featured"}
    result = module.converge("rbd_feature", **args, features=["fast-diff"], kernel="6.1")
    assert result["image"] == {"closure": MAPS, "features": ["layering", *MAPS], "flags": []}
    assert seen(ceph, "featured") == (["layering", *MAPS], [])
    result = module.converge("rbd_feature", **args, features=["journaling"])
    assert result["image"]["closure"] == ["journaling"]
    assert seen(ceph, "featured") == (["layering", *MAPS, "journaling"], [])
    result = module.converge("rbd_feature", **args, features=["exclusive-lock"], state="disabled")
    assert result["image"]["closure"] == ["journaling", "fast-diff", "object-map", "exclusive-lock"]
    assert seen(ceph, "featured") == (["layering"], [])
    result = module.converge("rbd_feature", **args, features=["journaling", "object-map"])
    assert result["image"]["closure"] == [*MAPS, "journaling"]
    assert seen(ceph, "featured") == (["layering", *MAPS, "journaling"], [])


def test_object_map_and_fast_diff_go_together(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "together", *MAPS)
    result = module.converge("rbd_feature", pool=POOL, name="together", features=["fast-diff"], state="disabled")
    assert result["image"]["closure"] == ["fast-diff", "object-map"]
    assert seen(ceph, "together") == (["layering", "exclusive-lock"], [])


def test_invalid_object_map_is_rebuilt_if_wanted(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "invalid", "exclusive-lock")
    args: dict[str, Any] = {"pool": POOL, "name": "invalid", "features": ["object-map"]}
    result = module.converge("rbd_feature", **args, rebuild_object_map=False)
    assert result["image"]["flags"] == ["fast diff invalid", "object map invalid"]
    assert sorted(seen(ceph, "invalid")[1]) == ["fast diff invalid", "object map invalid"]
    result = module.converge("rbd_feature", **args)
    assert result["image"] == {"closure": [], "features": ["layering", *MAPS], "flags": []}
    assert seen(ceph, "invalid") == (["layering", *MAPS], [])


def test_many_images_in_one_task(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "many-1", "exclusive-lock")
    create(ceph, "many-2", *MAPS, "deep-flatten")
    create(ceph, "many-3", *MAPS)
    images: list[dict[str, Any]] = [
        {"name": "many-1"},
        {"name": "many-2", "features": ["deep-flatten", "object-map"], "state": "disabled"},
        {"name": "many-3"},
    ]
    result = module.converge("rbd_feature", pool=POOL, features=["object-map"], images=images)
    assert sorted(result["diff"]["after"]) == [f"{POOL}/many-1", f"{POOL}/many-2"]
    assert {name: image["closure"] for name, image in result["images"].items()} == {
        f"{POOL}/many-1": ["object-map", "fast-diff"],
        f"{POOL}/many-2": ["fast-diff", "object-map", "deep-flatten"],
        f"{POOL}/many-3": [],
    }
    assert seen(ceph, "many-1")[0] == seen(ceph, "many-3")[0] == ["layering", *MAPS]
    assert seen(ceph, "many-2")[0] == ["layering", "exclusive-lock"]


def test_what_somebody_holds_keeps_its_lock_unless_forced(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "held", *MAPS)
    args: dict[str, Any] = {"pool": POOL, "name": "held", "features": ["object-map"], "state": "disabled"}
    with hold_image(ceph, "held") as holder:
        message = (
            rf"image {POOL}/held is in use, locked by 10\..* \({holder.client}, lock 'auto .*'\) and watched by "
            rf"10\..* \({holder.client}\): disabling fast-diff, object-map takes away what keeps two clients from "
            r"writing at once; stop that client first, or set force=true"
        )
        for bindings in (True, False):
            with pytest.raises(ModuleFailed, match=message):
                module("rbd_feature", check_mode=True, bindings=bindings, **args)
        assert seen(ceph, "held")[0] == ["layering", *MAPS]
        assert module("rbd_feature", **args, force=True)["changed"] is True
        assert holder.write() == "written"
    assert seen(ceph, "held")[0] == ["layering", "exclusive-lock"]


def test_features_are_enabled_while_somebody_holds_the_image(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "live", "exclusive-lock")
    with hold_image(ceph, "live") as holder:
        module.converge("rbd_feature", pool=POOL, name="live", features=["fast-diff"])
        assert holder.write() == "written"
    assert seen(ceph, "live") == (["layering", *MAPS], [])


def test_all_problems_are_reported_together(module: ModuleRun, ceph: CephCluster) -> None:
    create(ceph, "plain")
    images = [
        {"name": "plain", "features": ["journaling", "object-mop"]},
        {"name": "plein"},
        {"name": "plain", "pool": "rbd-test"},
        {"name": "plain", "namespace": "nowhere"},
    ]
    with pytest.raises(ModuleFailed) as failure:
        module("rbd_feature", pool=POOL, features=["object-map"], images=images, kernel="6.12")
    assert str(failure.value).split("; image ") == [
        f"image {POOL}/plein does not exist; did you mean plain?",
        f"rbd-test/plain: pool rbd-test does not exist; did you mean {POOL}?",
        f"{POOL}/nowhere/plain: namespace nowhere does not exist",
        f"{POOL}/plain: there is no feature 'object-mop'; did you mean object-map?",
        f"{POOL}/plain: kernel 6.12 could not map it: no kernel maps journaling",
    ]
    assert seen(ceph, "plain")[0] == ["layering"]


@pytest.mark.parametrize(
    ("features", "state", "message"),
    [
        (["deep-flatten"], "enabled", "feature deep-flatten can only be chosen when an image is created"),
        (["striping"], "enabled", "feature striping can only be chosen when an image is created"),
        (["layering"], "disabled", "feature layering cannot be disabled: create another image without it"),
    ],
)
def test_features_that_never_change(
    module: ModuleRun, ceph: CephCluster, features: list[str], state: str, message: str
) -> None:
    image = f"fixed-{features[0]}"
    create(ceph, image)
    with pytest.raises(ModuleFailed, match=f"image {POOL}/{image}: {message}"):
        module("rbd_feature", pool=POOL, name=image, features=features, state=state)
    assert module("rbd_feature", pool=POOL, name=image, features=["layering"])["changed"] is False


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"name": "x", "features": ["object-map"]}, "image x: pool has to be given, for this image or for all"),
        ({"name": "x", "pool": POOL}, "image x: features has to be given, for this image or for all"),
        (
            {"images": [{"name": "x"}, {"name": "x"}], "pool": POOL, "features": ["object-map"]},
            f"image {POOL}/x is named twice: name it once, or use a task for each",
        ),
        ({"name": "x", "pool": POOL, "features": ["object-map"], "kernel": "new"}, "expected a version such as 6.1"),
    ],
)
def test_tasks_that_do_not_say_what_they_want(module: ModuleRun, args: dict[str, Any], message: str) -> None:
    with pytest.raises(ModuleFailed, match=message):
        module("rbd_feature", **args)
