# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver would have written: a database and logs, with a fleet in every state, for tests of who reads it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bootlog

SCHEMA = Path(bootlog.__file__).with_name("schema.sql")
# Seconds in each stage of a boot without trouble.
USUAL = {"dhcp": 0.4, "loader": 6.2, "kernel": 2.1, "network": 1.3, "map": 0.9, "root": 1.6, "userspace": 9.5}
PATH = (*USUAL, "ready")


class Store:
    """The receiver's files below a directory. The connection stays open, as the receiver's does."""

    def __init__(self, directory: Path) -> None:
        self.database = directory / "bootlog.sqlite"
        self.logs = directory / "log"
        self.connection = sqlite3.connect(self.database, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.executescript(SCHEMA.read_text(encoding="utf-8"))

    def host(self, name: str, number: int = 1, **columns: Any) -> None:
        """A host that was never heard of, unless columns say otherwise."""
        row = {
            "name": name,
            "address": f"10.77.{number // 250}.{number % 250 + 1}",
            "mac": f"52:54:00:77:{number // 256:02x}:{number % 256:02x}",
            "board": "udoo_x86",
            "received": 0,
            "lost": 0,
            **columns,
        }
        self._insert("host", row)

    def boot(self, host: str, began: float, stages: Sequence[tuple[str, float]], **columns: Any) -> int:
        """A boot with its (stage, time) pairs, which becomes the host's current one. Returns its number."""
        stage, since = stages[-1]
        number = self._insert("boot", {"host": host, "began": began, "stage": stage, "since": since, **columns})
        for name, time in stages:
            self._insert("stage", {"boot": number, "stage": name, "time": time, "text": f"diskless: stage={name}"})
        self.connection.execute(
            "UPDATE boot SET ended = ? WHERE host = ? AND ended IS NULL AND number < ?", (began, host, number)
        )
        self.connection.execute("UPDATE host SET boot = ? WHERE name = ?", (number, host))
        return number

    def reach(self, boot: int, stage: str, time: float) -> None:
        """The boot reaches a stage, and is out of trouble."""
        self._insert("stage", {"boot": boot, "stage": stage, "time": time, "text": f"diskless: stage={stage}"})
        self.connection.execute(
            "UPDATE boot SET stage = ?, since = ?, trouble_stage = NULL, trouble_reason = NULL, trouble_text = NULL "
            "WHERE number = ?",
            (stage, time, boot),
        )

    def say(self, host: str, text: str, time: float, level: int | None = 6) -> None:
        """The host's last line."""
        self.connection.execute(
            "UPDATE host SET last_time = ?, last_level = ?, last_text = ?, received = received + 1 WHERE name = ?",
            (time, level, text, host),
        )

    def count(self, **counters: int) -> None:
        """The receiver's counters."""
        for name, value in counters.items():
            self.connection.execute("INSERT OR REPLACE INTO counter (name, value) VALUES (?, ?)", (name, value))

    def write(self, host: str, boot: int, lines: Iterable[dict[str, Any]], part: int = 0) -> Path:
        """Append lines to the log of a boot. Returns the file."""
        path = self.logs / host / f"{boot:08d}{f'.{part}' if part else ''}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for number, line in enumerate(lines):
                file.write(json.dumps({**log_line(host, boot, number), **line}, ensure_ascii=False) + "\n")
        return path

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        places = ", ".join("?" for dummy in row)
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608  # names of this file
        return self.connection.execute(sql, list(row.values())).lastrowid or 0


def log_line(host: str, boot: int, number: int) -> dict[str, Any]:
    """A line as the receiver writes it."""
    return {
        "time": 1760000000.0 + number / 10,
        "host": host,
        "boot": boot,
        "source": "netconsole",
        "level": 6,
        "seq": number,
        "uptime": number / 10,
        "text": f"line {number}",
    }


def path_to(stage: str, began: float, factor: float = 1.0) -> list[tuple[str, float]]:
    """(stage, time) pairs of a usual boot up to a stage."""
    time = began
    reached = []
    for name in PATH[: PATH.index(stage) + 1]:
        reached.append((name, round(time, 3)))
        time += USUAL.get(name, 0.0) * factor
    return reached
