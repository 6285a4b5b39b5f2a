# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an initramfs holds, by name: which files, and the kernel modules of which versions.

Whoever wrote the file may have meant harm, so names, texts and everything together are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterator

from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_unpack import Damaged
from ansible_collections.diskless.ceph.plugins.module_utils._newc import HEADER, TRAILER, NewcError, aligned, header

# Far more than any has: a general initramfs of Debian has some 3,000 names, and 300 MB.
_NAMES = 100_000
_NAMES_BYTES = 16 * 1024 * 1024
_LONGEST_NAME = 4096
_LARGEST = 4 * 1024**3
# Lists that depmod makes. Those of a kernel with all its modules have 1.5 MB.
_LARGEST_LIST = 4 * 1024 * 1024
_LIST = re.compile(r"lib/modules/([^/]+)/(modules\.builtin|modules\.alias)")
_MODULE = re.compile(r"lib/modules/([^/]+)/.*?([^/]+)\.ko(?:\.(?:gz|xz|zst))?")


@dataclass
class Content:
    """Names as they are in a merged C(/usr): without C(usr/) at their beginning.

    modules: by version, names with C(_) and never C(-).
    lists: texts of C(modules.builtin) and C(modules.alias), by version and name.
    """

    files: set[str] = field(default_factory=set)
    modules: dict[str, set[str]] = field(default_factory=dict)
    lists: dict[tuple[str, str], str] = field(default_factory=dict)


def module_name(text: str) -> str:
    """Return a module's name as the kernel writes it."""
    return text.replace("-", "_")


class ContentReader:
    """Reads the archives of one initramfs one after the other into C(content)."""

    def __init__(self) -> None:
        self.content = Content()
        self._names = 0
        self._names_bytes = 0
        self._bytes = 0

    def read(self, pieces: Iterator[bytes]) -> None:
        """Add what one unpacked archive holds. Raises Damaged."""
        stream = _Stream(pieces)
        name = TRAILER
        while not stream.only_zeros_follow():
            name = self._member(stream)
        if name != TRAILER:
            raise Damaged("is truncated: what it unpacks to ends before the end of its cpio archive")

    def _member(self, stream: _Stream) -> str:
        """Read one member, and return its name."""
        try:
            found = header(stream.take(HEADER))
        except NewcError:
            raise Damaged("is damaged: it unpacks to something that is no cpio archive") from None
        if found.name_size > _LONGEST_NAME:
            raise Damaged("is damaged: it holds a name of more than 4096 bytes")
        name = stream.take(found.content - HEADER)[: found.name_size].rstrip(b"\0").decode(errors="replace")
        self._bound(found.name_size, found.content + aligned(found.size))
        if name == TRAILER:
            return name
        name = _plain(name)
        wanted = _LIST.fullmatch(name)
        if wanted and 0 < found.size <= _LARGEST_LIST:
            text = stream.take(aligned(found.size))[: found.size].decode(errors="replace")
            self.content.lists[(wanted.group(1), wanted.group(2))] = text
        else:
            stream.skip(aligned(found.size))
        self.content.files.add(name)
        module = _MODULE.fullmatch(name)
        if module:
            self.content.modules.setdefault(module.group(1), set()).add(module_name(module.group(2)))
        return name

    def _bound(self, name_size: int, size: int) -> None:
        self._names += 1
        self._names_bytes += name_size
        self._bytes += size
        if self._names > _NAMES or self._names_bytes > _NAMES_BYTES or self._bytes > _LARGEST:
            raise Damaged("holds more than any initramfs does")


def _plain(name: str) -> str:
    name = name[2:] if name.startswith("./") else name.lstrip("/")
    return name[len("usr/") :] if name.startswith("usr/") else name


class _Stream:
    """Takes bytes from pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def take(self, size: int) -> bytes:
        """Return so many bytes. Raises Damaged when there are fewer."""
        parts = [self._rest]
        there = len(self._rest)
        while there < size:
            piece = self._next()
            parts.append(piece)
            there += len(piece)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def skip(self, size: int) -> None:
        """Pass over so many bytes, holding none. Raises Damaged when there are fewer."""
        while size > len(self._rest):
            size -= len(self._rest)
            self._rest = self._next()
        self._rest = self._rest[size:]

    def only_zeros_follow(self) -> bool:
        """Tell whether the end is reached, and pass over zeros before the next archive."""
        self._rest = self._rest.lstrip(b"\0")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return True
            self._rest = piece.lstrip(b"\0")
        return False

    def _next(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise Damaged("is truncated: what it unpacks to ends in the middle of a file")
        return piece
