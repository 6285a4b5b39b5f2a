# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the state of many RBD images: with Ceph's Python bindings in one process, else with ``rbd``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_cli_reader as cli
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_bulk_scripts import (
    DEFAULT_FEATURES_SCRIPT,
    LIST_SCRIPT,
    READ_SCRIPT,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import feature_bits, feature_names
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, parse_image

_BATCH = 1000


@dataclass(frozen=True)
class RbdState:
    """What exists of what was asked for: images by name, and per pool its namespaces (None: no such pool).

    ``pools`` are the names of all pools of the cluster.
    """

    namespaces: Mapping[str, frozenset[str] | None]
    images: Mapping[ImageName, Image]
    pools: frozenset[str] = frozenset()


def read_rbd(client: CephClient, wanted: Iterable[ImageName]) -> RbdState:
    """Read these images, and the namespaces of their pools. What does not exist is no error."""
    names = sorted(set(wanted))
    return client.either(
        lambda: _by_bindings(client, names),
        lambda: _state(cli.read_images(client, names)),
    )


def list_images(client: CephClient, pool: str, namespace: str | None = None) -> list[ImageName]:
    """Return the names of the images in a namespace of a pool, or with None in every namespace of it.

    A pool or namespace that does not exist has none.
    """
    found: list[list[str]] = client.either(
        lambda: client.python_json(LIST_SCRIPT, [pool, namespace], shown=("rbd", "ls", pool)),
        lambda: cli.list_names(client, pool, namespace),
    )
    return sorted(ImageName(pool, *entry) for entry in found)


def read_default_features(client: CephClient, pools: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of these pools, which have to exist, the features of a new image that asks for none."""
    names = sorted(set(pools))
    values: dict[str, str] = client.either(
        lambda: client.python_json(DEFAULT_FEATURES_SCRIPT, names, shown=("rbd", "config", "pool", "ls")),
        lambda: {pool: cli.default_features(client, pool) for pool in names},
    )
    return {pool: parse_default_features(value) for pool, value in values.items()}


def parse_default_features(value: str) -> tuple[str, ...]:
    """Return the features that the option rbd_default_features names, which it does by bit mask or by name."""
    if value.strip().isdigit():
        return feature_names(int(value))
    return feature_names(feature_bits(name.strip() for name in value.split(",") if name.strip()))


def parse_rbd(answer: Mapping[str, Any]) -> RbdState:
    """Parse the answer of the bulk read, in which features are a bit mask."""
    images = [{**image, "features": feature_names(image["features"])} for image in answer["images"]]
    return _state({**answer, "images": images})


def _by_bindings(client: CephClient, names: list[ImageName]) -> RbdState:
    whole = RbdState({}, {})
    # A process for each batch, so that the limit for one command also bounds many thousand images.
    for first in range(0, max(len(names), 1), _BATCH):
        batch = names[first : first + _BATCH]
        request = [[name.pool, name.namespace, name.image] for name in batch]
        state = parse_rbd(client.python_json(READ_SCRIPT, request, shown=("rbd", "info", *map(str, batch[:1]))))
        whole = RbdState({**whole.namespaces, **state.namespaces}, {**whole.images, **state.images}, state.pools)
    return whole


def _state(answer: Mapping[str, Any]) -> RbdState:
    images = (parse_image(entry) for entry in answer["images"])
    return RbdState(
        namespaces={pool: None if names is None else frozenset(names) for pool, names in answer["namespaces"].items()},
        images={image.name: image for image in images},
        pools=frozenset(answer["pools"]),
    )
