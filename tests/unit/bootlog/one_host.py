# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's log without sockets, files or database, for tests of what its datagrams and events become."""

from __future__ import annotations

import json
from typing import Any

from bootlog.boots import Boot
from bootlog.dnsmasq import Event
from bootlog.hostlog import Batch, HostLog
from bootlog.hosts import Host

ID = "0f2d3c51-6a7b-4c8d-9e0f-112233445566"
OTHER_ID = "11111111-2222-3333-4444-555555555555"
NOW = 1_760_000_000.0


class OneHost:
    """The host udoo1, whose kernel began at NOW unless a time is given."""

    def __init__(self) -> None:
        self.batch = Batch(collect=True)
        self.boots: list[Boot] = []
        self.log = HostLog(Host("udoo1", "10.77.0.11", "52:54:00:77:00:0b"), self.batch, self, self.written)
        self._lines: list[dict[str, Any]] = []

    def begin_boot(self, host: str, time: float) -> Boot:
        """Stand for the store."""
        assert host == "udoo1"
        self.boots.append(Boot(len(self.boots) + 1, host, time))
        return self.boots[-1]

    def written(self, host: str, boot: int) -> dict[int, float]:
        """Stand for the files."""
        return {line["seq"]: line["uptime"] for line in self.lines if line["boot"] == boot and line["seq"] is not None}

    @property
    def boot(self) -> Boot:
        assert self.log.boot is not None
        return self.log.boot

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What is in the files."""
        self.log.flush()
        for host, boot, lines in self.batch.chunks:
            for line in map(json.loads, lines):
                assert (line["host"], line["boot"]) == (host, boot)
                self._lines.append(line)
        self.batch.chunks.clear()
        return self._lines

    @property
    def texts(self) -> list[str]:
        return [line["text"] for line in self.lines]

    @property
    def stages(self) -> list[str]:
        return [each.stage for each in self.boot.reached]

    def say(self, seq: int, uptime: float, text: str, level: int = 6, at: float | None = None) -> None:
        """Send a kernel message; at: when it arrives, if not at once."""
        datagram = f"{level},{seq},{uptime * 1e6:.0f},-;{text}\n".encode()
        self.log.receive(NOW + uptime if at is None else at, datagram)

    def mark(self, seq: int, uptime: float, text: str, boot_id: str = ID, at: float | None = None) -> None:
        """Send a stage marker."""
        stage, _blank, rest = text.partition(" ")
        self.say(seq, uptime, f"diskless: stage={stage} host=udoo1 boot={boot_id} {rest}", 13, at)

    def hear(self, kind: str, text: str = "", at: float = NOW - 10, **values: Any) -> None:
        """Hear of an event when it happens."""
        event = {"stage": None, "mac": "52:54:00:77:00:0b", "address": None, **values}
        self.log.hear(Event(at, kind, text=text or kind, **event), at + 0.1)

    def power_on(self, at: float = NOW - 10) -> None:
        """Ask for an address, get it, and fetch a file."""
        self.hear("dhcp", "DHCPDISCOVER(eth0) 52:54:00:77:00:0b", at, begins_boot=True)
        self.hear("dhcp", "DHCPOFFER(eth0) 10.77.0.11 52:54:00:77:00:0b", at + 1, stage="dhcp")
        self.hear("tftp", "sent /run/grub.pxe to 10.77.0.11", at + 2, stage="loader")
