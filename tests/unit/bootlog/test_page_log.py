# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a boot is read from its end, and no more of it than is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bootlog.page import log
from bootlog.page.log import Excerpt, Wanted, read

from tests.unit.bootlog.filled_store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def texts(excerpt: Excerpt) -> list[str]:
    return [line["text"] for line in excerpt.lines]


def lines(first: int, last: int, **more: Any) -> list[dict[str, Any]]:
    return [{"text": f"line {number}", **more} for number in range(first, last + 1)]


def directory(store: Store) -> Path:
    return store.logs / "udoo1"


@pytest.fixture(params=[64, 1 << 18], ids=["small blocks", "large blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are longer, or shorter, than what is read at once."""
    monkeypatch.setattr(log, "_CHUNK", request.param)


@pytest.mark.usefixtures("blocks")
def test_newest_lines_come_first_and_earlier_ones_follow_without_a_gap(store: Store) -> None:
    store.write("udoo1", 7, lines(1, 10))
    store.write("udoo1", 7, lines(11, 25), part=1)
    seen: list[str] = []
    wanted = Wanted(limit=4)
    while True:
        excerpt = read(directory(store), 7, wanted)
        seen = texts(excerpt) + seen
        if not excerpt.more:
            break
        wanted = Wanted(limit=4, before=excerpt.before)
    assert seen == [f"line {number}" for number in range(1, 26)]


@pytest.mark.usefixtures("blocks")
def test_what_is_new_comes_after_the_last_line_seen(store: Store) -> None:
    store.write("udoo1", 7, lines(1, 3))
    last = read(directory(store), 7, Wanted()).lines[-1]["line"]
    assert texts(read(directory(store), 7, Wanted(after=last))) == []
    store.write("udoo1", 7, lines(4, 5))
    store.write("udoo1", 7, lines(6, 6), part=1)
    assert texts(read(directory(store), 7, Wanted(after=last))) == ["line 4", "line 5", "line 6"]


def test_line_that_is_being_written_waits_until_it_is_whole(store: Store) -> None:
    path = store.write("udoo1", 7, lines(1, 2))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"text": "hal')
    assert texts(read(directory(store), 7, Wanted())) == ["line 1", "line 2"]


def test_positions_stay_when_older_files_are_deleted(store: Store) -> None:
    old = store.write("udoo1", 7, lines(1, 3), part=1)
    store.write("udoo1", 7, lines(4, 6), part=2)
    before = read(directory(store), 7, Wanted(limit=2)).before
    old.unlink()
    assert texts(read(directory(store), 7, Wanted(before=before))) == ["line 4"]


def test_search_knows_no_case_and_takes_text_literally(store: Store) -> None:
    store.write("udoo1", 7, [{"text": "rbd: Map (FAILED)"}, {"text": "rbd: map of äöü"}, {"text": "else"}])
    assert texts(read(directory(store), 7, Wanted(search="map (f"))) == ["rbd: Map (FAILED)"]
    assert texts(read(directory(store), 7, Wanted(search="ÄÖÜ"))) == ["rbd: map of äöü"]


def test_level_counts_lines_without_one_as_information(store: Store) -> None:
    store.write("udoo1", 7, [{"level": level, "text": f"level {level}"} for level in (3, 4, 6, 7, None)])
    assert texts(read(directory(store), 7, Wanted(level=4))) == ["level 3", "level 4"]
    assert texts(read(directory(store), 7, Wanted(level=6))) == ["level 3", "level 4", "level 6", "level None"]


def test_other_boots_and_planted_links_are_not_read(store: Store, tmp_path: Path) -> None:
    store.write("udoo1", 17, lines(1, 1))
    secret = tmp_path / "secret"
    secret.write_text('{"text": "secret"}\n', encoding="utf-8")
    (directory(store) / "00000007.jsonl").symlink_to(secret)
    assert read(directory(store), 7, Wanted()) == Excerpt([], False, None)


def test_boot_without_a_file_has_no_lines(tmp_path: Path) -> None:
    assert read(tmp_path / "nobody", 7, Wanted()) == Excerpt([], False, None)


@pytest.mark.usefixtures("blocks")
def test_what_is_no_line_of_a_log_is_passed_over(store: Store) -> None:
    path = store.write("udoo1", 7, lines(1, 1))
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n[1]\n\n" + b"[" * 100000 + b"\nnull\n")
    store.write("udoo1", 7, lines(2, 2))
    assert texts(read(directory(store), 7, Wanted())) == ["line 1", "line 2"]


def test_line_that_never_ends_costs_no_more_than_the_longest_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_CHUNK", 64)
    monkeypatch.setattr(log, "LONGEST_LINE", 256)
    store.write("udoo1", 7, [{"text": "first"}, {"text": "x" * 5000}, {"text": "last"}])
    assert texts(read(directory(store), 7, Wanted())) == ["first", "last"]


def test_search_that_takes_long_ends_and_says_where_to_go_on(store: Store) -> None:
    store.write("udoo1", 7, lines(1, 50))
    excerpt = read(directory(store), 7, Wanted(search="line 1"), seconds=0.0)
    assert excerpt.lines == []
    assert excerpt.more
    assert texts(read(directory(store), 7, Wanted(before=excerpt.before)))[-1] == "line 49"
