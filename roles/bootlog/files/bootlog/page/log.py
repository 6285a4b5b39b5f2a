# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the log of one boot, newest lines first, without reading more of it than is shown."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 18
# A line is known by its file and its place in it, which stay when older files are deleted. JavaScript counts to 2^53.
_FILE = 1 << 40
_INFO = 6


@dataclass(frozen=True)
class Excerpt:
    """Lines in the order of the log, each with its ``line`` (position); ``more`` are before it, from ``before`` on."""

    lines: list[dict[str, Any]]
    more: bool
    before: int | None


@dataclass(frozen=True)
class Wanted:
    """Which lines: containing a text, of a syslog level or more severe, before or after a position."""

    search: str = ""
    level: int | None = None
    before: int | None = None
    after: int | None = None
    limit: int = 500

    def matches(self, line: dict[str, Any]) -> bool:
        """Whether a line is wanted. A line without a level, from firmware or DHCP, counts as information."""
        level = line.get("level")
        if self.level is not None and (level if isinstance(level, int) else _INFO) > self.level:
            return False
        return not self.search or self.search.casefold() in str(line.get("text", "")).casefold()


def read(directory: Path, boot: int, wanted: Wanted, seconds: float = 2.0) -> Excerpt:
    """The last ``limit`` wanted lines of a boot.

    After ``seconds`` the search ends, with what was found and where to go on. A file that is not there has no lines.
    """
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    position = None
    for number, path in reversed(_files(directory, boot)):
        start = number * _FILE
        if wanted.before is not None and start >= wanted.before:
            continue
        if wanted.after is not None and start + _FILE <= wanted.after:
            break
        end = wanted.before - start if wanted.before is not None and wanted.before < start + _FILE else None
        for offset, raw in _lines_backwards(path, end):
            position = start + offset
            if wanted.after is not None and position <= wanted.after:
                return Excerpt(found[::-1], False, None)
            line = _parsed(raw)
            if line is not None and wanted.matches(line):
                if len(found) == wanted.limit:
                    return Excerpt(found[::-1], True, found[-1]["line"])
                found.append({**line, "line": position})
            if time.monotonic() > deadline:
                return Excerpt(found[::-1], True, position)
    return Excerpt(found[::-1], False, None)


def _files(directory: Path, boot: int) -> list[tuple[int, Path]]:
    """The files of a boot by their number: NUMBER.jsonl is 0, NUMBER.1.jsonl is 1."""
    name = re.compile(rf"{boot:08d}(?:\.([0-9]{{1,6}}))?\.jsonl")
    try:
        entries = os.listdir(directory)  # noqa: PTH208  # names are all that is needed
    except OSError:
        return []
    matches = [match for match in map(name.fullmatch, entries) if match]
    return sorted((int(match.group(1) or 0), directory / match.group()) for match in matches)


def _lines_backwards(path: Path, end: int | None) -> Iterator[tuple[int, bytes]]:
    """(offset, line) from ``end`` to the beginning. A line that is still being written is left out."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError:
        return
    with file:
        size = file.seek(0, os.SEEK_END)
        at = size if end is None else min(end, size)
        rest = b""  # the end of a line that begins further left, with its newline
        while at:
            begin = max(at - _CHUNK, 0)
            file.seek(begin)
            block = file.read(at - begin) + rest
            at = begin
            first = block.find(b"\n") + 1 if at else 0
            rest = block[:first] if first <= LONGEST_LINE else b"\n"
            offset = at + block.rfind(b"\n") + 1
            for line in reversed(block[first:].split(b"\n")[:-1]):
                offset -= len(line) + 1
                yield offset, line


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
