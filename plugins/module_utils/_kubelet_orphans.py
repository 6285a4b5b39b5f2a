# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of pods that a kubelet no longer has, and what of them stops the kubelet from removing them.

A volume whose unmount failed leaves its directory behind, and the kubelet logs "orphaned pod ... found, but volume
paths are still present on disk" for ever. Below such a directory a file system may be mounted, with data that is not
the pod's. So nothing is entered that has a mount below it, and nothing is removed but empty directories and the
kubelet's own note about a CSI volume; the rest of the pod's directory the kubelet then removes itself.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Sequence

NOTE = "vol_data.json"  # kubernetes pkg/volume/csi
# Of these the content is the pod's own, and goes with it.
_EPHEMERAL = (
    "kubernetes.io~configmap",
    "kubernetes.io~downward-api",
    "kubernetes.io~empty-dir",
    "kubernetes.io~projected",
    "kubernetes.io~secret",
)


@dataclass(frozen=True)
class Orphan:
    """A pod's directory. steps: what to remove, in this order; reasons: why it is left alone, empty if it is not."""

    uid: str
    path: str
    steps: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def find_orphans(directory: Path, pods: Iterable[str], mount_points: Sequence[str]) -> list[Orphan]:
    """Return the directories of pods that are not among ``pods``, sorted; ``mount_points`` are all of this host."""
    known = set(pods)
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:  # no kubelet has ever run here
        return []
    return [_orphan(directory / name, mount_points) for name in names if name not in known]


def remove(orphan: Orphan) -> None:
    """Carry out the steps; raises OSError, as for a directory that something has been put into meanwhile."""
    for step in orphan.steps:
        path = Path(step)
        if path.name == NOTE:
            path.unlink()
        else:
            path.rmdir()


def _orphan(path: Path, mount_points: Sequence[str]) -> Orphan:
    below = sorted(point for point in mount_points if point == str(path) or point.startswith(f"{path}/"))
    if below:
        return Orphan(path.name, str(path), reasons=tuple(f"{point} is mounted" for point in below))
    steps: list[str] = []
    reasons: list[str] = []
    for plugin in _directories(path / "volumes", reasons):
        if plugin.name not in _EPHEMERAL:
            for volume in _directories(plugin, reasons):
                _plan(volume, steps, reasons)
    return Orphan(path.name, str(path), () if reasons else tuple(steps), tuple(reasons))


def _plan(volume: Path, steps: list[str], reasons: list[str]) -> None:
    """Plan to remove the directory of a volume, if it holds nothing but an empty mount point and the note."""
    for entry in sorted(volume.iterdir()):
        kind = entry.lstat().st_mode
        note = entry.name == NOTE and stat.S_ISREG(kind)
        if note or (stat.S_ISDIR(kind) and not any(entry.iterdir())):
            steps.append(str(entry))
        else:
            reasons.append(f"{entry} is not empty: it may be data that was written while nothing was mounted there")
    steps.append(str(volume))


def _directories(path: Path, reasons: list[str]) -> list[Path]:
    if not path.is_dir():
        return []
    found = []
    for entry in sorted(path.iterdir()):
        if stat.S_ISDIR(entry.lstat().st_mode):
            found.append(entry)
        else:
            reasons.append(f"{entry} is no directory")
    return found
