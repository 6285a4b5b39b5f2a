# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the receiver's SQLite file, and never writes to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .host import Boot, Host, Trouble, medians, natural

# What the overview shows and medians are made of, for each host.
EARLIER_BOOTS = 20
_BOOT = """boot.number, boot.boot_id, boot.release, boot.began, boot.ended, boot.stage, boot.since, boot.lines,
    boot.lost, boot.trouble_stage, boot.trouble_reason, boot.trouble_text"""


class DatabaseAway(Exception):
    """The file cannot be read: not made yet, or not by this user."""


@dataclass(frozen=True)
class Stranger:
    """A sender that is no known host."""

    address: str
    first: float
    last: float
    datagrams: int
    last_text: str


@dataclass(frozen=True)
class Fleet:
    """Everything that the pages show, as of one moment. Hosts are sorted by name."""

    hosts: tuple[Host, ...]
    strangers: tuple[Stranger, ...]
    counters: dict[str, int]


class Database:
    """The file, opened when first needed. Belongs to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._lasting = False  # whether the connection sees what the receiver writes later
        self._seen: tuple[int, int] | None = None
        self._earlier: dict[str, tuple[int, tuple[Boot, ...], dict[str, float]]] = {}

    def read(self) -> Fleet | None:
        """The fleet, or None when nothing was written since the last call. Raises DatabaseAway."""
        try:
            connection = self._open()
            seen = (self.path.stat().st_ino, connection.execute("PRAGMA data_version").fetchone()[0])
            if self._lasting and seen == self._seen:
                return None
            connection.execute("BEGIN")
            try:
                fleet = self._fleet(connection)
            finally:
                connection.rollback()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise DatabaseAway(f"{self.path} cannot be read ({error}); the receiver makes it when it starts") from error
        self._seen = seen
        if not self._lasting:
            self.close()
        return fleet

    def boots(self, host: str) -> tuple[Boot, ...]:
        """All boots of a host, latest first. Raises DatabaseAway."""
        try:
            connection = self._open()
            rows = connection.execute(f"SELECT {_BOOT} FROM boot WHERE host = ? ORDER BY number DESC", (host,))  # noqa: S608
            boots = self._with_stages(connection, rows.fetchall())
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise DatabaseAway(f"{self.path} cannot be read ({error})") from error
        if not self._lasting:
            self.close()
        return boots

    def close(self) -> None:
        """Let go of the file."""
        if self._connection:
            self._connection.close()
        self._connection = None
        self._seen = None

    def _open(self) -> sqlite3.Connection:
        if self._connection:
            if self._seen is None or self.path.stat().st_ino == self._seen[0]:
                return self._connection
            self.close()
            self._earlier.clear()
        try:
            self._connection = self._connect("mode=ro")
            self._lasting = True
        except sqlite3.OperationalError:
            # Whoever may not write cannot open a file in WAL mode unless a writer has it open
            # (https://www.sqlite.org/wal.html#read_only_databases). Without a writer nothing changes under us.
            if not self.path.exists() or self.path.with_name(self.path.name + "-wal").exists():
                raise
            self._connection = self._connect("immutable=1")
            self._lasting = False
        return self._connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?{mode}", uri=True, timeout=2, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT count(*) FROM host")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _fleet(self, connection: sqlite3.Connection) -> Fleet:
        rows = connection.execute(
            "SELECT name, address, mac, board, boot, last_time, last_level, last_text, received, lost FROM host"
        ).fetchall()
        current = connection.execute(f"SELECT {_BOOT} FROM host JOIN boot ON boot.number = host.boot").fetchall()  # noqa: S608
        stages: dict[int, list[tuple[str, float]]] = {}
        for number, stage, time in connection.execute(
            "SELECT stage.boot, stage.stage, stage.time FROM host JOIN stage ON stage.boot = host.boot"
            " ORDER BY stage.rowid"
        ):
            stages.setdefault(number, []).append((stage, time))
        boots = {row[0]: _boot(row, stages.get(row[0], ())) for row in current}
        hosts = []
        for name, address, mac, board, number, time, level, text, received, lost in rows:
            earlier, lasted = self._before(connection, name, number)
            last = None if time is None else (time, level, text or "")
            boot = boots.get(number)
            hosts.append(Host(name, address, mac, board, last, received, lost, boot, earlier, lasted))
        self._earlier = {host.name: self._earlier[host.name] for host in hosts}
        strangers = connection.execute(
            "SELECT address, first, last, datagrams, coalesce(last_text, '') FROM unknown_sender"
            " ORDER BY last DESC LIMIT 50"
        )
        return Fleet(
            tuple(sorted(hosts, key=lambda host: natural(host.name))),
            tuple(Stranger(*row) for row in strangers.fetchall()),
            dict(connection.execute("SELECT name, value FROM counter")),
        )

    def _before(
        self, connection: sqlite3.Connection, name: str, current: int | None
    ) -> tuple[tuple[Boot, ...], dict[str, float]]:
        """The boots before the current one, which change no more: read once."""
        key = current or 0
        if name not in self._earlier or self._earlier[name][0] != key:
            rows = connection.execute(
                f"SELECT {_BOOT} FROM boot WHERE host = ? AND number < ? ORDER BY number DESC LIMIT ?",  # noqa: S608
                (name, key, EARLIER_BOOTS),
            ).fetchall()
            earlier = self._with_stages(connection, rows)
            self._earlier[name] = (key, earlier, medians(earlier))
        return self._earlier[name][1:]

    def _with_stages(self, connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> tuple[Boot, ...]:
        query = "SELECT stage, time FROM stage WHERE boot = ? ORDER BY rowid"
        return tuple(_boot(row, connection.execute(query, (row[0],)).fetchall()) for row in rows)


def _boot(row: tuple[Any, ...], stages: Iterable[tuple[str, float]]) -> Boot:
    number, boot_id, release, began, ended, stage, since, lines, lost, trouble_stage, reason, text = row
    trouble = None if trouble_stage is None else Trouble(trouble_stage, reason or "", text or "")
    return Boot(number, boot_id, release, began, ended, stage, since, lines, lost, trouble, tuple(stages))
