# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read RBD images with the ``rbd`` command, where there are no Python bindings: the same answers as the bulk read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephNotFound
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName

# Each is a process of its own, which computes more than it waits.
_THREADS = 4


def read_images(client: CephClient, wanted: Iterable[ImageName]) -> dict[str, Any]:
    """Read these images, the namespaces of their pools, and the names of all pools."""
    names = sorted(set(wanted))
    pools = client.ceph_json("osd", "pool", "ls")
    wanted_pools = sorted({name.pool for name in names})
    namespaces = {pool: _namespaces(client, pool) if pool in pools else None for pool in wanted_pools}
    there = [name for name in names if name.namespace in ("", *(namespaces[name.pool] or ())) and name.pool in pools]
    with ThreadPoolExecutor(_THREADS) as executor:
        images = list(executor.map(lambda name: _image(client, name), there))
    return {"pools": pools, "namespaces": namespaces, "images": [image for image in images if image]}


def list_names(client: CephClient, pool: str, namespace: str | None) -> list[list[str]]:
    """Return [namespace, image] for the images of a pool; of all its namespaces if ``namespace`` is None."""
    try:
        existing = ["", *_namespaces(client, pool)]
    except CephNotFound:
        return []
    namespaces = [name for name in existing if namespace in (None, name)]
    with ThreadPoolExecutor(_THREADS) as executor:
        found = list(executor.map(lambda name: client.rbd_json("ls", str(ImageName(pool, name, ""))), namespaces))
    return [[name, image] for name, images in zip(namespaces, found) for image in images]


def default_features(client: CephClient, pool: str) -> str:
    """Return the value of rbd_default_features for new images of a pool."""
    options = client.rbd_json("config", "pool", "ls", pool)
    return next(str(option["value"]) for option in options if option["name"] == "rbd_default_features")


def _namespaces(client: CephClient, pool: str) -> list[str]:
    return [str(namespace["name"]) for namespace in client.rbd_json("namespace", "ls", pool)]


def _image(client: CephClient, name: ImageName) -> dict[str, Any] | None:
    try:
        info = client.rbd_json("info", str(name))
        snapshots = client.rbd_json("snap", "ls", str(name)) if info.get("snapshot_count", 1) else []
        return image_answer(
            name,
            info,
            snapshots=snapshots,
            status=client.rbd_json("status", str(name)),
            metadata=_metadata(client, name),
            parent_id=_image_id(client, info["parent"]) if "parent" in info else None,
            lock=_lock(client, name),
        )
    except CephNotFound:
        return None


def image_answer(  # noqa: PLR0913, PLR0917 -- one for each command
    name: ImageName,
    info: Mapping[str, Any],
    snapshots: Sequence[Mapping[str, Any]],
    status: Mapping[str, Any],
    metadata: Mapping[str, str],
    parent_id: str | None,
    lock: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Put together what the commands said of one image, as the bulk read says it."""
    parent = info.get("parent")
    return {
        "pool": name.pool,
        "namespace": name.namespace,
        "image": name.image,
        "id": info["id"],
        "size": info["size"],
        "features": info["features"],
        "flags": info["flags"],
        "data_pool": info.get("data_pool"),
        "metadata": metadata,
        "parent": parent
        and {
            "pool": parent["pool"],
            "namespace": parent.get("pool_namespace", ""),
            "image": parent["image"],
            "snapshot": parent["snapshot"],
            "id": parent_id,
        },
        # "protected" is a string in every release.
        "snapshots": [
            {"name": snapshot["name"], "size": snapshot["size"], "protected": str(snapshot["protected"]) == "true"}
            for snapshot in snapshots
        ],
        "watchers": [
            {"address": watcher["address"], "client": f"client.{watcher['client']}"} for watcher in status["watchers"]
        ],
        "lock": lock,
    }


def _metadata(client: CephClient, name: ImageName) -> dict[str, str]:
    text = client.rbd("image-meta", "ls", str(name), "--format", "json")
    # An image without metadata is answered with no JSON at all.
    return dict(json.loads(text)) if text.startswith("{") else {}


def _image_id(client: CephClient, parent: Mapping[str, Any]) -> str:
    """Return the id of a parent, which ``rbd info`` of the clone does not tell."""
    place = ImageName(parent["pool"], parent.get("pool_namespace", ""), "")
    if parent.get("trash"):
        trash = client.rbd_json("trash", "ls", "--all", str(place))
        return next((str(image["id"]) for image in trash if image["name"] == parent["image"]), "")
    name = ImageName(place.pool, place.namespace, parent["image"])
    return str(client.rbd_json("info", str(name))["id"])


def _lock(client: CephClient, name: ImageName) -> dict[str, Any] | None:
    lockers = client.rbd_json("lock", "ls", str(name))
    if not lockers:
        return None
    first = lockers[0]
    # Only the text says whether a lock that somebody took by hand is a shared one.
    exclusive = first["id"].startswith("auto ") or "exclusive lock" in client.rbd("lock", "ls", str(name))
    return {"locker": first["locker"], "address": first["address"], "lock_id": first["id"], "exclusive": exclusive}
