# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CephFS mounts of the kernel client as /proc/PID/mountinfo shows them (Linux: filesystems/proc.rst). No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import parse_mounts

_OCTAL = re.compile(r"\\([0-7]{3})")
# user@fsid.filesystem=/path, since Linux 5.17
_NEW_SOURCE = re.compile(r"(?P<user>[^@]*)@(?P<fsid>[0-9a-f-]{36})\.(?P<file_system>[^=]*)=")


@dataclass(frozen=True)
class CephfsMount:
    """One mount.

    mount_id: number in its namespace.
    device: ``MAJOR:MINOR`` of the superblock; mounts of one superblock are one client instance.
    root: what of the superblock is mounted, ``/`` unless it is a bind mount of a part.
    path: where.
    source: monitors and path, or ``user@fsid.filesystem=/path``.
    options: those of the superblock; None where an option has no value.
    monitors: ``IP:PORT``; fsid: None where the source does not tell it.
    """

    mount_id: int
    device: str
    root: str
    path: str
    source: str
    options: tuple[tuple[str, str | None], ...]
    read_only: bool
    fsid: str | None
    monitors: frozenset[str]

    def option(self, name: str) -> str | None:
        """Return the value of an option: empty for one without a value, None if it is not set."""
        return next((value or "" for key, value in self.options if key == name), None)

    @property
    def user(self) -> str | None:
        """The cephx user, without ``client.``."""
        new = _NEW_SOURCE.match(self.source)
        return self.option("name") or (new.group("user") if new else None)

    @property
    def file_system(self) -> str | None:
        """The file system, None if it is the default one."""
        new = _NEW_SOURCE.match(self.source)
        return new.group("file_system") if new else self.option("mds_namespace") or self.option("fs")

    @property
    def directory(self) -> str:
        """The directory of the file system that the superblock is of."""
        return self.source.rpartition("=" if _NEW_SOURCE.match(self.source) else ":")[2] or "/"

    @property
    def recover_session(self) -> bool:
        """Whether the client starts again by itself when it is blocklisted."""
        return self.option("recover_session") == "clean"

    @property
    def fsc(self) -> bool:
        """Whether it keeps a cache of file contents on a local disk."""
        return self.option("fsc") is not None


def parse_mountinfo(text: str) -> list[CephfsMount]:
    """Return the CephFS mounts, in the order of the file: of two at the same path the later one is on top."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if "-" not in words[6:]:
            continue
        end = words.index("-", 6)
        kind, source, options = (*words[end + 1 : end + 4], "", "", "")[:3]
        if kind == "ceph":
            # The kernel client's other readings of a source are in /proc/mounts, which has the same words.
            mount = parse_mounts(f"{source} {words[4]} ceph {options} 0 0")[0]
            found.append(
                CephfsMount(
                    mount_id=int(words[0]),
                    device=words[2],
                    root=_unescaped(words[3]),
                    path=mount.path,
                    source=_unescaped(source),
                    options=_options(options),
                    read_only="ro" in (*words[5].split(","), *options.split(",")),
                    fsid=mount.fsid,
                    monitors=mount.monitors,
                )
            )
    return found


def _options(text: str) -> tuple[tuple[str, str | None], ...]:
    parts = (part.partition("=") for part in text.split(",") if part)
    return tuple((key, _unescaped(value) if equals else None) for key, equals, value in parts)


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), text)
