# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one RBD image. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_commands as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import feature_problems, selectable
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, SnapshotName, Watcher
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import format_size


@dataclass(frozen=True)
class WantedImage:
    """An image as a task describes it. Empty ``features`` and None mean: do not care."""

    name: ImageName
    size: int | None = None
    features: tuple[str, ...] = ()
    source: str | None = None
    parent: SnapshotName | None = None
    allow_shrink: bool = False

    @property
    def part(self) -> ImageName:
        """The name under which an import is written, until it is whole."""
        return ImageName(self.name.pool, self.name.namespace, f"{self.name.image}.part")

    def reads(self) -> list[ImageName]:
        """Return the images whose state the plan depends on."""
        names = [self.name]
        if self.source is not None:
            names.append(self.part)
        if self.parent is not None:
            names.append(self.parent.image)
        return names


@dataclass(frozen=True)
class ImagePlan:
    """The commands that bring the image about, and how it looks before and after (None: absent)."""

    commands: tuple[rbd.RbdCommand, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    problems: tuple[str, ...] = ()


def plan_present(wanted: WantedImage, state: RbdState) -> ImagePlan:
    """Plan for the image to exist as wanted."""
    problems = [f"image {wanted.name}: {problem}" for problem in feature_problems(wanted.features)]
    if state.namespaces.get(wanted.name.pool) is None:
        problems.append(f"image {wanted.name}: pool {wanted.name.pool} does not exist")
    found = state.images.get(wanted.name)
    plan = _plan_new(wanted, state) if found is None else _plan_existing(wanted, found)
    return ImagePlan(plan.commands, plan.before, plan.after, (*problems, *plan.problems))


def plan_absent(name: ImageName, state: RbdState) -> ImagePlan:
    """Plan for the image not to exist; whoever uses it is a problem."""
    found = state.images.get(name)
    if found is None:
        return ImagePlan((), None, None)
    problems = []
    if found.watchers:
        problems.append(f"image {name} is in use, watched by {_watchers(found.watchers)}: stop that client first")
    if found.snapshots:
        snapshots = ", ".join(snapshot.name for snapshot in found.snapshots)
        problems.append(f"image {name} has snapshots: remove {snapshots} first")
    return ImagePlan((rbd.remove_image(name),), describe(found), None, tuple(problems))


def describe(image: Image) -> dict[str, Any]:
    """Return an image as modules return it and diffs show it."""
    parent = None if image.parent is None else image.parent.snapshot
    return _description(image.size, selectable(image.features), parent)


def _description(size: int | None, features: Sequence[str], parent: SnapshotName | None) -> dict[str, Any]:
    return {"size": size, "features": list(features), "parent": None if parent is None else str(parent)}


def _plan_new(wanted: WantedImage, state: RbdState) -> ImagePlan:
    commands = []
    if wanted.name.namespace and wanted.name.namespace not in (state.namespaces.get(wanted.name.pool) or ()):
        commands.append(rbd.create_namespace(wanted.name.pool, wanted.name.namespace))
    problems: list[str] = []
    if wanted.source is not None:
        part = state.images.get(wanted.part)
        if part is not None and part.watchers:
            problems.append(f"image {wanted.part} is being written by {_watchers(part.watchers)}: wait for that import")
        if part is not None:
            commands.append(rbd.remove_image(wanted.part))
        commands.append(rbd.import_image(wanted.source, wanted.part, wanted.features))
        if wanted.size is not None:
            commands.append(rbd.resize_image(wanted.part, wanted.size))
        commands.append(rbd.rename_image(wanted.part, wanted.name))
    elif wanted.parent is not None:
        size, problem = _parent_size(wanted.parent, state)
        problems += [f"image {wanted.name}: {problem}"] if problem else []
        commands.append(rbd.clone_image(wanted.parent, wanted.name, wanted.features))
        if wanted.size is not None and wanted.size < size:
            problems.append(
                f"image {wanted.name}: size {format_size(wanted.size)} is less than the {format_size(size)} "
                f"of parent {wanted.parent}"
            )
        elif wanted.size is not None and wanted.size > size:
            commands.append(rbd.resize_image(wanted.name, wanted.size))
        return ImagePlan(
            tuple(commands),
            None,
            _description(wanted.size or size, selectable(wanted.features), wanted.parent),
            tuple(problems),
        )
    elif wanted.size is None:
        problems.append(f"image {wanted.name} does not exist: size, source or parent has to say what to create")
    else:
        commands.append(rbd.create_image(wanted.name, wanted.size, wanted.features))
    after = _description(wanted.size, selectable(wanted.features), None)
    return ImagePlan(tuple(commands), None, after, tuple(problems))


def _parent_size(parent: SnapshotName, state: RbdState) -> tuple[int, str | None]:
    image = state.images.get(parent.image)
    snapshot = None if image is None else image.snapshot(parent.snapshot)
    return (0, f"parent {parent} does not exist") if snapshot is None else (snapshot.size, None)


def _plan_existing(wanted: WantedImage, found: Image) -> ImagePlan:
    before = describe(found)
    problems = []
    if wanted.features and selectable(wanted.features) != selectable(found.features):
        problems.append(
            f"image {found.name} has features {', '.join(selectable(found.features))}, wanted are "
            f"{', '.join(selectable(wanted.features))}: change them with rbd feature enable or disable"
        )
    if wanted.parent is not None and (found.parent is None or found.parent.snapshot != wanted.parent):
        origin = "no clone" if found.parent is None else f"a clone of {found.parent.snapshot}"
        problems.append(f"image {found.name} is {origin}, not of {wanted.parent}: the parent of an image cannot change")
    if wanted.size is None or wanted.size == found.size:
        return ImagePlan((), before, before, tuple(problems))
    shrink = wanted.size < found.size
    sizes = f"image {found.name} has {format_size(found.size)}, wanted are {format_size(wanted.size)}"
    if shrink and not wanted.allow_shrink:
        problems.append(f"{sizes}: shrinking cuts off data, set allow_shrink=true if that is meant")
    elif shrink and found.watchers:
        problems.append(f"{sizes}: it is in use, watched by {_watchers(found.watchers)}: stop that client first")
    resize = rbd.resize_image(found.name, wanted.size, shrink=shrink)
    return ImagePlan((resize,), before, {**before, "size": wanted.size}, tuple(problems))


def _watchers(watchers: Sequence[Watcher]) -> str:
    return ", ".join(str(watcher) for watcher in watchers)
