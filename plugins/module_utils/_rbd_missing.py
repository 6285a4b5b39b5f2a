# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which part of an image's name does not exist, and what was probably meant."""

from __future__ import annotations

from typing import Iterable

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState, list_images


def missing_images(client: CephClient, wanted: Iterable[ImageName], state: RbdState) -> list[str]:
    """Return a problem for each of these images that ``state`` does not have."""
    missing = [name for name in wanted if name not in state.images]
    places = sorted({(name.pool, name.namespace) for name in missing if _place_exists(name, state)})
    siblings = {place: [image.image for image in list_images(client, *place)] for place in places}
    return [missing_image(name, state, siblings.get((name.pool, name.namespace), [])) for name in missing]


def missing_image(name: ImageName, state: RbdState, siblings: Iterable[str]) -> str:
    """Return the problem with an image that was not found; ``siblings`` are the images of its pool and namespace."""
    namespaces = state.namespaces.get(name.pool)
    if namespaces is None:
        return f"image {name}: pool {name.pool} does not exist{nearest(name.pool, state.pools)}"
    if not _place_exists(name, state):
        return f"image {name}: namespace {name.namespace} does not exist{nearest(name.namespace, namespaces)}"
    return f"image {name} does not exist{nearest(name.image, siblings)}"


def _place_exists(name: ImageName, state: RbdState) -> bool:
    namespaces = state.namespaces.get(name.pool)
    return namespaces is not None and (not name.namespace or name.namespace in namespaces)
