# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the state of many RBD images with one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_bulk_scripts import READ_SCRIPT
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, parse_image


@dataclass(frozen=True)
class RbdState:
    """What exists of what was asked for: images by name, and per pool its namespaces (None: no such pool)."""

    namespaces: Mapping[str, frozenset[str] | None]
    images: Mapping[ImageName, Image]


def read_rbd(client: CephClient, wanted: Iterable[ImageName]) -> RbdState:
    """Read these images, and the namespaces of their pools."""
    request = [[name.pool, name.namespace, name.image] for name in sorted(set(wanted))]
    return parse_rbd(client.python_json(READ_SCRIPT, request))


def parse_rbd(answer: Mapping[str, Any]) -> RbdState:
    """Parse the answer of the bulk read."""
    images = (parse_image(entry) for entry in answer["images"])
    return RbdState(
        namespaces={pool: None if names is None else frozenset(names) for pool, names in answer["namespaces"].items()},
        images={image.name: image for image in images},
    )
