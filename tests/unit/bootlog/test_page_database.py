# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's database is read, whoever writes it at the time, and never written."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from bootlog.page import database
from bootlog.page.database import Database, DatabaseAway, Fleet

from tests.unit.bootlog.filled_store import Store, path_to

NOBODY = 65534


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for number, name in enumerate(("udoo10", "udoo2"), 1):
        store.host(name, number)
    return store


def fleet(reader: Database) -> Fleet:
    found = reader.read()
    assert found is not None
    return found


def test_hosts_are_sorted_as_people_count(store: Store) -> None:
    assert [host.name for host in fleet(Database(store.database)).hosts] == ["udoo2", "udoo10"]


def test_nothing_is_read_as_long_as_nothing_was_written(store: Store) -> None:
    reader = Database(store.database)
    fleet(reader)
    assert reader.read() is None
    store.say("udoo2", "hello", 5.0)
    assert fleet(reader).hosts[0].last == (5.0, 6, "hello")


def test_current_boot_follows_and_those_before_it_make_the_medians(store: Store) -> None:
    reader = Database(store.database)
    for began in (0.0, 1000.0):
        store.boot("udoo2", began, [("kernel", began), ("network", began + 4)])
    boot = store.boot("udoo2", 2000.0, [("kernel", 2000.0)])
    host = fleet(reader).hosts[0]
    assert host.boot and (host.boot.number, host.boot.stage) == (boot, "kernel")
    assert [earlier.began for earlier in host.earlier] == [1000.0, 0.0]
    assert host.medians == {"kernel": 4.0}
    store.reach(boot, "network", 2008.0)
    store.boot("udoo2", 3000.0, [("kernel", 3000.0)])
    host = fleet(reader).hosts[0]
    assert [earlier.stage for earlier in host.earlier] == ["network", "network", "network"]
    assert host.earlier[0].ended == 3000.0


def test_only_the_latest_boots_are_kept_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "EARLIER_BOOTS", 2)
    for began in range(0, 5000, 1000):
        store.boot("udoo2", float(began), path_to("ready", began))
    reader = Database(store.database)
    assert [boot.began for boot in fleet(reader).hosts[0].boots()] == [4000.0, 3000.0, 2000.0]
    assert len(reader.boots("udoo2")) == 5


def test_database_that_is_not_there_yet_is_read_when_it_comes(tmp_path: Path) -> None:
    reader = Database(tmp_path / "bootlog.sqlite")
    with pytest.raises(DatabaseAway, match="receiver makes it when it starts"):
        reader.read()
    Store(tmp_path).host("udoo1")
    assert [host.name for host in fleet(reader).hosts] == ["udoo1"]


def test_database_that_was_made_anew_is_read_anew(store: Store, tmp_path: Path) -> None:
    reader = Database(store.database)
    fleet(reader)
    store.connection.close()
    for file in tmp_path.glob("bootlog.sqlite*"):
        file.unlink()
    Store(tmp_path).host("other")
    assert [host.name for host in fleet(reader).hosts] == ["other"]


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bootlog.sqlite").write_text("no database" * 100, encoding="utf-8")
    with pytest.raises(DatabaseAway):
        Database(tmp_path / "bootlog.sqlite").read()


def test_reader_cannot_write(store: Store) -> None:
    reader = Database(store.database)
    fleet(reader)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._open().execute("DELETE FROM host")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("writer", ["writes", "is away"])
def test_user_who_may_only_read_the_directory_sees_everything(store: Store, tmp_path: Path, writer: str) -> None:
    """As the page's service, whose user cannot write what the receiver owns."""
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    if writer == "is away":
        store.connection.close()
    else:
        store.say("udoo2", "not merged yet", 5.0)
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            seen = fleet(Database(store.database)).hosts[0].last
            os._exit(0 if seen == (None if writer == "is away" else (5.0, 6, "not merged yet")) else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_receiver_that_comes_back_is_seen(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a user who may only read, and so cannot open the database as usual while there is no writer."""
    connect = Database._connect

    def refused(reader: Database, mode: str) -> sqlite3.Connection:
        if mode == "mode=ro" and not (tmp_path / "bootlog.sqlite-wal").exists():
            raise sqlite3.OperationalError("unable to open database file")
        return connect(reader, mode)

    monkeypatch.setattr(Database, "_connect", refused)
    reader = Database(store.database)
    store.connection.close()
    fleet(reader)
    again = Store.__new__(Store)
    again.connection = sqlite3.connect(tmp_path / "bootlog.sqlite", isolation_level=None)
    again.say("udoo2", "back", 9.0)
    assert fleet(reader).hosts[0].last == (9.0, 6, "back")
