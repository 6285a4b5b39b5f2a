# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the images whose locks matter; what does not exist is an error."""

from __future__ import annotations

from typing import Collection, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_images
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import list_images, read_rbd


def read_images(client: CephClient, names: Sequence[ImageName]) -> list[Image]:
    """Read these images, in this order; raises ValueError that names all that do not exist."""
    state = read_rbd(client, names)
    problems = missing_images(client, names, state)
    if problems:
        raise ValueError("; ".join(problems))
    return [state.images[name] for name in names]


def read_all_images(client: CephClient, pool: str, namespace: str | None, pools: Collection[str]) -> list[Image]:
    """Read every image of a namespace, or with None of all namespaces, of a pool; raises ValueError if it is not there.

    ``pools`` are the names of all pools.
    """
    if pool not in pools:
        raise ValueError(f"pool {pool} does not exist{nearest(pool, pools)}")
    names = list_images(client, pool, namespace)
    if not names and namespace:
        _check_namespace(client, pool, namespace)
    # One that was deleted in the meantime is left out.
    images = read_rbd(client, names).images if names else {}
    return [images[name] for name in sorted(images)]


def _check_namespace(client: CephClient, pool: str, namespace: str) -> None:
    existing = [str(entry["name"]) for entry in client.rbd_json("namespace", "ls", pool)]
    if namespace not in existing:
        raise ValueError(f"namespace {pool}/{namespace} does not exist{nearest(namespace, existing)}")
