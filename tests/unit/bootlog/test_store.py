# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: what the page sees, and where a restart goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from bootlog.files import LogFiles
from bootlog.hostlog import Batch, HostLog
from bootlog.hosts import Host
from bootlog.restore import restore
from bootlog.store import Sender, Store

from tests.unit.bootlog.one_host import ID, NOW

UDOO = Host("udoo1", "10.77.0.11", "52:54:00:77:00:0b", None, "udoo_x86")
PI = Host("pi1", "10.77.0.12")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path / "bootlog.sqlite")
    opened.set_hosts([UDOO, PI])
    return opened


def rows(store: Store, query: str) -> list[dict[str, Any]]:
    """What another connection sees."""
    path = store._db.execute("PRAGMA database_list").fetchone()[2]
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    reader.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in reader.execute(query)]
    finally:
        reader.close()


def log_of(store: Store, files: LogFiles | None = None) -> HostLog:
    def written(host: str, boot: int) -> dict[int, float]:
        return files.uptimes(host, boot) if files else {}

    return HostLog(UDOO, Batch(), store, written)


def some_boot(log: HostLog) -> None:
    for seq, text in enumerate(
        ["Linux version 6.1.0", f"diskless: stage=network host=udoo1 boot={ID} dev=eth0", "retry"], start=5
    ):
        log.receive(NOW + seq, f"13,{seq},{seq}000000,-;{text}\n".encode())
    log.receive(NOW + 8, b'12,8,8000000,-;diskless: retry step=map attempt=1 wait=2 error="why" reason=auth\n')


def test_page_sees_a_boot(store: Store) -> None:
    log = log_of(store)
    some_boot(log)
    store.save([log])
    store.commit()
    (boot,) = rows(store, "SELECT * FROM boot")
    assert (boot["host"], boot["boot_id"], boot["stage"], boot["ended"]) == ("udoo1", ID, "network", None)
    assert (boot["trouble_stage"], boot["trouble_reason"], boot["trouble_text"]) == ("map", "auth", "why")
    assert (boot["lines"], boot["first_seq"], boot["last_seq"], boot["since"]) == (4, 5, 8, NOW + 6)
    assert [row["stage"] for row in rows(store, "SELECT * FROM stage WHERE boot = 1 ORDER BY time")] == [
        *("kernel", "network"),
    ]
    host = rows(store, "SELECT * FROM host WHERE name = 'udoo1'")[0]
    assert (host["boot"], host["last_level"], host["received"]) == (1, 4, 4)
    assert host["last_text"].startswith("diskless: retry")


def test_nothing_is_seen_before_the_commit(store: Store) -> None:
    store.begin_boot("udoo1", NOW)
    assert rows(store, "SELECT * FROM boot") == []
    store.commit()
    assert len(rows(store, "SELECT * FROM boot")) == 1


def test_boot_ends_when_the_next_begins(store: Store) -> None:
    for time in (NOW, NOW + 100):
        store.begin_boot("udoo1", time)
    store.begin_boot("pi1", NOW + 50)
    store.commit()
    assert [(row["host"], row["ended"]) for row in rows(store, "SELECT * FROM boot ORDER BY number")] == [
        *(("udoo1", NOW + 100), ("udoo1", None), ("pi1", None)),
    ]


def test_boot_that_has_ended_is_saved_as_it_was_at_its_end(store: Store) -> None:
    """A host that panics and is up again within the second between two saves."""
    log = log_of(store)
    some_boot(log)
    log.receive(NOW + 9, b"[    0.000000] Linux version 6.1.0\n")
    store.save([log], log._batch.ended)
    store.commit()
    boots = rows(store, "SELECT boot_id, stage, trouble_reason, lines FROM boot ORDER BY number")
    assert [tuple(boot.values()) for boot in boots] == [(ID, "network", "auth", 4), (None, "kernel", None, 1)]


def test_restart_goes_on_where_the_store_was_saved(store: Store, tmp_path: Path) -> None:
    log = log_of(store)
    some_boot(log)
    store.save([log])
    store.close()
    again = Store(tmp_path / "bootlog.sqlite")
    again.set_hosts([UDOO, PI])
    kept = again.load("udoo1")
    assert kept.boot is not None
    assert log.boot is not None
    assert (kept.received, kept.last) == (4, log.last)
    assert [each.stage for each in kept.boot.reached] == ["kernel", "network"]
    assert (kept.boot.lines, kept.boot.last_seq, kept.boot.trouble and kept.boot.trouble[:3]) == (
        *(4, 8, ("map", "auth", "why")),
    )


def test_what_the_store_has_missed_is_read_from_the_file(store: Store, tmp_path: Path) -> None:
    """The store is written once a second, the files more often; this is a kill in between."""
    files = LogFiles(tmp_path / "log", 10**6, 10**7)
    log = log_of(store, files)
    some_boot(log)
    store.save([log])
    store.commit()
    log.receive(NOW + 9, f"13,9,9000000,-;diskless: stage=map host=udoo1 boot={ID} dev=rbd0\n".encode())
    log.receive(NOW + 10, b"0,10,10000000,-;Kernel panic - not syncing: x\n")
    log.receive(NOW + 11, b"6,12,11000000,-;after a gap\n")
    log.finish()
    log.flush()
    for host, boot, lines in log._batch.chunks:
        files.append(host, boot, lines)
    kept, last_time = restore(store, files, "udoo1")
    assert kept.boot is not None
    assert [each.stage for each in kept.boot.reached] == ["kernel", "network", "map"]
    assert kept.boot.trouble is not None
    assert kept.boot.trouble[:2] == ("root", "panic")
    assert (kept.boot.last_seq, kept.boot.lost, kept.boot.lines, kept.lost) == (12, 1, 8, 1)
    assert (kept.last, last_time) == ((NOW + 11, 6, "after a gap"), NOW + 11)


def test_host_that_is_away_is_gone_and_its_boots_stay(store: Store) -> None:
    store.begin_boot("udoo1", NOW)
    store.set_hosts([PI])
    assert [row["name"] for row in rows(store, "SELECT name FROM host")] == ["pi1"]
    assert len(rows(store, "SELECT * FROM boot")) == 1
    store.set_hosts([UDOO])
    kept = store.load("udoo1")
    assert kept.boot is not None
    assert kept.boot.number == 1


def test_old_boots_are_told_and_the_current_one_never(store: Store) -> None:
    for hour in range(6):
        store.begin_boot("udoo1", NOW + hour * 3600)
    store.begin_boot("pi1", NOW)
    store.commit()
    assert sorted(number for number, _host in store.old_boots(3, NOW - 1)) == [1, 2, 3]
    assert sorted(number for number, _host in store.old_boots(100, NOW + 2 * 3600 + 1)) == [1, 2]
    assert sorted(number for number, _host in store.old_boots(1, NOW + 10**6)) == [1, 2, 3, 4, 5]
    store.forget([1, 2])
    store.commit()
    assert [row["number"] for row in rows(store, "SELECT number FROM boot ORDER BY number")] == [3, 4, 5, 6, 7]


def test_numbers_are_not_used_again(store: Store, tmp_path: Path) -> None:
    """Not after boots were deleted, and not when the database is new and files of the old one are there."""
    for _each in range(3):
        last = store.begin_boot("udoo1", NOW)
    store.forget([1, 2, 3])
    store.commit()
    assert store.begin_boot("udoo1", NOW).number == last.number + 1
    new = Store(tmp_path / "new.sqlite")
    new.number_after(41)
    assert new.begin_boot("udoo1", NOW).number == 42
    new.commit()
    new.number_after(7)
    assert new.begin_boot("udoo1", NOW).number == 43


def test_senders_and_counters_are_kept(store: Store) -> None:
    store.save_senders({"10.9.9.9": Sender(1.0, 2.0, 3, "who")})
    store.save_counters({"datagrams": 5})
    store.save_counters({"datagrams": 7, "lost": 1})
    store.commit()
    assert store.load_senders() == {"10.9.9.9": Sender(1.0, 2.0, 3, "who")}
    assert store.load_counters() == {"datagrams": 7, "lost": 1}


def test_text_may_be_anything_that_is_printable(store: Store) -> None:
    log = log_of(store)
    text = "'); DROP TABLE boot; -- \\ \" ü"
    log.receive(NOW, f"6,1,0,-;{text}".encode())
    store.save([log])
    store.commit()
    assert rows(store, "SELECT last_text FROM host WHERE name = 'udoo1'")[0]["last_text"] == text


def test_stage_times_are_written_again_when_the_clock_is_known_better(store: Store) -> None:
    log = log_of(store)
    log.receive(NOW + 5, b"5,0,0,-;Linux version 6.1.0\n")
    store.save([log])
    log.receive(NOW + 5, b"6,1,5000000,-;network is up\n")
    store.save([log])
    store.commit()
    assert [row["time"] for row in rows(store, "SELECT time FROM stage")] == [NOW]
    assert rows(store, "SELECT began, since FROM boot") == [{"began": NOW, "since": NOW}]


def test_what_could_not_be_committed_is_written_with_the_next(store: Store) -> None:
    """The disk was full: the transaction with the new boot in it is gone."""
    log = log_of(store)
    some_boot(log)
    store.save([log])
    store._db.execute("ROLLBACK")
    store.save([log])
    store.commit()
    assert [row["stage"] for row in rows(store, "SELECT stage FROM stage")] == ["kernel", "network"]
    assert rows(store, "SELECT boot FROM host WHERE name = 'udoo1'") == [{"boot": 1}]
    assert rows(store, "SELECT host, lines FROM boot") == [{"host": "udoo1", "lines": 4}]


def test_boot_without_a_stage_can_be_saved(store: Store) -> None:
    log = log_of(store)
    log.boot = store.begin_boot("udoo1", NOW)
    store.save([log])
    store.commit()
    assert rows(store, "SELECT stage, since FROM boot") == [{"stage": "dhcp", "since": NOW}]
