# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue on disk keeps order and limit, and outlives its process."""

from __future__ import annotations

from pathlib import Path

import pytest
from bootlog.disk_buffer import DiskBuffer


def contents(buffer: DiskBuffer) -> list[bytes]:
    """Take everything out."""
    found = []
    while taken := buffer.take():
        found.append(taken[1])
        buffer.remove(taken[0])
    return found


def test_first_in_first_out_across_a_restart(tmp_path: Path) -> None:
    first = DiskBuffer(tmp_path / "made", 1000)
    for number in range(12):
        first.append(b"%d" % number, 1)
    second = DiskBuffer(tmp_path / "made", 1000)
    assert second.size == first.size == 14
    second.append(b"12", 1)
    assert contents(second) == [b"%d" % number for number in range(13)]
    assert second.size == 0
    assert list((tmp_path / "made").iterdir()) == []


def test_limit_drops_the_oldest_but_not_what_is_being_sent(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 30)
    buffer.append(b"a" * 10, 1)
    taken = buffer.take()
    assert taken
    for content, lines in ((b"b", 20), (b"c", 300), (b"d", 4000)):
        buffer.append(content * 10, lines)
    assert buffer.size == 30
    assert buffer.dropped == 20
    buffer.remove(taken[0])
    assert contents(buffer) == [b"c" * 10, b"d" * 10]


def test_limit_that_a_single_chunk_exceeds(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 30)
    buffer.append(b"x" * 31, 7)
    assert (buffer.size, buffer.dropped, buffer.take()) == (0, 7, None)


def test_limit_that_was_lowered_holds_after_the_next_chunk(tmp_path: Path) -> None:
    before = DiskBuffer(tmp_path, 1000)
    for _dummy in range(10):
        before.append(b"x" * 10, 1)
    after = DiskBuffer(tmp_path, 50)
    after.append(b"x" * 10, 1)
    assert after.size == 50
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 50


def test_half_a_file_and_foreign_files_are_no_chunks(tmp_path: Path) -> None:
    (tmp_path / "000000000003-5.part").write_bytes(b"half")
    (tmp_path / "notes.chunk").write_bytes(b"notes")
    buffer = DiskBuffer(tmp_path, 1000)
    assert buffer.take() is None
    assert [path.name for path in tmp_path.iterdir()] == ["notes.chunk"]


def test_file_that_somebody_has_deleted(tmp_path: Path) -> None:
    buffer = DiskBuffer(tmp_path, 1000)
    buffer.append(b"a", 3)
    buffer.append(b"b", 1)
    next(tmp_path.glob("*-3.chunk")).unlink()
    assert contents(buffer) == [b"b"]
    assert (buffer.size, buffer.dropped) == (0, 3)


def test_what_cannot_be_written_is_not_in_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = DiskBuffer(tmp_path, 1000)
    with monkeypatch.context() as patch:

        def full(self: Path, _content: bytes) -> None:
            self.touch()
            raise OSError(28, "No space left on device")

        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            buffer.append(b"a", 1)
    assert list(tmp_path.iterdir()) == []
    buffer.append(b"b", 1)
    assert contents(buffer) == [b"b"]
