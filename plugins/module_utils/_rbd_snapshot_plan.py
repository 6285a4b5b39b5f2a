# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one snapshot of an RBD image. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_commands as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Snapshot, SnapshotName


@dataclass(frozen=True)
class SnapshotPlan:
    """The commands that bring the snapshot about, and how it looks before and after (None: absent)."""

    commands: tuple[rbd.RbdCommand, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    problem: str | None = None


def clone_names(answer: Iterable[Mapping[str, Any]]) -> list[str]:
    """Parse ``rbd children --format json``."""
    return [str(ImageName(child["pool"], child.get("pool_namespace", ""), child["image"])) for child in answer]


def plan_snapshot(name: SnapshotName, state: str, image: Image | None, clones: Sequence[str]) -> SnapshotPlan:
    """Plan for the snapshot to be ``present``, ``protected`` or ``absent``; ``clones`` are those it has."""
    found = None if image is None else image.snapshot(name.snapshot)
    if state == "absent":
        return _plan_absent(name, found, clones)
    problem = None if image is not None else f"snapshot {name}: image {name.image} does not exist"
    protect = state == "protected" and not (found and found.protected)
    commands = [] if found else [rbd.create_snapshot(name)]
    if protect:
        commands.append(rbd.protect_snapshot(name))
    protected = protect or bool(found and found.protected)
    return SnapshotPlan(tuple(commands), _describe(found), {"protected": protected}, problem)


def _plan_absent(name: SnapshotName, found: Snapshot | None, clones: Sequence[str]) -> SnapshotPlan:
    if found is None:
        return SnapshotPlan((), None, None)
    problem = f"snapshot {name} has clones: delete or flatten {', '.join(clones)} first" if clones else None
    commands = (rbd.unprotect_snapshot(name),) if found.protected else ()
    return SnapshotPlan((*commands, rbd.remove_snapshot(name)), _describe(found), None, problem)


def _describe(snapshot: Snapshot | None) -> dict[str, Any] | None:
    return None if snapshot is None else {"protected": snapshot.protected}
