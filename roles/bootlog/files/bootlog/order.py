# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of one kernel in order: late ones put in their place, repeated ones dropped, missing ones counted.

A message with a number below the expected one is in doubt. Either it is a repetition, because the kernel says
everything again whenever a netconsole target is made by module parameter, or a kernel has begun anew. Numbers and
texts are the same in both cases, but in a repetition message N carries the time it carried before. So messages in
doubt are held until one of them tells, or until there was none for ``DOUBT_SECONDS``. If all there is agrees with what
was heard before, it is taken for a repetition; a message with another time, later on, still shows that it is none.

Memory per host: ``WINDOW`` + ``DOUBTED`` messages with ``MAX_HELD`` characters of text together, about 400 KiB, and for
some seconds after a doubt the numbers and times of what was written, about 100 KiB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .netconsole import Message
from .stages import MARK, parse_marker

WINDOW = 32  # messages that are held because one before them is missing
WINDOW_SECONDS = 0.25
DOUBTED = 512  # messages in doubt that are held
DOUBT_SECONDS = 1.5
MAX_HELD = 128 * 1024  # characters of text that are held
COMPARED = 8  # so many messages must be in doubt before they are compared with what was written
REMEMBERED_SECONDS = 5.0  # that what was written is remembered: reading it again for each doubt would cost too much
EARLY = 60.0  # a kernel that has begun anew has no larger uptime in its first messages, where nothing else tells
CLOCK_ERROR = 2.0  # seconds

Uptimes = Mapping[int, float]  # seq -> uptime of the first messages of the current boot


class Ordered(NamedTuple):
    """A message whose turn it is."""

    time: float
    message: Message
    lost: int  # messages that are missing before it
    anew: bool  # it is the first of a kernel that has begun anew


class Order:
    """The messages of one sender, one after the other."""

    def __init__(self, known: Callable[[], Uptimes]) -> None:
        """Begin with nothing held.

        known: returns the uptimes of messages of the current boot, from what was written; called only in doubt.
        """
        self.expected: int | None = None  # number of the next message; None when any will do
        self.last_time = 0.0  # when the last message came
        self.boot_id: str | None = None  # of the current boot
        self.held = False  # whether a message has to come by here; otherwise the expected one may pass by
        self.repeated = 0  # messages that were dropped
        self._known = known
        self._uptimes: Uptimes | None = None  # what known returned, for a while
        self._read = 0.0  # when that was
        self._covered = 0  # number of the message that was expected then
        self._waiting: dict[int, tuple[float, Message]] = {}
        self._doubtful: list[tuple[float, Message]] = []
        self._since = 0.0
        self._size = 0
        self._repetition: int | None = None  # last number of the repetition that is going on

    def add(self, time: float, message: Message) -> list[Ordered]:
        """Take a message with a number; return those whose turn it is now."""
        seq = message.seq
        if seq is None:
            return [Ordered(time, message, 0, False)]
        expected = self.expected
        if expected is not None and seq < expected:
            return self._doubt(time, message, seq)
        done = self._decide() if self._doubtful else []
        if done and seq < (self.expected or 0):
            return done + self._doubt(time, message, seq)
        self._repetition = None
        if self.expected is None or seq == self.expected:
            self._pass(time, message, seq)
            done.append(Ordered(time, message, 0, False))
            return done + self._follow()
        if seq in self._waiting:
            self.repeated += 1
            return done
        self._hold(time, message)
        self._waiting[seq] = (time, message)
        if len(self._waiting) > WINDOW or self._size > MAX_HELD:
            done += self._skip()
        return done

    def expire(self, time: float) -> list[Ordered]:
        """Return what has been held for long enough."""
        if time - self._read >= REMEMBERED_SECONDS and not self._doubtful:
            self._uptimes = None
        if self._doubtful and time - self._since >= DOUBT_SECONDS:
            return self._decide()
        if self._waiting and time - self._since >= WINDOW_SECONDS:
            return self._skip()
        return []

    @property
    def busy(self) -> bool:
        """Tell whether ``expire`` has to be called."""
        return self.held or self._uptimes is not None

    def finish(self) -> list[Ordered]:
        """Return all that is held."""
        done = self._decide() if self._doubtful else []
        while self._waiting:
            done += self._skip()
        return done

    def begin(self) -> None:
        """Expect the messages of another kernel. What was held must have been taken by ``finish``."""
        self.expected = None
        self.boot_id = None
        self._uptimes = None
        self._repetition = None
        self._released()

    # Missing messages

    def _pass(self, time: float, message: Message, seq: int) -> None:
        self.expected = seq + 1
        self.last_time = time

    def _hold(self, time: float, message: Message) -> None:
        if not self._waiting and not self._doubtful:
            self._since = time
        self.held = True
        self._size += len(message.text)

    def _released(self) -> None:
        self.held = bool(self._waiting or self._doubtful or self._repetition is not None)
        self._size = sum(len(message.text) for dummy, message in [*self._waiting.values(), *self._doubtful])

    def _follow(self) -> list[Ordered]:
        done = []
        while self.expected in self._waiting:
            time, message = self._waiting.pop(self.expected)
            self._pass(time, message, self.expected)
            done.append(Ordered(time, message, 0, False))
        if self.held:
            self._released()
        return done

    def _skip(self) -> list[Ordered]:
        """Give up waiting for what is missing before the first message that is held."""
        first = min(self._waiting)
        time, message = self._waiting.pop(first)
        lost = first - (self.expected or 0)
        self._pass(time, message, first)
        self._since = time
        return [Ordered(time, message, lost, False), *self._follow()]

    # Messages in doubt

    def _doubt(self, time: float, message: Message, seq: int) -> list[Ordered]:
        if self._repetition is not None and seq > self._repetition and not self._anew(time, message):
            self._repetition = seq
            self.repeated += 1
            return []
        self._repetition = None
        self._hold(time, message)
        self._since = time
        self._doubtful.append((time, message))
        anew = self._anew(time, message)
        if anew is not None:
            return self._end_doubt(anew)
        return self._decide() if len(self._doubtful) >= DOUBTED or self._size > MAX_HELD else []

    def _anew(self, time: float, message: Message) -> bool | None:
        """Tell whether this message alone shows that a kernel has begun anew; None when it does not tell."""
        uptime = message.uptime
        if uptime is None or message.seq is None:
            return None
        # The kernel that says this began no later than that, so it is the one that was heard last.
        if time - uptime < self.last_time - CLOCK_ERROR:
            return False
        if message.text.startswith(MARK) and self.boot_id is not None:
            marker = parse_marker(message.text)
            if marker is not None and marker.boot_id is not None:
                return marker.boot_id != self.boot_id
        if len(self._doubtful) >= COMPARED and not self._remembers(message.seq):
            self._remember(time)
            if any(self._compare(earlier) for _time, earlier in self._doubtful):
                return True
        return self._compare(message)

    def _compare(self, message: Message) -> bool | None:
        if self._uptimes is None or message.seq is None:
            return None
        before = self._uptimes.get(message.seq)
        # The first messages of a kernel all carry 0, and where the clock ticks coarsely, others may agree by accident.
        if before is None or before == message.uptime:
            return None
        return True

    def _decide(self) -> list[Ordered]:
        """End the doubt, by the best evidence there is."""
        return self._end_doubt(self._judge())

    def _end_doubt(self, anew: bool) -> list[Ordered]:
        doubtful = self._doubtful
        self._doubtful = []
        if not anew:
            self.repeated += len(doubtful)
            self._repetition = doubtful[-1][1].seq
            self._released()
            return []
        done = [Ordered(time, message, lost, False) for time, message, lost in self._rest()]
        self.begin()
        for time, message in doubtful:
            seq = message.seq or 0
            lost = 0 if self.expected is None else seq - self.expected
            if lost < 0:
                self.repeated += 1
                continue
            done.append(Ordered(time, message, lost, self.expected is None))
            self._pass(time, message, seq)
        self._released()
        return done

    def _rest(self) -> list[tuple[float, Message, int]]:
        """Take what was waiting for messages of the kernel that is no more."""
        rest = []
        for seq in sorted(self._waiting):
            rest.append((*self._waiting[seq], seq - (self.expected or 0)))
            self.expected = seq + 1
        self._waiting = {}
        return rest

    def _remembers(self, seq: int) -> bool:
        return self._uptimes is not None and seq < self._covered

    def _remember(self, time: float) -> None:
        self._uptimes = self._known()
        self._read = time
        self._covered = self.expected or 0

    def _judge(self) -> bool:
        agreed = False
        if not all(self._remembers(message.seq or 0) for _time, message in self._doubtful):
            self._remember(self._doubtful[-1][0])
        uptimes = self._uptimes or {}
        for time, message in self._doubtful:
            anew = self._anew(time, message)
            if anew is not None:
                return anew
            agreed = agreed or uptimes.get(message.seq or 0) == message.uptime
        first = self._doubtful[0][1]
        return not agreed and (first.uptime or 0.0) < EARLY
