# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reader of cpio archives in the "newc" format, made for what a stranger may have written.

The format is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator

HEADER = 110
TRAILER = "TRAILER!!!"
MAGICS = (b"070701", b"070702")  # without and with a checksum of each file

_FIELDS = re.compile(rb"[0-9A-Fa-f]{104}")


class NewcError(ValueError):
    """This is no such archive, or not all of it."""


@dataclass(frozen=True)
class Header:
    """The beginning of a member: mode with type, bytes of its content, and bytes of its name with the final zero."""

    mode: int
    size: int
    name_size: int

    @property
    def content(self) -> int:
        """Where the content begins, counted from the header."""
        return aligned(HEADER + self.name_size)

    @property
    def end(self) -> int:
        """Where the next member begins, counted from the header."""
        return self.content + aligned(self.size)


def header(block: bytes) -> Header:
    """Return what the 110 bytes say. Raises NewcError."""
    if block[:6] not in MAGICS or not _FIELDS.fullmatch(block, 6):
        raise NewcError("it is no cpio archive in the newc format")
    mode, size, name_size = (int(block[at : at + 8], 16) for at in (14, 54, 94))
    return Header(mode, size, name_size)


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each member, up to the trailer. Raises NewcError when the archive ends before that."""
    position = 0
    while True:
        block = archive[position : position + HEADER]
        if position and len(block) < HEADER:
            raise NewcError("it is not complete")
        found = header(block)
        if position + found.content + found.size > len(archive):
            raise NewcError("it is not complete")
        name = archive[position + HEADER : position + HEADER + found.name_size - 1].decode(errors="replace")
        if name == TRAILER:
            return
        start = position + found.content
        yield name, archive[start : start + found.size]
        position += found.end


def aligned(size: int) -> int:
    """Return the next multiple of 4."""
    return size + -size % 4
