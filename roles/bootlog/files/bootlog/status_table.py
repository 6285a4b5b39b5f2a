# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each host stands, as lines for a terminal. No I/O."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .page.duration import duration
from .page.host import STATES
from .text import shown

# Select Graphic Rendition (ECMA-48): bold and the eight colours that every terminal has.
_COLOURS = {"failed": "1;31", "late": "1;33", "booting": "1;34", "silent": "35", "down": "2", "ready": "32"}
_NARROWEST_TEXT = 20
_GAP = "  "


def overview(hosts: Sequence[Mapping[str, Any]], now: float, width: int, colour: bool) -> list[str]:
    """A line for each host, headed, and a line that sums up. ``hosts`` are those of ``/api/hosts``."""
    if not hosts:
        return ["The boot log knows no hosts yet."]
    head = ("HOST", "STATE", "STAGE", "FOR", "USUALLY", "TROUBLE OR LAST LINE")
    rows = [_row(host, now) for host in hosts]
    lines = _table([head, *rows], width, colour)
    counted = Counter(host["state"] for host in hosts)
    sums = ", ".join(f"{counted[state]} {state}" for state in STATES if counted[state])
    return [*lines, "", f"{len(hosts)} host{'s' if len(hosts) != 1 else ''}: {sums}"]


def one_host(host: Mapping[str, Any], now: float, width: int, colour: bool) -> list[str]:
    """A host and its boots, the latest first. ``host`` is that of ``/api/hosts/NAME``."""
    lines = _table([_row(host, now)], width, colour)
    if host["trouble"]:
        lines += ["", *wrapped(_trouble(host), width)]
    rows = [("BOOT", "BEGAN", "STATE", "KERNEL", "LOST", "STAGES")]
    for boot in host["boots"]:
        steps = ((step["stage"], step["seconds"]) for step in boot["stages"])
        stages = " ".join(stage if seconds is None else f"{stage}={duration(seconds)}" for stage, seconds in steps)
        state = boot["trouble"]["reason"] or "failed" if boot["trouble"] else boot["stage"]
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(boot["began"]))
        rows.append((str(boot["number"]), began, state, boot["release"] or "", str(boot["lost"] or ""), stages))
    return [*lines, "", *_table(rows, width, colour=False)] if len(rows) > 1 else lines


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most this many columns."""
    lines = []
    rest = safe(text)
    while columns(rest) > width:
        line = _cut(rest, width, mark="")
        lines.append(line)
        rest = rest[len(line) :]
    return [*lines, rest]


def safe(text: str) -> str:
    """Text that does nothing to a terminal."""
    return text if text.isprintable() else shown(text).replace("\n", r"\x0a")


def columns(text: str) -> int:
    """How many columns of a terminal a text takes (Unicode Standard Annex 11)."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _row(host: Mapping[str, Any], now: float) -> tuple[str, ...]:
    age = "" if host["since"] is None else duration(now - host["since"])
    last = host["last"]["text"] if host["last"] else ""
    said = _trouble(host) if host["trouble"] else last
    return (host["name"], host["state"], host["stage"] or "", age, duration(host["median_seconds"]), said)


def _trouble(host: Mapping[str, Any]) -> str:
    trouble = host["trouble"]
    return f"{trouble['stage']}: {trouble['reason']} {trouble['text']}"


def _table(rows: Sequence[Sequence[str]], width: int, colour: bool) -> list[str]:
    """Rows with columns as wide as they must be; the last takes what is left and is cut."""
    rows = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)][:-1]
    left = max(width - sum(widths) - len(_GAP) * len(widths), _NARROWEST_TEXT)
    return [_line(row, widths, left, colour) for row in rows]


def _line(row: Iterable[str], widths: Sequence[int], left: int, colour: bool) -> str:
    *cells, last = row
    padded = [cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True)]
    if colour and cells[1] in _COLOURS:
        padded[1] = f"\x1b[{_COLOURS[cells[1]]}m{padded[1]}\x1b[0m"
    return (_GAP.join(padded) + _GAP + _cut(last, left)).rstrip()


def _cut(text: str, width: int, mark: str = "…") -> str:
    if columns(text) <= width:
        return text
    room = width - columns(mark)
    taken = 0
    for place, character in enumerate(text):
        taken += _columns(character)
        if taken > room:
            return text[: max(place, 1)] + mark
    return text
