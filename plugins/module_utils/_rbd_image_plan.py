# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan RBD images. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_operations as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import feature_problems, selectable
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, SnapshotName, Watcher
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import format_size


@dataclass(frozen=True)
class WantedImage:
    """An image as a task describes it. Empty ``features`` and None mean: do not care.

    ``state`` is present, flattened or absent; ``source_size`` are the bytes of the file ``source``, None if there is
    no such file; ``renamed_from`` is the image that gets this name if none has it; a value None in ``metadata`` removes
    the key.
    """

    name: ImageName
    state: str = "present"
    size: int | None = None
    features: tuple[str, ...] = ()
    source: str | None = None
    source_size: int | None = None
    parent: SnapshotName | None = None
    renamed_from: ImageName | None = None
    allow_shrink: bool = False
    data_pool: str | None = None
    metadata: Mapping[str, str | None] = field(default_factory=dict)

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
        if self.renamed_from is not None:
            names.append(self.renamed_from)
        return names


@dataclass(frozen=True)
class ImagePlan:
    """The operations that bring the image about, and how it looks before and after (None: absent).

    ``former_name``: what it is called before, where it is renamed.
    """

    name: ImageName
    operations: tuple[rbd.RbdOperation, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    problems: tuple[str, ...] = ()
    former_name: ImageName | None = None

    @property
    def before_by_name(self) -> dict[str, dict[str, Any] | None]:
        """How it looks before, by the name that it has then."""
        if self.former_name is None:
            return {str(self.name): self.before}
        return {str(self.former_name): self.before, str(self.name): None}

    @property
    def after_by_name(self) -> dict[str, dict[str, Any] | None]:
        """How it looks after, by the name that it has then."""
        if self.former_name is None:
            return {str(self.name): self.after}
        return {str(self.former_name): None, str(self.name): self.after}


def plan_images(
    wanted: Sequence[WantedImage], state: RbdState, default_features: Mapping[str, Sequence[str]]
) -> list[ImagePlan]:
    """Plan all images; ``default_features`` has for each pool what a new image gets that asks for no features."""
    plans = [plan_image(image, state, default_features.get(image.name.pool, ())) for image in wanted]
    seen: set[ImageName] = set()
    for number, plan in enumerate(plans):
        if plan.name in seen:
            plans[number] = replace(plan, problems=(f"image {plan.name} is listed more than once", *plan.problems))
        seen.add(plan.name)
    listed = [name for image in wanted for name in (image.name, image.renamed_from) if name is not None]
    for number, plan in enumerate(plans):
        if plan.former_name is not None and listed.count(plan.former_name) > 1:
            problem = f"image {plan.former_name} is renamed to {plan.name}, and listed besides: do that in another task"
            plans[number] = replace(plan, problems=(problem, *plan.problems))
    return plans


def plan_image(wanted: WantedImage, state: RbdState, default_features: Sequence[str] = ()) -> ImagePlan:
    """Plan for the image to be as wanted."""
    found = state.images.get(wanted.name)
    if wanted.state == "absent":
        plan = _plan_absent(wanted.name, found)
    elif found is None and wanted.renamed_from is not None:
        plan = _plan_renamed(wanted, wanted.renamed_from, state)
    elif found is None:
        plan = _plan_new(wanted, state, default_features)
    else:
        plan = _plan_existing(wanted, found)
    return replace(plan, problems=(*_common_problems(wanted, state), *plan.problems))


def describe(image: Image) -> dict[str, Any]:
    """Return an image as modules return it and diffs show it."""
    return {
        "size": image.size,
        "features": list(selectable(image.features)),
        "parent": None if image.parent is None else str(image.parent.snapshot),
        "data_pool": image.data_pool,
        "metadata": dict(image.metadata),
    }


def _common_problems(wanted: WantedImage, state: RbdState) -> list[str]:
    who = f"image {wanted.name}"
    problems = []
    if wanted.state != "absent":
        problems += [f"{who}: {problem}" for problem in feature_problems(wanted.features)]
        origins = (wanted.source, wanted.parent, wanted.renamed_from)
        if len([origin for origin in origins if origin is not None]) > 1:
            problems.append(f"{who} cannot have more than one of source, parent and renamed_from")
        if wanted.data_pool is not None and wanted.data_pool not in state.pools:
            problems.append(
                f"{who}: data pool {wanted.data_pool} does not exist{nearest(wanted.data_pool, state.pools)}"
            )
    if state.namespaces.get(wanted.name.pool) is None:
        problems.append(f"{who}: pool {wanted.name.pool} does not exist{nearest(wanted.name.pool, state.pools)}")
    return problems


def _plan_absent(name: ImageName, found: Image | None) -> ImagePlan:
    if found is None:
        return ImagePlan(name, (), None, None)
    problems = []
    if found.watchers:
        problems.append(f"image {name} is in use, watched by {_watchers(found.watchers)}: stop that client first")
    elif found.lock and not found.lock.automatic:
        problems.append(f"image {name} is locked by {found.lock}: break that lock first, with diskless.ceph.rbd_lock")
    if found.snapshots:
        snapshots = ", ".join(snapshot.name for snapshot in found.snapshots)
        problems.append(f"image {name} has snapshots: remove {snapshots} first")
    return ImagePlan(name, (rbd.remove_image(name),), describe(found), None, tuple(problems))


def _plan_new(wanted: WantedImage, state: RbdState, default_features: Sequence[str]) -> ImagePlan:
    name = wanted.name
    operations = []
    if name.namespace and name.namespace not in (state.namespaces.get(name.pool) or ()):
        operations.append(rbd.create_namespace(name.pool, name.namespace))
    if wanted.source is not None:
        content = _import(wanted, state, default_features)
    elif wanted.parent is not None:
        content = _clone(wanted, wanted.parent, state)
    else:
        content = _empty(wanted, default_features)
    metadata = _merged(content.metadata, wanted.metadata)
    after = {
        "size": content.size,
        "features": list(selectable(wanted.features or content.features)),
        "parent": None if wanted.parent is None or wanted.state == "flattened" else str(wanted.parent),
        "data_pool": None if wanted.data_pool == name.pool else wanted.data_pool,
        "metadata": metadata,
    }
    finish = _metadata_operations(content.name, content.metadata, metadata)
    if wanted.parent is not None and wanted.state == "flattened":
        finish.append(rbd.flatten_image(content.name))
    if content.name != name:
        finish.append(rbd.rename_image(content.name, name))
    return ImagePlan(name, (*operations, *content.operations, *finish), None, after, content.problems)


@dataclass(frozen=True)
class _Content:
    """How a new image gets what it holds: under which name first, of what size, with what metadata.

    ``features`` are those that it gets if none are asked for.
    """

    name: ImageName
    operations: tuple[rbd.RbdOperation, ...]
    size: int | None = None
    features: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def _empty(wanted: WantedImage, default_features: Sequence[str]) -> _Content:
    if wanted.size is None:
        problem = f"image {wanted.name} does not exist: size, source or parent has to say what to create"
        return _Content(wanted.name, (), problems=(problem,))
    create = rbd.create_image(wanted.name, wanted.size, wanted.features, wanted.data_pool)
    return _Content(wanted.name, (create,), wanted.size, default_features)


def _import(wanted: WantedImage, state: RbdState, default_features: Sequence[str]) -> _Content:
    source, name, size = str(wanted.source), wanted.part, wanted.source_size
    if size is None:
        return _Content(name, (), problems=(f"image {wanted.name}: source {source} is not a file",))
    operations, problems = [], []
    part = state.images.get(name)
    if part is not None and part.watchers:
        problems.append(f"image {name} is being written by {_watchers(part.watchers)}: wait for that import")
    if part is not None:
        operations.append(rbd.remove_image(name))
    operations.append(rbd.import_image(source, name, wanted.features, wanted.data_pool))
    growth, too_small = _growth(wanted, name, size, f"source {source}")
    return _Content(
        name, (*operations, *growth), wanted.size or size, default_features, problems=(*problems, *too_small)
    )


def _clone(wanted: WantedImage, parent: SnapshotName, state: RbdState) -> _Content:
    image = state.images.get(parent.image)
    snapshot = None if image is None else image.snapshot(parent.snapshot)
    if image is None or snapshot is None:
        problem = f"image {wanted.name}: parent {parent} does not exist{_nearest_parent(parent, image, state)}"
        return _Content(wanted.name, (), problems=(problem,))
    clone = rbd.clone_image(parent, wanted.name, wanted.features, wanted.data_pool)
    growth, problems = _growth(wanted, wanted.name, snapshot.size, f"parent {parent}")
    # A clone begins with the features and the metadata of its parent.
    return _Content(
        wanted.name, (clone, *growth), wanted.size or snapshot.size, image.features, image.metadata, problems
    )


def _nearest_parent(parent: SnapshotName, image: Image | None, state: RbdState) -> str:
    if image is not None:
        return nearest(parent.snapshot, [snapshot.name for snapshot in image.snapshots])
    pool = parent.image.pool
    return "" if pool in state.pools else f": no pool {pool}{nearest(pool, state.pools)}"


def _growth(
    wanted: WantedImage, name: ImageName, size: int, origin: str
) -> tuple[tuple[rbd.RbdOperation, ...], tuple[str, ...]]:
    """Return how to bring a new image of ``size`` to the size that is wanted, and what is wrong with that."""
    if wanted.size is None or wanted.size == size:
        return (), ()
    if wanted.size > size:
        return (rbd.resize_image(name, wanted.size),), ()
    sizes = f"size {format_size(wanted.size)} is less than the {format_size(size)} of {origin}"
    return (), (f"image {wanted.name}: {sizes}",)


def _plan_renamed(wanted: WantedImage, former: ImageName, state: RbdState) -> ImagePlan:
    """Plan for the image that has another name now to be as wanted."""
    found = state.images.get(former)
    if found is None:
        problem = f"image {wanted.name} does not exist, and neither does {former}, which was to get that name"
        return ImagePlan(wanted.name, (), None, None, (problem,))
    problems = []
    if found.watchers:
        problems.append(f"image {former} is in use, watched by {_watchers(found.watchers)}: stop that client first")
    elif found.lock and not found.lock.automatic:
        problems.append(f"image {former} is locked by {found.lock}: break that lock first, with diskless.ceph.rbd_lock")
    # What a lock by hand forbids is said once.
    plan = _plan_existing(wanted, replace(found, name=wanted.name, lock=None))
    return replace(
        plan,
        operations=(rbd.rename_image(former, wanted.name), *plan.operations),
        problems=(*problems, *plan.problems),
        former_name=former,
    )


def _plan_existing(wanted: WantedImage, found: Image) -> ImagePlan:
    before = describe(found)
    metadata = _merged(found.metadata, wanted.metadata)
    operations = _metadata_operations(found.name, found.metadata, metadata)
    after = {**before, "metadata": metadata}
    problems = _differences(wanted, found)
    if wanted.size is not None and wanted.size != found.size:
        operations.append(rbd.resize_image(found.name, wanted.size, shrink=wanted.size < found.size))
        problems += _resize_problems(found, wanted.size, wanted.allow_shrink)
        after["size"] = wanted.size
    if wanted.state == "flattened" and found.parent is not None:
        operations.append(rbd.flatten_image(found.name))
        after["parent"] = None
    if operations and found.lock and not found.lock.automatic:
        problems.append(
            f"image {found.name} is locked by {found.lock}, nothing can change it: break that lock first, "
            "with diskless.ceph.rbd_lock"
        )
    return ImagePlan(found.name, tuple(operations), before, after, tuple(problems))


def _differences(wanted: WantedImage, found: Image) -> list[str]:
    """Return how an existing image is not as wanted, where that is not for this plan to change."""
    who = f"image {found.name}"
    problems = []
    if wanted.features and selectable(wanted.features) != selectable(found.features):
        problems.append(
            f"{who} has features {', '.join(selectable(found.features))}, wanted are "
            f"{', '.join(selectable(wanted.features))}: change them with diskless.ceph.rbd_feature"
        )
    # A flattened image has none, which is as wanted.
    has_other = found.parent is not None and found.parent.snapshot != wanted.parent
    if wanted.parent is not None and (has_other or (found.parent is None and wanted.state == "present")):
        origin = "no clone" if found.parent is None else f"a clone of {found.parent.snapshot}"
        problems.append(f"{who} is {origin}, not of {wanted.parent}: the parent of an image cannot change")
    if wanted.data_pool is not None and wanted.data_pool != (found.data_pool or found.name.pool):
        problems.append(
            f"{who} has its data in pool {found.data_pool or found.name.pool}, wanted is {wanted.data_pool}: "
            "the data pool of an image cannot change"
        )
    return problems


def _resize_problems(found: Image, size: int, allow_shrink: bool) -> list[str]:
    if size > found.size:
        return []
    sizes = f"image {found.name} has {format_size(found.size)}, wanted are {format_size(size)}"
    if not allow_shrink:
        return [f"{sizes}: shrinking cuts off data, set allow_shrink=true if that is meant"]
    if found.watchers:
        return [f"{sizes}: it is in use, watched by {_watchers(found.watchers)}: stop that client first"]
    return []


def _merged(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**found, **wanted}
    return {key: value for key, value in sorted(merged.items()) if value is not None}


def _metadata_operations(name: ImageName, found: Mapping[str, str], after: Mapping[str, str]) -> list[rbd.RbdOperation]:
    changed = [rbd.set_metadata(name, key, value) for key, value in after.items() if found.get(key) != value]
    return changed + [rbd.remove_metadata(name, key) for key in found if key not in after]


def _watchers(watchers: Sequence[Watcher]) -> str:
    return ", ".join(str(watcher) for watcher in watchers)
