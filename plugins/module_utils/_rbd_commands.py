# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``rbd`` commands that change something, one function each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterable, Sequence

if TYPE_CHECKING:
    from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
    from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, SnapshotName


@dataclass(frozen=True)
class RbdCommand:
    """The words after ``rbd``; ``stdin_file`` is a local file that it reads."""

    args: tuple[str, ...]
    stdin_file: str | None = None


def run_commands(client: CephClient, commands: Iterable[RbdCommand], import_timeout_seconds: int | None = None) -> None:
    """Run the commands in order; those that read a file may take ``import_timeout_seconds``."""
    for command in commands:
        timeout = import_timeout_seconds if command.stdin_file else None
        client.rbd(*command.args, stdin_file=command.stdin_file, timeout_seconds=timeout)


def create_namespace(pool: str, namespace: str) -> RbdCommand:
    """Create a namespace in a pool."""
    return RbdCommand(("namespace", "create", f"{pool}/{namespace}"))


def create_image(name: ImageName, size: int, features: Sequence[str]) -> RbdCommand:
    """Create an empty image of ``size`` bytes."""
    return RbdCommand(("create", *_features(features), "--size", f"{size}B", str(name)))


def clone_image(parent: SnapshotName, name: ImageName, features: Sequence[str]) -> RbdCommand:
    """Clone a snapshot, in format 2 whatever the cluster's default: that needs no cluster-wide setting."""
    return RbdCommand(("clone", "--rbd-default-clone-format", "2", *_features(features), str(parent), str(name)))


def import_image(source: str, name: ImageName, features: Sequence[str]) -> RbdCommand:
    """Import the raw image file ``source``; blocks of zeros take no space."""
    return RbdCommand(("import", "--no-progress", *_features(features), "-", str(name)), stdin_file=source)


def resize_image(name: ImageName, size: int, shrink: bool = False) -> RbdCommand:
    """Set the size in bytes."""
    allow = ("--allow-shrink",) if shrink else ()
    return RbdCommand(("resize", "--no-progress", *allow, "--size", f"{size}B", str(name)))


def rename_image(name: ImageName, new_name: ImageName) -> RbdCommand:
    """Rename an image."""
    return RbdCommand(("rename", str(name), str(new_name)))


def remove_image(name: ImageName) -> RbdCommand:
    """Delete an image. Ceph itself refuses while it has watchers or snapshots."""
    return RbdCommand(("rm", "--no-progress", str(name)))


def create_snapshot(name: SnapshotName) -> RbdCommand:
    """Take a snapshot."""
    return RbdCommand(("snap", "create", str(name)))


def protect_snapshot(name: SnapshotName) -> RbdCommand:
    """Protect a snapshot from being deleted."""
    return RbdCommand(("snap", "protect", str(name)))


def unprotect_snapshot(name: SnapshotName) -> RbdCommand:
    """Take away a snapshot's protection."""
    return RbdCommand(("snap", "unprotect", str(name)))


def remove_snapshot(name: SnapshotName) -> RbdCommand:
    """Delete a snapshot."""
    return RbdCommand(("snap", "rm", "--no-progress", str(name)))


def _features(features: Sequence[str]) -> tuple[str, ...]:
    return ("--image-feature", ",".join(features)) if features else ()
