# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The string that the module netconsole takes: which targets the kernel is to have, and how to read it back. No I/O.

``[+][r][source port]@[source address]/[device],[port]@address/[MAC]``, several of them separated by semicolons
(https://docs.kernel.org/networking/netconsole.html).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Iterable

# The kernel's buffer has 256 bytes.
LONGEST = 255
HIGHEST_PORT = 65535
MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
DEVICE = re.compile(r"[^\s/,;@:]{1,15}")
_PARAMETER = re.compile(
    r"(?P<extended>\+?)(?P<release>r?)(?P<local_port>\d*)@(?P<local_address>[^/]*)/(?P<device>[^,]*),"
    r"(?P<remote_port>\d*)@(?P<remote_address>[^/]+)/(?P<remote_mac>[^/]*)"
)


@dataclass(frozen=True)
class Destination:
    """Where messages go, from where, and in which format. None stands for the kernel's default.

    remote_mac: of the target or of the next router; by default ff:ff:ff:ff:ff:ff, which is everybody.
    device: name of a network card, or since Linux 6.15 its MAC address; by default eth0.
    local_address: by default the first address of the device.
    """

    remote_address: str
    remote_port: int | None = None
    remote_mac: str | None = None
    device: str | None = None
    local_address: str | None = None
    local_port: int | None = None
    extended: bool = False
    release: bool = False

    def problems(self) -> list[str]:
        """Return what is wrong with it."""
        found = []
        versions = set()
        for name in ("remote_address", "local_address"):
            value = getattr(self, name)
            if value is not None:
                try:
                    versions.add(ipaddress.ip_address(value).version)
                except ValueError:
                    found.append(f"{name} {value!r}: expected an IP address")
        if len(versions) > 1:
            found.append(
                f"remote_address {self.remote_address} and local_address {self.local_address}: expected both to be "
                "IPv4 or both to be IPv6"
            )
        for name in ("remote_port", "local_port"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= HIGHEST_PORT:
                found.append(f"{name} {value}: expected a port from 1 to {HIGHEST_PORT}")
        if self.remote_mac is not None and not MAC.fullmatch(self.remote_mac):
            found.append(f"remote_mac {self.remote_mac!r}: expected a MAC address such as 52:54:00:77:00:03")
        if self.device is not None and not (DEVICE.fullmatch(self.device) or MAC.fullmatch(self.device)):
            found.append(
                f"device {self.device!r}: expected the name of a network card such as eth0, or its MAC address"
            )
        if self.release and not self.extended:
            found.append("release: expected extended as well, because only that format has room for it")
        return found

    def __str__(self) -> str:
        """The words of the parameter."""
        head = ("+" if self.extended else "") + ("r" if self.release else "")
        local = f"{_text(self.local_port)}@{_text(self.local_address)}/{_text(self.device)}"
        return f"{head}{local},{_text(self.remote_port)}@{self.remote_address}/{_text(self.remote_mac)}"


def render_parameter(destinations: Iterable[Destination]) -> str:
    """Return the value of ``netconsole=``; raises ValueError with everything that is wrong."""
    wanted = list(destinations)
    problems = [problem for destination in wanted for problem in destination.problems()]
    text = ";".join(str(destination) for destination in wanted)
    if len(text) > LONGEST:
        problems.append(
            f"{len(wanted)} targets need {len(text)} characters, but the module takes {LONGEST}: leave out ports, "
            "addresses and MAC addresses that are the default, or make some of the targets by configfs"
        )
    if problems:
        raise ValueError("; ".join(problems))
    return text


def parse_parameter(text: str) -> list[Destination]:
    """Return the targets of a value of ``netconsole=``; raises ValueError."""
    return [_parse_one(part) for part in text.split(";")]


def _parse_one(text: str) -> Destination:
    found = _PARAMETER.fullmatch(text)
    if not found:
        raise ValueError(
            f"{text!r}: expected [+][r][source port]@[source address]/[device],[port]@address/[MAC] with all separators"
        )
    destination = Destination(
        remote_address=found["remote_address"],
        remote_port=_number(found["remote_port"]),
        remote_mac=found["remote_mac"].lower() or None,
        device=found["device"] or None,
        local_address=found["local_address"] or None,
        local_port=_number(found["local_port"]),
        extended=bool(found["extended"]),
        release=bool(found["release"]),
    )
    problems = destination.problems()
    if problems:
        raise ValueError(f"{text!r}: {'; '.join(problems)}")
    return destination


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(text: str) -> int | None:
    return int(text) if text else None
