# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of a boot log, as it is written to files and handed to the outputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NamedTuple, Protocol


class Line(NamedTuple):
    """A line of text with what is known about it. A tuple, because up to 50,000 are made in a second."""

    time: float  # when it was received, seconds since 1970
    host: str | None  # None: the sender is no known host
    boot: int | None  # number of the boot; None where there is no host
    source: str  # netconsole, firmware, dhcp, tftp or bootlog
    level: int | None  # 0 (emergency) to 7 (debug); None where the source has no levels
    seq: int | None  # the kernel's number of the message
    uptime: float | None  # seconds since the kernel began
    stage: str | None  # the stage that this line began
    lost: int  # messages missing before this one
    text: str  # no control characters
    sender: str | None = None  # address, only where host is None

    def json(self) -> str:
        """Return the JSON object of the files, with a line feed at the end and the keys in the documented order."""
        head = json_head(self.host, self.boot, self.source, self.sender)
        return json_line(head, self.time, self.level, self.seq, self.uptime, self.stage, self.lost, self.text)


def json_head(host: str | None, boot: int | None, source: str, sender: str | None = None) -> str:
    """Return what is the same in all lines of a boot from one source."""
    known = "null" if host is None else encode_basestring(host)
    unknown = "" if sender is None else f'"sender": {encode_basestring(sender)}, '
    number = "null" if boot is None else boot
    return f'"host": {known}, {unknown}"boot": {number}, "source": "{source}", "level": '


def json_line(  # noqa: PLR0913, PLR0917  # an object of these would take longer than the rest of it
    head: str,
    time: float,
    level: int | None,
    seq: int | None,
    uptime: float | None,
    stage: str | None,
    lost: int,
    text: str,
) -> str:
    """Return a line of a file. In few steps, because up to 50,000 are written in a second."""
    said = encode_basestring(text)
    if stage is None and not lost and level is not None and seq is not None and uptime is not None:  # most of them
        return f'{{"time": {time:.6f}, {head}{level}, "seq": {seq}, "uptime": {uptime:.6f}, "text": {said}}}\n'
    begun = "" if stage is None else f'"stage": "{stage}", '
    missing = f'"lost": {lost}, ' if lost else ""
    return (
        f'{{"time": {time:.6f}, {head}{_or_null(level)}, "seq": {_or_null(seq)}, "uptime": '
        f'{"null" if uptime is None else f"{uptime:.6f}"}, {begun}{missing}"text": {said}}}\n'
    )


def _or_null(value: int | None) -> int | str:
    return "null" if value is None else value


def parse_json(text: str | bytes) -> Line:
    """Return the line that ``Line.json`` wrote. Raises ValueError for anything else."""
    try:
        fields = json.loads(text)
        return Line(
            fields["time"],
            fields["host"],
            fields["boot"],
            fields["source"],
            fields["level"],
            fields["seq"],
            fields["uptime"],
            fields.get("stage"),
            fields.get("lost", 0),
            fields["text"],
            fields.get("sender"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of a boot log: {error!r}") from error


class Output(Protocol):
    """Where lines go besides the files. Called in the receiver's process and must never make it wait."""

    def send(self, lines: Sequence[Line]) -> None:
        """Take a batch of lines, in the order of their arrival; each host's lines are in the order they were said."""

    def counters(self) -> dict[str, int]:
        """Return how many lines went which way, by the names of the table of counters."""

    def close(self) -> None:
        """Hand over or keep safe what was taken; called once, at the end."""
