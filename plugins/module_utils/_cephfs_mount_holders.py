# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes keep a CephFS superblock alive after it is unmounted here: those that use it, and other namespaces.

Nothing of the file system is touched: the kernel writes the links below /proc/PID from what it knows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount, parse_mountinfo

MOST = 50  # of one superblock


@dataclass(frozen=True)
class Holder:
    """A process. ``by`` is ``mount_namespace``, ``directory`` (it works there) or ``file`` (it has one open)."""

    pid: int
    name: str
    by: str


def find_holders(mounts: Iterable[CephfsMount], proc: str = "/proc") -> dict[str, list[Holder]]:
    """Return who holds the superblocks of ``mounts``, by device; of another mount namespace its first process."""
    paths = {mount.path.rstrip("/"): mount.device for mount in mounts}
    devices = set(paths.values())
    found: dict[str, list[Holder]] = {device: [] for device in sorted(devices)}
    here = _link(Path(proc, "self/ns/mnt"))
    seen = {here}
    for pid in sorted(int(entry.name) for entry in Path(proc).iterdir() if entry.name.isdigit()):
        process = Path(proc, str(pid))
        namespace = _link(process / "ns/mnt")
        if namespace == here:
            uses = _uses(process, paths)
        elif namespace and namespace not in seen:
            seen.add(namespace)
            uses = {mount.device: "mount_namespace" for mount in parse_mountinfo(_text(process / "mountinfo"))}
        else:
            continue
        for device, by in uses.items():
            if device in devices and len(found[device]) < MOST:
                found[device].append(Holder(pid, _text(process / "comm").strip(), by))
    return found


def _uses(process: Path, paths: Mapping[str, str]) -> dict[str, str]:
    """Return how a process of this namespace uses which superblock; a directory counts more than files."""
    found = {}
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:  # it has ended, or has nothing open any more
        descriptors = []
    for by, links in (("file", descriptors), ("directory", [process / "cwd", process / "root"])):
        for link in links:
            device = _device(_link(link), paths)
            if device:
                found[device] = by
    return found


def _device(target: str, paths: Mapping[str, str]) -> str | None:
    """Return the superblock of the mount that a path is below: that of the deepest."""
    below = [path for path in paths if target == path or target.startswith(f"{path}/")]
    return paths[max(below, key=len)] if below else None


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
