# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an initramfs is complete is told without unpacking it, whatever the file holds."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import time
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_file import OutOfTime, initramfs_problem
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

CONTENT = hashlib.shake_256(b"busybox").digest(300_000)  # more than one block of any format
CPIO = newc([Entry("bin", 0o755), Entry("bin/busybox", 0o755, CONTENT)])
MICROCODE = newc([Entry("kernel", 0o755), Entry("kernel/x86/microcode.bin", 0o644, b"microcode")])


def _block(kind: int, size: int, data: bytes, last: bool) -> bytes:
    return (size << 3 | kind << 1 | last).to_bytes(3, "little") + data


def _zstd(descriptor: int, header: bytes = b"", checksum: bytes = b"", last: bytes = b"end") -> bytes:
    """A frame of stored blocks, for any of them as large as RFC 8878 allows, and of one byte, repeated."""
    raw = _block(0, 131072, CONTENT[:131072], False)
    frame = b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + header
    return frame + raw + _block(1, 5000, b"x", False) + _block(0, len(last), last, True) + checksum


# By what the frame header says of window, size of the content, dictionary and checksum.
FRAMES = {
    "window": _zstd(0, b"\x60"),
    "window and checksum": _zstd(0b0000_0100, b"\x60", b"abcd"),
    "one segment": _zstd(0b0010_0000, b"\x10"),
    "one segment, two bytes": _zstd(0b0110_0000, b"\x10\x10"),
    "four bytes": _zstd(0b1000_0000, b"\x60" + bytes(4)),
    "eight bytes, dictionary, checksum": _zstd(0b1100_0101, b"\x60" + bytes(1 + 8), b"abcd"),
}
# What zstd 1.5.4 makes of "diskless\n".
REAL = bytes.fromhex("28b52ffd0458490000") + b"diskless\n" + bytes.fromhex("942eaa24")


def _problem(path: Path, data: bytes, seconds: float = 5) -> str | None:
    path.write_bytes(data)
    with path.open("rb") as file:
        return initramfs_problem(file.fileno(), seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "initrd.img"


COMPLETE = {
    **{f"zstd, {name}": frame for name, frame in FRAMES.items()},
    "zstd of the program": REAL,
    "cpio": CPIO,
    "gzip": gzip.compress(CPIO),
    "xz": lzma.compress(CPIO, check=lzma.CHECK_CRC32),
}


@pytest.mark.parametrize("data", COMPLETE.values(), ids=COMPLETE)
@pytest.mark.parametrize("before", [b"", MICROCODE], ids=["alone", "after microcode"])
@pytest.mark.parametrize("after", [b"", bytes(1000)], ids=["exact", "padded"])
def test_complete_initramfs_has_no_problem(path: Path, data: bytes, before: bytes, after: bytes) -> None:
    assert _problem(path, before + data + after) is None


@pytest.mark.parametrize("lost", [1, 2, 100_000])
@pytest.mark.parametrize(
    ("data", "what"),
    [
        *((frame, "zstd frame") for frame in FRAMES.values()),
        (CPIO.rstrip(b"\0"), "cpio archive"),
        (gzip.compress(CPIO), "gzip stream"),
        (lzma.compress(CPIO), "xz stream"),
    ],
    ids=[*FRAMES, "cpio", "gzip", "xz"],
)
def test_truncated_initramfs_is_noticed(path: Path, data: bytes, what: str, lost: int) -> None:
    assert _problem(path, data[:-lost]) == f"is truncated: its {what} goes on beyond the end of the file"


def test_rest_of_a_file_whose_end_was_never_written_is_zeros(path: Path) -> None:
    frame = FRAMES["window"]
    assert _problem(path, frame[:-10] + bytes(5000)) is not None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (bytes(5000), "holds nothing but zeros"),
        (b"", "holds nothing but zeros"),
        (b"<html>", "is no initramfs: it begins with the bytes 3c 68 74 6d 6c 3e"),
        (MICROCODE + b"<html>", f"is damaged: at byte {len(MICROCODE)} an archive or the end is expected"),
        (MICROCODE[:120] + b"<html>" * 30, "is damaged: at byte 120 a member of the cpio archive is expected"),
        (b"\x28\xb5\x2f\xfd\x00\x60" + b"\x07" * 9, "is damaged: at byte 6 a block of the zstd frame is expected"),
        (gzip.compress(b"")[:10] + b"\xff" * 50, "is damaged: its gzip stream cannot be unpacked"),
        (b"070701" + b"F" * 104, "is truncated: its cpio archive goes on beyond the end of the file"),
    ],
    ids=["zeros", "empty", "other", "other after microcode", "cpio", "zstd", "gzip", "huge cpio"],
)
def test_what_is_no_initramfs_is_told(path: Path, data: bytes, problem: str) -> None:
    assert _problem(path, data) == problem


def test_nothing_is_said_of_formats_that_do_not_tell_their_length(path: Path) -> None:
    assert _problem(path, bz2.compress(CPIO)[:-100]) is None


def _sparse(path: Path) -> None:
    """A frame with blocks of no bytes, as many as fit into a file that is larger than anybody can read."""
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x60")
    os.truncate(path, 2**43)


def _hole(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**43)


@pytest.mark.parametrize("make", [_sparse, _hole])
def test_host_cannot_make_anybody_read_for_ever(path: Path, make: object) -> None:
    assert callable(make)
    make(path)
    began = time.monotonic()
    with path.open("rb") as file, pytest.raises(OutOfTime):
        initramfs_problem(file.fileno(), 0.2)
    assert time.monotonic() - began < 5
