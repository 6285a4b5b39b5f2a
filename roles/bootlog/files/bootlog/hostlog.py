# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of one host: its datagrams and events become lines of its boots.

Memory per host: what ``order`` and ``reassembly`` hold (about 500 KiB and 32 KiB at most, nothing when all is well),
the stages of its boot, and the lines that the next flush writes, which the receiver bounds for all hosts together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from .boots import DRIFT, PREFIXES, WARNING, Boot, Trouble
from .dnsmasq import Event
from .hosts import Host
from .line import Line, json_head, json_line
from .netconsole import Fragment, Message, parse
from .order import Order, Ordered
from .reassembly import Reassembly
from .stages import ORDER, parse_marker

REPLAY = 3600.0  # seconds: how old an event may be that the boot server sends after an interruption
RUNNING = 600.0  # uptime in seconds from which a host that is heard for the first time is taken to have booted long ago
MOST_LOST = 1_000_000  # messages in a row; a sender that lies must not spoil the sums
_FIRMWARE_BEGINS = ("RPi: BOOTLOADER", "RPi: BOOTSYS")  # first line of a Raspberry Pi's bootloader, after the seconds
_GRAVITY = {"dhcp": 1, "tftp": 1}


Written = Callable[[str, int], Mapping[int, float]]  # host, boot -> seq -> uptime of the first messages in its file


class Boots(Protocol):
    """Where boots get their numbers."""

    def begin_boot(self, host: str, time: float) -> Boot:
        """Return a new boot of the host, and end the one before."""


@dataclass
class Batch:
    """What the hosts have said since the last flush."""

    collect: bool = False  # whether ``lines`` are wanted, because there are outputs
    lines: list[Line] = field(default_factory=list)
    chunks: list[tuple[str, int, list[str]]] = field(default_factory=list)  # host, boot, lines for its file
    spoke: list[HostLog] = field(default_factory=list)  # hosts with lines that are not in chunks yet
    changed: set[HostLog] = field(default_factory=set)  # hosts whose state the store does not have yet
    ended: list[Boot] = field(default_factory=list)  # boots whose last state the store does not have yet
    held: set[HostLog] = field(default_factory=set)  # hosts of which messages are held


class HostLog:
    """One known host. Times are those of receiving, in seconds since 1970."""

    def __init__(
        self,
        host: Host,
        batch: Batch,
        boots: Boots,
        written: Written,
    ) -> None:
        """Begin without a boot."""
        self.host = host
        self.boot: Boot | None = None
        self.received = 0  # datagrams, since the host is known
        self.lost = 0  # messages
        self._batch = batch
        self._boots = boots
        self._written = written
        self.order = Order(self._uptimes)
        self._reassembly = Reassembly()
        self._pending: list[str] = []
        self._head = ""
        self.last: tuple[float, int | None, str] | None = None  # time, level and text of the last line

    def restore(self, boot: Boot | None, received: int, lost: int, last: tuple[float, int | None, str] | None) -> None:
        """Go on where a former process has ended."""
        self.boot, self.received, self.lost, self.last = boot, received, lost, last
        if boot is None:
            return
        self._head = json_head(self.host.name, boot.number, "netconsole")
        self.order.boot_id = boot.boot_id
        self.order.expected = None if boot.last_seq is None else boot.last_seq + 1

    # Datagrams

    def receive(self, time: float, datagram: bytes) -> None:
        """Take one datagram."""
        self.received += 1
        message = parse(datagram)
        if isinstance(message, Fragment):
            for complete in self._reassembly.add(message, time):
                self._sort(time, complete)
            self._note_held()
            return
        order = self.order
        if message.seq is not None and message.seq == order.expected and not order.held:
            order.expected += 1
            order.last_time = time
            self._accept(time, message)
        else:
            self._sort(time, message)

    def expire(self, time: float) -> bool:
        """Go on without what has not come in time; return whether anything is still held."""
        for message in self._reassembly.expire(time):
            self._sort(time, message)
        for ordered in self.order.expire(time):
            self._take(ordered)
        return self._holds

    def finish(self) -> None:
        """Take all that is held."""
        for message in self._reassembly.expire(inf):
            self._sort(self.order.last_time, message)
        for ordered in self.order.finish():
            self._take(ordered)

    @property
    def _holds(self) -> bool:
        return self.order.busy or bool(self._reassembly)

    def _note_held(self) -> None:
        if self._holds:
            self._batch.held.add(self)

    def _sort(self, time: float, message: Message) -> None:
        if message.seq is None:
            self._accept_plain(time, message)
            return
        for ordered in self.order.add(time, message):
            self._take(ordered)
        self._note_held()

    def _take(self, ordered: Ordered) -> None:
        if ordered.anew:
            self._begin(ordered.time)
        if ordered.lost:
            self._note_loss(ordered.time, ordered.lost)
        self._accept(ordered.time, ordered.message)

    def _note_loss(self, time: float, lost: int) -> None:
        boot = self.boot or self._begin(time)
        lost = min(lost, MOST_LOST)
        boot.lost += lost
        self.lost += lost
        text = f"{lost} messages missing: lost on the way, or below the host's console log level"
        self.write(time, "bootlog", text, lost=lost)

    def _accept_plain(self, time: float, message: Message) -> None:
        """Take a message without a number: of a plain target, or of firmware."""
        boot = self.boot
        if message.uptime is None and message.level is None:
            begins = message.text.lstrip(" .0123456789").startswith(_FIRMWARE_BEGINS)
            if boot is None or (begins and boot.past_loader):
                boot = self._power_on(time)
            if not boot.past_loader:
                if not boot.reached:
                    boot.reach("dhcp", time, None, message.text)
                for part in message.text.split("\n"):
                    self.write(time, "firmware", part)
                return
        elif boot is not None and boot.past_loader and message.text.startswith("Linux version "):
            self._begin(time)
        self._accept(time, message)

    def _accept(self, time: float, message: Message) -> None:
        """Take a message whose turn it is."""
        boot = self.boot
        level, seq, uptime, text = message[:4]
        if (
            boot is None
            or time - (1 - DRIFT) * (uptime or 0.0) < boot.horizon
            or level is None
            or level <= WARNING
            or text.startswith(PREFIXES)
            or "\n" in text
        ):
            self._consider(time, message)
            return
        boot.lines += 1
        boot.last_seq = seq
        self.last = (time, level, text)
        pending = self._pending
        if not pending:
            self._batch.spoke.append(self)
        pending.append(json_line(self._head, time, level, seq, uptime, None, 0, text))
        if self._batch.collect:
            self._batch.lines.append(
                Line(time, self.host.name, boot.number, "netconsole", level, seq, uptime, None, 0, text)
            )

    def _consider(self, time: float, message: Message) -> None:
        """Take a message that may say something about the boot."""
        boot = self.boot
        if boot is None:
            boot = self._begin(time)
            if message.uptime is not None and message.uptime >= RUNNING:
                boot.reach("ready", time, message.uptime, message.text)
                text = "heard for the first time, long after its start: taken to be ready"
                self.write(time, "bootlog", text, "ready")
        boot = self._boot_of(boot, time, message.text)
        seq, uptime = message.seq, message.uptime
        began = None
        if boot.heard is None and (seq is not None or uptime is not None):
            boot.heard = time
            boot.first_seq = seq
            if not boot.reached or ORDER[boot.stage] < ORDER["kernel"]:
                began = "kernel"
                boot.reach(began, time, uptime, message.text)
        if uptime is not None and time - (1 - DRIFT) * uptime < boot.horizon:
            boot.hear_clock(time, uptime)
        if boot.release is None:
            boot.release = message.release or message.fields.get("release")
        if seq is not None:
            boot.last_seq = seq
        for part in message.text.split("\n"):
            began = boot.observe(time, message, part) or began
            self._write(time, "netconsole", message.level, seq, uptime, began, 0, part)
            began = None
        self.order.boot_id = boot.boot_id
        self._batch.changed.add(self)

    def _boot_of(self, boot: Boot, time: float, text: str) -> Boot:
        """Return the boot that a line belongs to: a marker with another boot id shows that another has begun."""
        if boot.boot_id is None or not text.startswith(PREFIXES):
            return boot
        marker = parse_marker(text)
        return boot if marker is None or marker.boot_id in (None, boot.boot_id) else self._begin(time)

    # Events

    def hear(self, event: Event, received: float) -> None:
        """Take what the boot server says about this host."""
        boot = self.boot
        time = event.time if received - REPLAY < event.time < received else received
        if boot is None:
            if event.stage is None and event.trouble is None and not event.begins_boot:
                return  # a running host renews its lease: nothing is known of its boot
            boot = self._begin(time)
        elif event.begins_boot and boot.heard is not None and time > boot.heard:
            boot = self._power_on(time)
        stage = "dhcp" if event.begins_boot else event.stage
        began = None
        if not boot.past_loader:
            if stage in ("dhcp", "loader") and (not boot.reached or ORDER[stage] > ORDER[boot.stage]):
                began = stage
                boot.reach(stage, time, None, event.text)
            if event.begins_boot:  # firmware starts over: what was in its way may be gone
                boot.trouble = None
            if event.trouble is not None:
                attempted = "dhcp" if event.kind == "dhcp" else "loader"
                boot.hinder(Trouble(attempted, event.trouble, event.text, _GRAVITY[event.kind]))
        self.write(received, event.kind, event.text, began)

    # Boots and lines

    def _power_on(self, time: float) -> Boot:
        """Begin a boot before its kernel is heard: whatever number its first message has, it is expected."""
        for ordered in self.order.finish():
            self._take(ordered)
        self.order.begin()
        return self._begin(time)

    def _begin(self, time: float) -> Boot:
        self.flush()
        if self.boot is not None:
            self._batch.ended.append(self.boot)
        self.boot = self._boots.begin_boot(self.host.name, time)
        self._head = json_head(self.host.name, self.boot.number, "netconsole")
        self._batch.changed.add(self)
        return self.boot

    def write(self, time: float, source: str, text: str, stage: str | None = None, lost: int = 0) -> None:
        """Write a line that no kernel has said."""
        self._write(time, source, None, None, None, stage, lost, text)

    def _write(  # noqa: PLR0913, PLR0917  # all that a line is made of
        self,
        time: float,
        source: str,
        level: int | None,
        seq: int | None,
        uptime: float | None,
        stage: str | None,
        lost: int,
        text: str,
    ) -> None:
        boot = self.boot or self._begin(time)
        line = Line(time, self.host.name, boot.number, source, level, seq, uptime, stage, lost, text)
        boot.lines += 1
        self.last = (time, level, text)
        if not self._pending:
            self._batch.spoke.append(self)
        self._pending.append(line.json())
        self._batch.changed.add(self)
        if self._batch.collect:
            self._batch.lines.append(line)

    def flush(self) -> None:
        """Hand the lines over to be written."""
        if self._pending and self.boot is not None:
            self._batch.chunks.append((self.host.name, self.boot.number, self._pending))
            self._batch.changed.add(self)
            self._pending = []

    def _uptimes(self) -> Mapping[int, float]:
        if self.boot is None:
            return {}
        self.flush()
        return self._written(self.host.name, self.boot.number)
