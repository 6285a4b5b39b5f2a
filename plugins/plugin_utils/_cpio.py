# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writer of cpio archives in the "newc" format, which the kernel unpacks as initramfs.

The format is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

BLOCK = 512


@dataclass(frozen=True)
class Entry:
    """A directory (C(data) is None) or a regular file; C(mode) holds the permission bits only."""

    path: str
    mode: int
    data: bytes | None = None


def newc(entries: Iterable[Entry]) -> bytes:
    """The archive of the entries, in their order.

    Owner and group are root and all times are 0, so that equal entries give equal bytes.
    """
    archive = bytearray()
    for inode, entry in enumerate(entries, start=1):
        archive += _member(inode, entry)
    archive += _member(0, Entry("TRAILER!!!", 0, b""), trailer=True)
    archive += bytes(-len(archive) % BLOCK)
    return bytes(archive)


def _member(inode: int, entry: Entry, *, trailer: bool = False) -> bytes:
    kind = stat.S_IFDIR if entry.data is None else stat.S_IFREG
    data = entry.data or b""
    name = entry.path.encode() + b"\0"
    fields = (
        inode,
        0 if trailer else kind | entry.mode,
        0,  # uid
        0,  # gid
        2 if entry.data is None else 1,  # links
        0,  # mtime
        len(data),
        0,  # device major
        0,  # device minor
        0,  # rdev major
        0,  # rdev minor
        len(name),
        0,  # checksum, unused by newc
    )
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _aligned(header + name) + _aligned(data)


def _aligned(part: bytes) -> bytes:
    return part + bytes(-len(part) % 4)
