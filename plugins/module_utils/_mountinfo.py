# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is mounted where, as /proc/self/mountinfo shows it (Linux: filesystems/proc.rst). No I/O.

To read that file asks no file system anything, so it answers also when those that are mounted do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class MountPoint:
    """One mount.

    path: where. device: C(MAJOR:MINOR). kind: type of the file system. source: what is mounted, in its own words.
    read_only: whether the mount or the file system is.
    """

    path: str
    device: str
    kind: str
    source: str
    read_only: bool


def parse_mountinfo(text: str) -> list[MountPoint]:
    """Return the mounts in the order in which they were made."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if "-" not in words[6:]:
            continue
        end = words.index("-", 6)
        kind, source, options = (*words[end + 1 : end + 4], "", "", "")[:3]
        read_only = "ro" in (*words[5].split(","), *options.split(","))
        found.append(MountPoint(_unescaped(words[4]), words[2], kind, _unescaped(source), read_only))
    return found


def mounted_at(mounts: Iterable[MountPoint], path: str) -> MountPoint | None:
    """Return what is seen at a path: of several mounts there, the last one."""
    return next((mount for mount in reversed(list(mounts)) if mount.path == path), None)


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), text)
