# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack one archive of an initramfs piece by piece, in bounded memory, without writing anything anywhere.

gzip, xz, lzma and bzip2 are in Python's library. For zstd, lz4 and lzo the machine's own programs are filters between
two pipes; what they read is data to them, whatever the file holds.
"""

from __future__ import annotations

import bz2
import lzma
import os
import shutil
import subprocess
import threading
import time
import zlib
from typing import IO, Any, Iterator

from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_file import Archive, OutOfTime

PROGRAMS = {"zstd": "zstd", "lz4": "lz4", "lzo": "lzop"}
_PIECE = 256 * 1024
# An xz or lzma file says itself how much memory its reader needs; mkinitramfs makes some that need 65 MiB (xz -9).
_MEMORY = 128 * 1024 * 1024


class NoProgram(Exception):
    """This machine lacks the program that unpacks such an archive; the text is the program's name."""


class Damaged(Exception):
    """The archive cannot be unpacked; the text says what is wrong, in words that follow the name of the file."""


def unpacked(descriptor: int, archive: Archive, deadline: float) -> Iterator[bytes]:
    """Yield what is in the archive, in pieces.

    deadline: on the clock of C(time.monotonic).
    Raises NoProgram, Damaged, and OutOfTime when the deadline has passed.
    """
    packed = _packed(descriptor, archive, deadline)
    if archive.compression == "none":
        return packed
    if archive.compression in PROGRAMS:
        return _by_program(PROGRAMS[archive.compression], archive.compression, packed)
    if archive.compression == "gzip":
        return _gzip(packed)
    return _by_library(archive.compression, packed)


def _packed(descriptor: int, archive: Archive, deadline: float) -> Iterator[bytes]:
    position = archive.begin
    while position < archive.end:
        if time.monotonic() > deadline:
            raise OutOfTime
        piece = os.pread(descriptor, min(_PIECE, archive.end - position), position)
        if not piece:
            raise Damaged("became shorter while it was read")
        yield piece
        position += len(piece)


def _gzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in packed:
        rest = piece
        while rest and not unpacker.eof:
            try:
                yield unpacker.decompress(rest, _PIECE)
            except zlib.error:
                raise _broken("gzip") from None
            rest = unpacker.unconsumed_tail


def _by_library(compression: str, packed: Iterator[bytes]) -> Iterator[bytes]:
    unpacker: Any
    if compression == "bzip2":
        unpacker = bz2.BZ2Decompressor()
    else:
        form = lzma.FORMAT_XZ if compression == "xz" else lzma.FORMAT_ALONE
        unpacker = lzma.LZMADecompressor(form, memlimit=_MEMORY)
    for piece in packed:
        rest = piece
        while not unpacker.eof:
            try:
                found = unpacker.decompress(rest, _PIECE)
            except (OSError, lzma.LZMAError):
                raise _broken(compression) from None
            rest = b""
            yield found
            if unpacker.needs_input:
                break
    if not unpacker.eof:
        raise Damaged(f"is truncated: its {compression} stream goes on beyond the end of the file")


def _by_program(program: str, compression: str, packed: Iterator[bytes]) -> Iterator[bytes]:
    path = shutil.which(program)
    if path is None:
        raise NoProgram(program)
    # run_command would hold all that comes out, and it is the file that decides how much that is.
    with subprocess.Popen(  # pylint: disable=ansible-bad-function
        [path, "-dc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise NoProgram(program)
        feeder = _Feeder(process.stdin, packed)
        feeder.start()
        try:
            piece = process.stdout.read(_PIECE)
            while piece:
                yield piece
                piece = process.stdout.read(_PIECE)
            feeder.join()
            failed = process.wait() != 0
        finally:
            process.kill()  # also when nobody wants the rest
            feeder.join()
    if feeder.error:
        raise feeder.error
    if failed:
        raise _broken(compression)


class _Feeder(threading.Thread):
    """Writes what is packed to a program, which stops taking it until its output is read."""

    def __init__(self, stdin: IO[bytes], packed: Iterator[bytes]) -> None:
        super().__init__(daemon=True)
        self.error: Exception | None = None
        self._stdin = stdin
        self._packed = packed

    def run(self) -> None:
        """Write all of it, and close."""
        try:
            with self._stdin:
                for piece in self._packed:
                    self._stdin.write(piece)
        except BrokenPipeError:
            pass  # it has ended; its exit status says why
        except (OutOfTime, Damaged, OSError) as error:
            self.error = error


def _broken(compression: str) -> Damaged:
    return Damaged(f"is damaged: its {compression} stream cannot be unpacked")
