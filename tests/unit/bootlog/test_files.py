# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the boots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bootlog.files import LogFiles
from bootlog.line import Line

SIZE = 64 * 1024


def line(seq: int, text: str = "x" * 900, boot: int = 17) -> str:
    return Line(1.0 + seq, "udoo1", boot, "netconsole", 6, seq, seq / 10, None, 0, text).json()


def names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.jsonl"))


def seqs(path: Path) -> list[int]:
    return [json.loads(text)["seq"] for text in path.read_text(encoding="utf-8").splitlines()]


def test_each_boot_has_a_file(tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "log", SIZE, 4 * SIZE)
    files.append("udoo1", 17, [line(0), line(1)])
    files.append("pi1", 18, [line(0)])
    files.append("udoo1", 17, [line(2)])
    files.close()
    assert names(tmp_path / "log") == ["pi1/00000018.jsonl", "udoo1/00000017.jsonl"]
    assert seqs(tmp_path / "log/udoo1/00000017.jsonl") == [0, 1, 2]


def test_large_boot_goes_on_in_further_files_and_keeps_its_beginning(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, 4 * SIZE)
    for seq in range(1000):
        files.append("udoo1", 17, [line(seq)])
    files.close()
    parts = [path for path in tmp_path.glob("udoo1/*") if path.stat().st_size]
    assert len(parts) == 4
    assert sum(path.stat().st_size for path in parts) <= 4 * SIZE
    assert all(path.stat().st_size <= SIZE for path in parts)
    assert seqs(tmp_path / "udoo1/00000017.jsonl")[0] == 0
    last = f"udoo1/00000017.{files.parts('udoo1', 17)[-1]}.jsonl"
    assert seqs(tmp_path / last)[-1] == 999


def test_writing_goes_on_in_the_last_file_after_a_restart(tmp_path: Path) -> None:
    for seq in range(200):
        files = LogFiles(tmp_path, SIZE, 100 * SIZE)
        files.append("udoo1", 17, [line(seq)])
        files.close()
    written = [seq for part in files.parts("udoo1", 17) for seq in seqs(files._path("udoo1", 17, part))]
    assert written == list(range(200))


def test_no_more_files_are_open_than_allowed(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE, max_open=4)
    for number in range(40):
        files.append(f"host{number % 10}", 1 + number % 10, [line(number)])
        assert len(files._open) <= 4
    files.close()
    assert len(names(tmp_path)) == 10
    assert all(len(path.read_text().splitlines()) == 4 for path in tmp_path.rglob("*.jsonl"))


def test_torn_line_is_cut_off(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE)
    files.append("udoo1", 17, [line(0), line(1)[:-30]])
    files.close()
    assert [each.seq for each in files.recover("udoo1", 17)] == [0]
    files.append("udoo1", 17, [line(1)])
    files.close()
    assert seqs(tmp_path / "udoo1/00000017.jsonl") == [0, 1]


def test_recovery_reads_the_end_of_a_large_file(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, 100 * SIZE, 100 * SIZE)
    files.append("udoo1", 17, [line(seq) for seq in range(2000)])
    recovered = files.recover("udoo1", 17)
    assert 100 < len(recovered) < 2000
    assert recovered[-1].seq == 1999
    assert recovered[-1].uptime == 199.9


def test_file_with_something_else_in_it_is_recovered(tmp_path: Path) -> None:
    """Somebody has edited it."""
    files = LogFiles(tmp_path, SIZE, SIZE)
    files.append("udoo1", 17, [line(0), "nonsense\n", "[]\n", '{"time": 1}\n', line(1)])
    assert [each.seq for each in files.recover("udoo1", 17)] == [0, 1]


def test_uptimes_of_the_first_messages(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE)
    tricky = '"seq": 99, "uptime": 1.000000, '
    files.append("udoo1", 17, [line(0), line(1, tricky)])
    assert files.uptimes("udoo1", 17) == {0: 0.0, 1: 0.1}
    assert files.uptimes("udoo1", 18) == {}


def test_boot_is_forgotten_with_all_its_files(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, 4 * SIZE)
    for seq in range(200):
        files.append("udoo1", 17, [line(seq)])
    files.append("udoo1", 18, [line(0)])
    files.forget("udoo1", 17)
    assert names(tmp_path) == ["udoo1/00000018.jsonl"]
    files.forget("udoo1", 18)
    assert list(tmp_path.iterdir()) == []


def test_last_boot_is_known_by_the_files(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE)
    assert files.last_boot() == 0
    files.append("udoo1", 123456789, [line(0)])
    files.append("pi1", 7, [line(0)])
    assert files.last_boot() == 123456789


def test_unknown_senders_share_a_bounded_file(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE)
    for seq in range(1000):
        files.append_unknown([line(seq)], SIZE)
    assert names(tmp_path) == ["unknown.1.jsonl", "unknown.jsonl"]
    assert all(path.stat().st_size <= SIZE + 2000 for path in tmp_path.iterdir())


def test_full_disk_is_an_error_of_this_write_alone(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, SIZE, SIZE)
    (tmp_path / "udoo1").write_text("in the way")
    with pytest.raises(OSError, match="udoo1"):
        files.append("udoo1", 17, [line(0)])
    files.append("pi1", 18, [line(0)])
