# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the features of one existing RBD image. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_operations as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import (
    ALL,
    CHANGEABLE,
    unmappable,
    with_dependants,
    with_needs,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName

_MAPS = {"object-map": "object map invalid", "fast-diff": "fast diff invalid"}


@dataclass(frozen=True)
class WantedFeatures:
    """Features of an image, all of which are to be enabled, or disabled."""

    name: ImageName
    features: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True)
class FeatureRules:
    """What holds for every image of a task; ``kernel`` is the one that has to map them, None for any."""

    kernel: str | None = None
    rebuild_object_map: bool = True
    force: bool = False


@dataclass(frozen=True)
class FeaturePlan:
    """What to do with one image. ``closure``: the features that change, in the order in which they have to."""

    name: ImageName
    closure: tuple[str, ...]
    operations: tuple[rbd.RbdOperation, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    problems: tuple[str, ...] = ()


def plan_features(wanted: WantedFeatures, image: Image, rules: FeatureRules) -> FeaturePlan:
    """Plan for the features to be enabled or disabled, with what comes or goes with them."""
    known = [name for name in wanted.features if name in ALL]
    unknown = [
        f"image {image.name}: there is no feature {name!r}{nearest(name, ALL)}"
        for name in wanted.features
        if name not in ALL
    ]
    plan = _plan_enabled(known, image, rules) if wanted.enabled else _plan_disabled(known, image, rules)
    return FeaturePlan(plan.name, plan.closure, plan.operations, plan.before, plan.after, (*unknown, *plan.problems))


def _plan_enabled(features: Sequence[str], image: Image, rules: FeatureRules) -> FeaturePlan:
    missing = [name for name in features if name not in image.features]
    closure = tuple(name for name in with_needs(missing) if name not in image.features)
    problems = [
        f"image {image.name}: feature {name} can only be chosen when an image is created: create another image with it"
        for name in closure
        if name not in CHANGEABLE
    ]
    if rules.kernel is not None:
        reasons = unmappable(closure, rules.kernel)
        problems += [f"image {image.name}: kernel {rules.kernel} could not map it: {reason}" for reason in reasons]
    after = {*image.features, *closure}
    flags = {*image.flags, *(flag for name, flag in _MAPS.items() if name in closure)}
    operations = [rbd.enable_features(image.name, closure)] if closure else []
    if flags and "object-map" in after and rules.rebuild_object_map:
        operations.append(rbd.rebuild_object_map(image.name))
        flags = set()
    return _plan(image, closure, operations, _state(after, flags), problems)


def _plan_disabled(features: Sequence[str], image: Image, rules: FeatureRules) -> FeaturePlan:
    present = [name for name in features if name in image.features]
    closure = tuple(name for name in with_dependants(present) if name in image.features)
    problems = [
        f"image {image.name}: feature {name} cannot be disabled: create another image without it"
        for name in closure
        if name not in (*CHANGEABLE, "deep-flatten")
    ]
    users = _users(image)
    if users and set(closure).intersection(CHANGEABLE) and not rules.force:
        problems.append(
            f"image {image.name} is in use, {users}: disabling {', '.join(closure)} takes away what keeps two clients "
            "from writing at once; stop that client first, or set force=true"
        )
    after = set(image.features).difference(closure)
    flags = {flag for flag in image.flags if flag not in {_MAPS.get(name) for name in closure}}
    operations = [rbd.disable_features(image.name, closure)] if closure else []
    return _plan(image, closure, operations, _state(after, flags), problems)


def _plan(
    image: Image,
    closure: tuple[str, ...],
    operations: Sequence[rbd.RbdOperation],
    after: dict[str, Any],
    problems: Sequence[str],
) -> FeaturePlan:
    before = _state(image.features, image.flags)
    return FeaturePlan(image.name, closure, tuple(operations), before, after, tuple(problems))


def _state(features: Sequence[str] | set[str], flags: Sequence[str] | set[str]) -> dict[str, Any]:
    order = {name: number for number, name in enumerate(ALL)}
    return {"features": sorted(features, key=lambda name: order.get(name, len(ALL))), "flags": sorted(flags)}


def _users(image: Image) -> str:
    lock = [f"locked by {image.lock}"] if image.lock else []
    watchers = [f"watched by {', '.join(map(str, image.watchers))}"] if image.watchers else []
    return " and ".join(lock + watchers)
