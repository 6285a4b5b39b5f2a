# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether an initramfs is complete, from its structure.

The kernel unpacks one archive after the other, each plain or compressed, with zeros between them. Where a format tells
how long its parts are, the parts are counted and never unpacked, so that a whole fleet can be looked at; gzip does not,
and is unpacked to nowhere. Of formats that tell nothing (bzip2, lzma, lzo, lz4) nothing is said.

Formats: buffer-format.rst in the kernel's documentation; RFC 8878 (zstd); RFC 1952 (gzip); the .xz file format.
"""

from __future__ import annotations

import os
import time
import zlib
from dataclasses import dataclass
from typing import Callable

from ansible_collections.diskless.ceph.plugins.module_utils._newc import (
    HEADER,
    MAGICS,
    TRAILER,
    NewcError,
    header,
)

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\x00"
_XZ_END = b"YZ"
_UNCOUNTED = {b"BZh": "bzip2", b"\x5d\x00\x00": "lzma", b"\x89LZO": "lzo", b"\x02\x21\x4c\x18": "lz4"}
_MAGIC = max(len(magic) for magic in (_ZSTD, _GZIP, _XZ, *MAGICS, *_UNCOUNTED))
_PIECE = 256 * 1024
_LONGEST_NAME = 4096


class OutOfTime(Exception):
    """It takes longer than allowed; whoever wrote the file may have meant it to."""


class _Flaw(Exception):
    """What is wrong with the file."""


@dataclass(frozen=True)
class _File:
    descriptor: int
    size: int
    deadline: float

    def read(self, position: int, size: int) -> bytes:
        """What there is of so many bytes at the position."""
        if time.monotonic() > self.deadline:
            raise OutOfTime
        return os.pread(self.descriptor, size, position)

    def whole(self, position: int, size: int, what: str) -> bytes:
        """The same, when all of them have to be there."""
        data = self.read(position, size)
        if len(data) < size:
            raise _truncated(what)
        return data


@dataclass(frozen=True)
class Archive:
    """A part of an initramfs: from which byte to which, and C(none) or the name of its compression."""

    begin: int
    end: int
    compression: str


def initramfs_problem(descriptor: int, seconds: float) -> str | None:
    """Return what is wrong with an opened initramfs, or None. Raises OutOfTime, and OSError when it cannot be read."""
    return initramfs_archives(descriptor, seconds)[1]


def initramfs_archives(descriptor: int, seconds: float) -> tuple[list[Archive], str | None]:
    """Return the archives of an opened initramfs up to what is wrong with it, and that.

    Raises as C(initramfs_problem) does.
    """
    file = _File(descriptor, os.fstat(descriptor).st_size, time.monotonic() + seconds)
    found: list[Archive] = []
    position = _after_zeros(file, 0)
    if position >= file.size:
        return found, "holds nothing but zeros"
    try:
        while position < file.size:
            compression, after = _format(file, position)
            end = after(file, position)
            found.append(Archive(position, end, compression))
            position = _after_zeros(file, end)
    except _Flaw as flaw:
        return found, str(flaw)
    return found, None


def _truncated(what: str) -> _Flaw:
    return _Flaw(f"is truncated: its {what} goes on beyond the end of the file")


def _after_zeros(file: _File, position: int) -> int:
    while position < file.size:
        piece = file.read(position, _PIECE)
        rest = piece.lstrip(b"\0")
        position += len(piece) - len(rest)
        if rest or not piece:
            break
    return position


def _format(file: _File, position: int) -> tuple[str, Callable[[_File, int], int]]:
    """Return the compression of the archive that begins here, and what finds its end."""
    magic = file.read(position, _MAGIC)
    for begins, compression, after in _FORMATS:
        if magic.startswith(begins):
            return compression, after
    if position == 0:
        raise _Flaw(f"is no initramfs: it begins with the bytes {magic.hex(' ')}")
    raise _Flaw(f"is damaged: at byte {position} an archive or the end is expected")


def _after_newc(file: _File, position: int) -> int:
    while True:
        block = file.whole(position, HEADER, "cpio archive")
        try:
            found = header(block)
        except NewcError:
            raise _Flaw(f"is damaged: at byte {position} a member of the cpio archive is expected") from None
        name = file.whole(position + HEADER, min(found.name_size, _LONGEST_NAME), "cpio archive")
        if position + found.content + found.size > file.size:
            raise _truncated("cpio archive")
        position += found.end
        if name.rstrip(b"\0") == TRAILER.encode():
            return position


def _after_zstd(file: _File, position: int) -> int:
    """Frame header: magic, descriptor, window, dictionary, size of the content. Blocks. Perhaps a checksum."""
    what = "zstd frame"
    descriptor = file.whole(position, 5, what)[4]
    single_segment, checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    position += 5 + (1 - single_segment) + dictionary + content_size
    last = False
    while not last:
        block = int.from_bytes(file.whole(position, 3, what), "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        if kind == 3:  # noqa: PLR2004 # reserved
            raise _Flaw(f"is damaged: at byte {position} a block of the zstd frame is expected")
        position += 3 + (1 if kind == 1 else size)  # 1: one byte, repeated
    position += 4 * checksum
    if position > file.size:
        raise _truncated(what)
    return position


def _after_gzip(file: _File, position: int) -> int:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    while not unpacker.eof:
        piece = unpacker.unconsumed_tail or file.whole(position, 1, "gzip stream") + file.read(position + 1, _PIECE)
        if not unpacker.unconsumed_tail:
            position += len(piece)
        try:
            unpacker.decompress(piece, _PIECE)
        except zlib.error:
            raise _Flaw("is damaged: its gzip stream cannot be unpacked") from None
        if time.monotonic() > file.deadline:
            raise OutOfTime
    return position - len(unpacker.unused_data)


def _after_xz(file: _File, position: int) -> int:
    """Where a stream ends is known only from behind: its last two bytes are at the end, before zeros in fours."""
    end = file.read(max(position, file.size - _PIECE), _PIECE).rstrip(b"\0")
    if not end.endswith(_XZ_END):
        raise _truncated("xz stream")
    return file.size


def _after_uncounted(file: _File, _position: int) -> int:
    return file.size


_FORMATS: tuple[tuple[bytes, str, Callable[[_File, int], int]], ...] = (
    *((magic, "none", _after_newc) for magic in MAGICS),
    (_ZSTD, "zstd", _after_zstd),
    (_GZIP, "gzip", _after_gzip),
    (_XZ, "xz", _after_xz),
    *((magic, compression, _after_uncounted) for magic, compression in _UNCOUNTED.items()),
)
