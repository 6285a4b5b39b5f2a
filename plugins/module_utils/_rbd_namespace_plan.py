# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one RBD namespace. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_operations as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState


@dataclass(frozen=True)
class NamespacePlan:
    """The operations that bring the namespace about, and how it looks before and after (None: absent)."""

    operations: tuple[rbd.RbdOperation, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    problem: str | None = None


def plan_namespace(pool: str, name: str, state: str, rbd_state: RbdState, images: Sequence[ImageName]) -> NamespacePlan:
    """Plan for the namespace to be present or absent; ``images`` are all that are in it."""
    namespaces = rbd_state.namespaces.get(pool)
    if namespaces is None:
        return NamespacePlan(problem=f"pool {pool} does not exist{nearest(pool, rbd_state.pools)}")
    found = {"images": [image.image for image in images]} if name in namespaces else None
    if state == "present":
        operations = () if found else (rbd.create_namespace(pool, name),)
        return NamespacePlan(operations, found, found or {"images": []})
    if found is None:
        return NamespacePlan()
    problem = f"namespace {pool}/{name} has images: {', '.join(found['images'])}; delete them first, by name"
    return NamespacePlan((rbd.remove_namespace(pool, name),), found, None, problem if images else None)
