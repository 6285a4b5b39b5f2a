# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on images as the words after ``rbd``. No I/O."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, SnapshotName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_operations import RbdOperation

_Words = Callable[[str, Mapping[str, Any]], "tuple[str, ...]"]


def rbd_argv(operation: RbdOperation) -> tuple[str, ...]:
    """Return the words after ``rbd`` that do this operation; an import reads the image from its stdin."""
    return _WORDS[operation.kind](str(operation.image), operation.arguments)


def _creation(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    features, data_pool = arguments["features"], arguments["data_pool"]
    return (
        *(("--image-feature", ",".join(features)) if features else ()),
        *(("--data-pool", data_pool) if data_pool else ()),
    )


def _parent(words: list[str]) -> str:
    pool, namespace, image, snapshot = words
    return str(SnapshotName(ImageName(pool, namespace, image), snapshot))


def _sibling(name: str, image: str) -> str:
    return f"{name.rpartition('/')[0]}/{image}"


_WORDS: dict[str, _Words] = {
    "create_namespace": lambda name, _given: ("namespace", "create", name),
    "remove_namespace": lambda name, _given: ("namespace", "rm", name),
    "create_image": lambda name, given: ("create", *_creation(given), "--size", f"{given['size']}B", name),
    "clone_image": lambda name, given: (
        "clone",
        "--rbd-default-clone-format",
        "2",
        *_creation(given),
        _parent(given["parent"]),
        name,
    ),
    "import_image": lambda name, given: ("import", "--no-progress", *_creation(given), "-", name),
    "resize_image": lambda name, given: (
        "resize",
        "--no-progress",
        *(("--allow-shrink",) if given["shrink"] else ()),
        "--size",
        f"{given['size']}B",
        name,
    ),
    "rename_image": lambda name, given: ("rename", name, _sibling(name, given["new_name"])),
    "remove_image": lambda name, _given: ("rm", "--no-progress", name),
    "flatten_image": lambda name, _given: ("flatten", "--no-progress", name),
    "enable_features": lambda name, given: ("feature", "enable", name, *given["features"]),
    "disable_features": lambda name, given: ("feature", "disable", name, *given["features"]),
    "rebuild_object_map": lambda name, _given: ("object-map", "rebuild", "--no-progress", name),
    # "--": what people choose may begin with a dash.
    "set_metadata": lambda name, given: ("image-meta", "set", "--", name, given["key"], given["value"]),
    "remove_metadata": lambda name, given: ("image-meta", "remove", "--", name, given["key"]),
    "create_snapshot": lambda name, given: ("snap", "create", f"{name}@{given['snapshot']}"),
    "protect_snapshot": lambda name, given: ("snap", "protect", f"{name}@{given['snapshot']}"),
    "unprotect_snapshot": lambda name, given: ("snap", "unprotect", f"{name}@{given['snapshot']}"),
    "remove_snapshot": lambda name, given: ("snap", "rm", "--no-progress", f"{name}@{given['snapshot']}"),
    "rollback_snapshot": lambda name, given: ("snap", "rollback", "--no-progress", f"{name}@{given['snapshot']}"),
    "remove_lock": lambda name, given: ("lock", "rm", "--", name, given["lock_id"], given["locker"]),
}
