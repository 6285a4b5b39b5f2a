# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boots, in SQLite: what the page shows, and where the receiver goes on after a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .boots import Boot, Reached, Trouble
from .hostlog import HostLog
from .hosts import Host

_SCHEMA = Path(__file__).with_name("schema.sql")


@dataclass(frozen=True)
class Kept:
    """What was known about a host when the store was written last."""

    boot: Boot | None
    received: int
    lost: int
    last: tuple[float, int | None, str] | None  # time, level and text of the last line


@dataclass
class Sender:
    """A sender that is no known host."""

    first: float
    last: float
    datagrams: int
    last_text: str


class Store:
    """The database. Only one process writes it."""

    def __init__(self, path: Path) -> None:
        """Open the database, and make it if there is none. Raises sqlite3.Error and OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        # The page reads while we write. A commit need not reach the disk at once: the files tell as much.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA.read_text(encoding="utf-8"))
        self._saved: list[Boot] = []  # whose stages are in the transaction

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._db.close()

    def commit(self) -> None:
        """Make visible what was written."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        for boot in self._saved:
            boot.stages_changed = False
        self._saved.clear()

    def _write(self) -> sqlite3.Connection:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        return self._db

    # Hosts and boots

    def set_hosts(self, hosts: Iterable[Host]) -> None:
        """Have exactly these hosts. Boots of others stay until they are old."""
        db = self._write()
        known = {name for (name,) in db.execute("SELECT name FROM host")}
        for host in hosts:
            db.execute(
                "INSERT INTO host (name, address, mac, board) VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT (name) DO UPDATE SET address = ?2, mac = ?3, board = ?4",
                (host.name, host.address, host.mac, host.board),
            )
            # A host that was away for a while goes on with its last boot.
            db.execute(
                "UPDATE host SET boot = (SELECT max(number) FROM boot WHERE host = ?1)"
                " WHERE name = ?1 AND boot IS NULL",
                (host.name,),
            )
            known.discard(host.name)
        db.executemany("DELETE FROM host WHERE name = ?", [(name,) for name in known])
        self.commit()

    def number_after(self, number: int) -> None:
        """Give new boots larger numbers than this one."""
        db = self._write()
        if db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'boot'").fetchone() is None:
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('boot', 0)")
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'boot'", (number,))
        self.commit()

    def begin_boot(self, host: str, time: float) -> Boot:
        """Return a new boot of the host, and end the one before. Its number is not used before ``commit``."""
        db = self._write()
        db.execute("UPDATE boot SET ended = ?1 WHERE host = ?2 AND ended IS NULL", (time, host))
        number = db.execute(
            "INSERT INTO boot (host, began, stage, since) VALUES (?1, ?2, 'dhcp', ?2)", (host, time)
        ).lastrowid
        db.execute("UPDATE host SET boot = ?1 WHERE name = ?2", (number, host))
        return Boot(number or 0, host, time)

    def save(self, logs: Iterable[HostLog], ended: Iterable[Boot] = ()) -> None:
        """Write the state of hosts and their current boots, and of boots that have ended."""
        hosts, states, renewed, stages = [], [], [], []
        boots = list(ended)
        for log in logs:
            time, level, text = log.last or (None, None, None)
            number = None if log.boot is None else log.boot.number
            hosts.append((number, time, level, text, log.received, log.lost, log.host.name))
            if log.boot is not None:
                boots.append(log.boot)
        for boot in boots:
            if boot.stages_changed:
                boot.since = boot.began
                self._saved.append(boot)
                renewed.append((boot.number,))
                for each, reached_at in zip(boot.reached, boot.stage_times(), strict=True):
                    stages.append((boot.number, each.stage, reached_at, each.text))
                    boot.since = reached_at
            trouble = boot.trouble or (None, None, None, None)
            states.append(
                (
                    *(boot.number, boot.host, boot.boot_id, boot.release, boot.began, boot.stage, boot.since),
                    *(boot.lines, boot.lost, *trouble[:3], boot.first_seq, boot.last_seq),
                )
            )
        db = self._write()
        db.executemany(
            "UPDATE host SET boot = ?, last_time = ?, last_level = ?, last_text = ?, received = ?, lost = ?"
            " WHERE name = ?",
            hosts,
        )
        # A transaction with a new boot may have failed for want of room.
        db.executemany(
            "INSERT INTO boot (number, host, boot_id, release, began, stage, since, lines, lost, trouble_stage,"
            " trouble_reason, trouble_text, first_seq, last_seq)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            " ON CONFLICT (number) DO UPDATE SET boot_id = ?3, release = ?4, began = ?5, stage = ?6, since = ?7,"
            " lines = ?8, lost = ?9, trouble_stage = ?10, trouble_reason = ?11, trouble_text = ?12, first_seq = ?13,"
            " last_seq = ?14",
            states,
        )
        db.executemany("DELETE FROM stage WHERE boot = ?", renewed)
        db.executemany("INSERT INTO stage (boot, stage, time, text) VALUES (?, ?, ?, ?)", stages)

    def load(self, host: str) -> Kept:
        """Return what was kept of a host."""
        row = self._db.execute(
            "SELECT boot, received, lost, last_time, last_level, last_text FROM host WHERE name = ?", (host,)
        ).fetchone()
        if row is None:
            return Kept(None, 0, 0, None)
        number, received, lost, *last = row
        return Kept(self._load_boot(number), received, lost, None if last[0] is None else (last[0], last[1], last[2]))

    def _load_boot(self, number: int | None) -> Boot | None:
        row = self._db.execute(
            "SELECT host, began, boot_id, release, lines, lost, first_seq, last_seq, trouble_stage, trouble_reason,"
            " trouble_text FROM boot WHERE number = ?",
            (number,),
        ).fetchone()
        if number is None or row is None:
            return None
        host, began, boot_id, release, lines, lost, first_seq, last_seq, *trouble = row
        boot = Boot(number, host, began, boot_id, release)
        boot.lines, boot.lost, boot.first_seq, boot.last_seq = lines, lost, first_seq, last_seq
        for stage, time, text in self._db.execute(
            "SELECT stage, time, text FROM stage WHERE boot = ? ORDER BY rowid", (number,)
        ):
            boot.reached.append(Reached(stage, time, None, text))
            if stage not in ("dhcp", "loader") and boot.heard is None:
                boot.heard = time
        if trouble[0] is not None:
            boot.trouble = Trouble(trouble[0], trouble[1], trouble[2], 0)
        boot.since = boot.reached[-1].time if boot.reached else began
        boot.stages_changed = False
        return boot

    # What is old

    def old_boots(self, keep: int, before: float) -> list[tuple[int, str]]:
        """Return number and host of boots that are not kept: all but the last of each host, and those before a time.

        The current boot of a host is always kept.
        """
        rows = self._db.execute(
            "SELECT number, host FROM (SELECT number, host, coalesce(ended, began) AS time,"
            " row_number() OVER (PARTITION BY host ORDER BY number DESC) AS age FROM boot)"
            " WHERE (age > ? OR time < ?) AND number NOT IN (SELECT boot FROM host WHERE boot IS NOT NULL)",
            (keep, before),
        )
        return list(rows)

    def forget(self, boots: Iterable[int]) -> None:
        """Delete boots."""
        numbers = [(number,) for number in boots]
        db = self._write()
        db.executemany("DELETE FROM stage WHERE boot = ?", numbers)
        db.executemany("DELETE FROM boot WHERE number = ?", numbers)

    # Senders and counters

    def load_senders(self) -> dict[str, Sender]:
        """Return the senders that are no known host."""
        rows = self._db.execute("SELECT address, first, last, datagrams, last_text FROM unknown_sender ORDER BY last")
        return {address: Sender(*rest) for address, *rest in rows}

    def save_senders(self, senders: Mapping[str, Sender]) -> None:
        """Have exactly these senders."""
        db = self._write()
        db.execute("DELETE FROM unknown_sender")
        db.executemany(
            "INSERT INTO unknown_sender (address, first, last, datagrams, last_text) VALUES (?, ?, ?, ?, ?)",
            [(address, each.first, each.last, each.datagrams, each.last_text) for address, each in senders.items()],
        )

    def load_counters(self) -> dict[str, int]:
        """Return all counters."""
        return dict(self._db.execute("SELECT name, value FROM counter"))

    def save_counters(self, counters: Mapping[str, int]) -> None:
        """Write counters."""
        self._write().executemany(
            "INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            list(counters.items()),
        )
