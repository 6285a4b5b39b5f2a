# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to RBD images, one function per verb; how it is done is known elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, Lock, SnapshotName


@dataclass(frozen=True)
class RbdOperation:
    """One operation on an image; ``arguments`` can be written as JSON."""

    kind: str
    image: ImageName
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return verb and object as an error message names them: ``protect snapshot p/i@s``."""
        verb, _blank, what = self.kind.replace("_", " ").partition(" ")
        if "snapshot" in self.arguments:
            return f"{verb} snapshot {self.image}@{self.arguments['snapshot']}"
        if what in {"", "image", "namespace"}:
            return f"{verb} {what or 'image'} {self.image}"
        detail = (
            self.arguments.get("key") or self.arguments.get("lock_id") or ", ".join(self.arguments.get("features", ()))
        )
        return " ".join(word for word in (verb, what, detail, "of image", str(self.image)) if word)


def create_namespace(pool: str, namespace: str) -> RbdOperation:
    """Create a namespace in a pool."""
    return RbdOperation("create_namespace", ImageName(pool, namespace, ""))


def remove_namespace(pool: str, namespace: str) -> RbdOperation:
    """Remove a namespace. Ceph itself refuses while there are images in it or in its trash."""
    return RbdOperation("remove_namespace", ImageName(pool, namespace, ""))


def create_image(
    name: ImageName, size: int, features: Iterable[str] = (), data_pool: str | None = None
) -> RbdOperation:
    """Create an empty image of ``size`` bytes."""
    return RbdOperation("create_image", name, {"size": size, "features": list(features), "data_pool": data_pool})


def clone_image(
    parent: SnapshotName, name: ImageName, features: Iterable[str] = (), data_pool: str | None = None
) -> RbdOperation:
    """Clone a snapshot, in format 2 whatever the cluster's default: that needs no cluster-wide setting."""
    origin = parent.image
    return RbdOperation(
        "clone_image",
        name,
        {
            "parent": [origin.pool, origin.namespace, origin.image, parent.snapshot],
            "features": list(features),
            "data_pool": data_pool,
        },
    )


def import_image(
    source: str, name: ImageName, features: Iterable[str] = (), data_pool: str | None = None
) -> RbdOperation:
    """Import the raw image file ``source``; blocks of zeros take no space."""
    return RbdOperation("import_image", name, {"source": source, "features": list(features), "data_pool": data_pool})


def resize_image(name: ImageName, size: int, shrink: bool = False) -> RbdOperation:
    """Set the size in bytes."""
    return RbdOperation("resize_image", name, {"size": size, "shrink": shrink})


def rename_image(name: ImageName, new_name: ImageName) -> RbdOperation:
    """Rename an image, within its pool and namespace."""
    return RbdOperation("rename_image", name, {"new_name": new_name.image})


def remove_image(name: ImageName) -> RbdOperation:
    """Delete an image. Ceph itself refuses while it has watchers or snapshots."""
    return RbdOperation("remove_image", name)


def flatten_image(name: ImageName) -> RbdOperation:
    """Copy into a clone what it shares with its parent, so that it has none any more."""
    return RbdOperation("flatten_image", name)


def enable_features(name: ImageName, features: Iterable[str]) -> RbdOperation:
    """Enable features, all at once."""
    return RbdOperation("enable_features", name, {"features": list(features)})


def disable_features(name: ImageName, features: Iterable[str]) -> RbdOperation:
    """Disable features, all at once."""
    return RbdOperation("disable_features", name, {"features": list(features)})


def rebuild_object_map(name: ImageName) -> RbdOperation:
    """Make the object map say again which objects exist."""
    return RbdOperation("rebuild_object_map", name)


def set_metadata(name: ImageName, key: str, value: str) -> RbdOperation:
    """Set one key of the metadata."""
    return RbdOperation("set_metadata", name, {"key": key, "value": value})


def remove_metadata(name: ImageName, key: str) -> RbdOperation:
    """Remove one key of the metadata."""
    return RbdOperation("remove_metadata", name, {"key": key})


def create_snapshot(name: SnapshotName) -> RbdOperation:
    """Take a snapshot."""
    return RbdOperation("create_snapshot", name.image, {"snapshot": name.snapshot})


def protect_snapshot(name: SnapshotName) -> RbdOperation:
    """Protect a snapshot from being deleted."""
    return RbdOperation("protect_snapshot", name.image, {"snapshot": name.snapshot})


def unprotect_snapshot(name: SnapshotName) -> RbdOperation:
    """Take away a snapshot's protection."""
    return RbdOperation("unprotect_snapshot", name.image, {"snapshot": name.snapshot})


def remove_snapshot(name: SnapshotName) -> RbdOperation:
    """Delete a snapshot."""
    return RbdOperation("remove_snapshot", name.image, {"snapshot": name.snapshot})


def rollback_snapshot(name: SnapshotName) -> RbdOperation:
    """Make the image what it was when the snapshot was taken."""
    return RbdOperation("rollback_snapshot", name.image, {"snapshot": name.snapshot})


def remove_lock(name: ImageName, lock: Lock) -> RbdOperation:
    """Take the lock from its owner, which Ceph blocklists."""
    return RbdOperation("remove_lock", name, {"lock_id": lock.lock_id, "locker": lock.locker})
