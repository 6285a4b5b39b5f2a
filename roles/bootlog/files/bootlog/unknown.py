# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders that are no known host: counted, a few of their lines kept, and nothing they say believed.

Memory: ``MAX_SENDERS`` addresses with the last text of each, and the lines of one flush, which ``rate_per_second``
bounds.
"""

from __future__ import annotations

from .hosts import source_text
from .line import Line
from .netconsole import Fragment, parse
from .store import Sender
from .text import decode

MAX_SENDERS = 256
MAX_TEXT = 512  # characters of a line that are kept


class UnknownSenders:
    """All of them together."""

    def __init__(self, rate_per_second: int, senders: dict[str, Sender]) -> None:
        """Go on with the senders that the store has kept."""
        self.senders = senders
        self.lines: list[Line] = []
        self._rate = rate_per_second
        self._tokens = float(rate_per_second)
        self._refilled = 0.0

    def receive(self, time: float, source: bytes, datagram: bytes) -> None:
        """Take one datagram."""
        if not self._admitted(time):
            return
        address = source_text(source)
        message = parse(datagram)
        if isinstance(message, Fragment):
            self._add(time, address, message.level, decode(message.body))
        else:
            self._add(time, address, message.level, message.text)

    def hear(self, time: float, source: str, address: str, text: str) -> None:
        """Take what a boot server says about a machine that is no known host."""
        if self._admitted(time):
            self._add(time, address, None, text, source)

    def _admitted(self, time: float) -> bool:
        passed = time - self._refilled
        if passed > 0:
            self._tokens = min(float(self._rate), self._tokens + passed * self._rate)
            self._refilled = time
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _add(self, time: float, address: str, level: int | None, text: str, source: str = "netconsole") -> None:
        text = text.replace("\n", " ")[:MAX_TEXT]
        sender = self.senders.pop(address, None) or Sender(time, time, 0, text)
        while len(self.senders) >= MAX_SENDERS:
            del self.senders[next(iter(self.senders))]
        self.senders[address] = sender
        sender.last, sender.last_text = time, text
        sender.datagrams += 1
        self.lines.append(Line(time, None, None, source, level, None, None, None, 0, text, address))
