# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that came in fragments, put together again.

Memory: at most ``MAX_MESSAGES`` messages of ``netconsole.MAX_TOTAL`` bytes per sender, which is 32 KiB. A kernel sends
the fragments of a message one after the other, so even two of them are rare.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .netconsole import MAX_TOTAL, Fragment, Message, message

MAX_MESSAGES = 2
SECONDS = 1.0  # to wait for the rest of a message


@dataclass
class _Incomplete:
    first: Fragment
    since: float
    parts: dict[int, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, fragment: Fragment) -> None:
        # Parts that overlap are no kernel's; they may use up the room of this one message.
        if fragment.offset not in self.parts and self.size + len(fragment.body) <= MAX_TOTAL:
            self.parts[fragment.offset] = fragment.body
            self.size += len(fragment.body)

    def has(self, fragment: Fragment) -> bool:
        """Tell whether it is a part of this message, and not of another with the same number."""
        return (self.first.total, self.first.uptime) == (fragment.total, fragment.uptime)

    @property
    def complete(self) -> bool:
        return self.size >= self.first.total

    def message(self) -> Message:
        """Return the message, with a note where a part of it is missing."""
        body = b""
        end = 0
        for offset in sorted(self.parts):
            if offset > end:
                body += b"[%d bytes lost]" % (offset - end)
            elif offset < end:
                continue
            body += self.parts[offset]
            end = offset + len(self.parts[offset])
        if end < self.first.total:
            body += b"[%d bytes lost]" % (self.first.total - end)
        first = self.first
        return message(first.level, first.seq, first.uptime, first.release, body)


class Reassembly:
    """The incomplete messages of one sender."""

    def __init__(self) -> None:
        """Begin with none."""
        self._incomplete: dict[int, _Incomplete] = {}

    def add(self, fragment: Fragment, time: float) -> list[Message]:
        """Take a fragment; return the messages that are complete now, or will not be waited for any longer."""
        done = []
        incomplete = self._incomplete.get(fragment.seq)
        # A kernel that began anew numbers from 0 again; and no two fragments of a message disagree in its length.
        if incomplete is not None and not incomplete.has(fragment):
            done.append(self._incomplete.pop(fragment.seq).message())
            incomplete = None
        if incomplete is None:
            if len(self._incomplete) >= MAX_MESSAGES:
                oldest = next(iter(self._incomplete))
                done.append(self._incomplete.pop(oldest).message())
            incomplete = self._incomplete[fragment.seq] = _Incomplete(fragment, time)
        incomplete.add(fragment)
        if incomplete.complete:
            done.append(self._incomplete.pop(fragment.seq).message())
        return done

    def expire(self, time: float) -> list[Message]:
        """Return the messages whose rest has not come in time, with what there is of them."""
        late = [seq for seq, incomplete in self._incomplete.items() if time - incomplete.since >= SECONDS]
        return [self._incomplete.pop(seq).message() for seq in late]

    def __bool__(self) -> bool:
        """Tell whether anything is incomplete."""
        return bool(self._incomplete)
