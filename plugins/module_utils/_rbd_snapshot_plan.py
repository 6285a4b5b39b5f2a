# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one snapshot of an RBD image. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_operations as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Snapshot, SnapshotName


@dataclass(frozen=True)
class SnapshotPlan:
    """The operations that bring the snapshot about, and how it looks before and after (None: absent)."""

    operations: tuple[rbd.RbdOperation, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    problem: str | None = None


def clone_names(answer: Iterable[Mapping[str, Any]]) -> list[str]:
    """Parse ``rbd children --format json``."""
    return [str(ImageName(child["pool"], child.get("pool_namespace", ""), child["image"])) for child in answer]


def plan_snapshot(
    name: SnapshotName, state: str, image: Image, clones: Sequence[str], differs: bool = False
) -> SnapshotPlan:
    """Plan for the snapshot to be present, protected, unprotected or absent, or for the image to be rolled back to it.

    ``clones`` are those the snapshot has; ``differs`` tells whether the image has been written since.
    """
    found = image.snapshot(name.snapshot)
    if state == "absent":
        return _plan_absent(name, found, clones)
    if state == "rolled_back":
        return _plan_rollback(name, image, found, differs)
    protected = bool(found and found.protected)
    wanted = {"present": protected, "protected": True, "unprotected": False}[state]
    operations = [] if found else [rbd.create_snapshot(name)]
    if wanted != protected:
        operations.append(rbd.protect_snapshot(name) if wanted else rbd.unprotect_snapshot(name))
    problem = _clones_problem(name, clones) if protected and not wanted else None
    after = _description(found.size if found else image.size, wanted)
    return SnapshotPlan(tuple(operations), _describe(found), after, problem)


def _plan_absent(name: SnapshotName, found: Snapshot | None, clones: Sequence[str]) -> SnapshotPlan:
    if found is None:
        return SnapshotPlan((), None, None)
    operations = (rbd.unprotect_snapshot(name),) if found.protected else ()
    return SnapshotPlan((*operations, rbd.remove_snapshot(name)), _describe(found), None, _clones_problem(name, clones))


def _plan_rollback(name: SnapshotName, image: Image, found: Snapshot | None, differs: bool) -> SnapshotPlan:
    if found is None:
        known = nearest(name.snapshot, (snapshot.name for snapshot in image.snapshots))
        return SnapshotPlan((), None, None, f"snapshot {name} does not exist{known}")
    differs = differs or image.size != found.size
    before = {**_description(found.size, found.protected), "image_differs": differs, "image_size": image.size}
    after = {**before, "image_differs": False, "image_size": found.size}
    operations = (rbd.rollback_snapshot(name),) if differs else ()
    return SnapshotPlan(operations, before, after, _users_problem(image) if differs else None)


def _users_problem(image: Image) -> str | None:
    if image.watchers:
        watchers = ", ".join(str(watcher) for watcher in image.watchers)
        return (
            f"image {image.name} is in use, watched by {watchers}: a rollback would change it under that client; "
            "stop that client first"
        )
    if image.lock and not image.lock.automatic:
        return f"image {image.name} is locked by {image.lock}: break that lock with rbd_lock first"
    return None


def _clones_problem(name: SnapshotName, clones: Sequence[str]) -> str | None:
    return f"snapshot {name} has clones: delete or flatten {', '.join(clones)} first" if clones else None


def _describe(snapshot: Snapshot | None) -> dict[str, Any] | None:
    return None if snapshot is None else _description(snapshot.size, snapshot.protected)


def _description(size: int, protected: bool) -> dict[str, Any]:
    return {"protected": protected, "size": size}
