# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NETCONSOLE of the Pi's bootloader: whereto it sends its log, in 32 characters at most. No I/O.

The format is ``src_port@src_ip/dev_name,dst_port@dst_ip/dst_mac``. All separators and the source address must be there;
what is left out has a default, and the name of the device is always ignored.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Hashable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_kinds import Kind, is_mac, parse_address

MAXIMUM_LENGTH = 32
_DEFAULTS = {"src_port": "6665", "dst_port": "6666", "dst_ip": "255.255.255.255", "dst_mac": "00:00:00:00:00:00"}
_FORMAT = "src_port@src_ip/,dst_port@dst_ip/dst_mac"
_PATTERN = re.compile(r"([^@]*)@([^/]*)/[^,]*,([^@]*)@([^/]*)/(.*)")
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Netconsole:
    """The parts, as text; empty where the default is meant."""

    src_ip: str
    src_port: str = ""
    dst_ip: str = ""
    dst_port: str = ""
    dst_mac: str = ""

    def __str__(self) -> str:
        """The parts in the format of the bootloader."""
        return f"{self.src_port}@{self.src_ip}/,{self.dst_port}@{self.dst_ip}/{self.dst_mac}"

    @classmethod
    def parse(cls, text: str) -> Netconsole:
        """Parse the format of the bootloader; raises ValueError."""
        match = _PATTERN.fullmatch(text)
        if not match:
            raise ValueError(f"expected {_FORMAT} with every separator, such as 6665@169.254.1.1/,6666@/")
        src_port, src_ip, dst_port, dst_ip, dst_mac = match.groups()
        return cls(src_ip, src_port, dst_ip, dst_port, dst_mac)

    @classmethod
    def of_parts(cls, parts: Mapping[str, Any]) -> Netconsole:
        """Take the parts as a task gives them; raises ValueError."""
        known = list(asdict(cls("")))
        problems = [f"no part {name}{nearest(name, known)}" for name in sorted(set(parts).difference(known))]
        given = {name: str(parts[name]) for name in known if parts.get(name) not in (None, "")}
        if "src_ip" not in given:
            problems.append("src_ip is missing; the bootloader does not find it out by itself")
        if problems:
            raise ValueError("; ".join(problems))
        return cls(**given).shortest()

    def problems(self) -> list[str]:
        """Return which parts are wrong."""
        found = []
        for name in ("src_ip", "dst_ip"):
            address = getattr(self, name)
            if parse_address(address) is None and (address or name == "src_ip"):
                found.append(f"{name} {address!r}: expected an IPv4 address")
        for name in ("src_port", "dst_port"):
            port = getattr(self, name)
            if port and not (port.isdigit() and 0 < int(port) <= _HIGHEST_PORT):
                found.append(f"{name} {port!r}: expected a port from 1 to {_HIGHEST_PORT}")
        if self.dst_mac and not is_mac(self.dst_mac):
            found.append(f"dst_mac {self.dst_mac!r}: expected a MAC address such as dc:a6:32:01:36:c2")
        return found

    def complete(self) -> Netconsole:
        """Return the same with the defaults in words."""
        return replace(self, **{name: getattr(self, name).lower() or value for name, value in _DEFAULTS.items()})

    def shortest(self) -> Netconsole:
        """Return the same with nothing in words that is the default."""
        return replace(self, **{name: "" for name, value in _DEFAULTS.items() if getattr(self, name).lower() == value})

    def nearest_that_fits(self) -> Netconsole:
        """Return what is short enough and has the same meaning, or else keeps as much of it as possible.

        Losing the MAC address costs least, then the ports, because a receiver can listen on the default ones; a log
        that goes to everybody costs most.
        """
        plain = self.shortest()
        names = ("dst_ip", "dst_port", "src_port", "dst_mac")
        candidates = [
            replace(plain, **{name: "" for name, kept in zip(names, choice) if not kept})
            for choice in product((True, False), repeat=len(names))
        ]
        return next(one for one in candidates if len(str(one)) <= MAXIMUM_LENGTH)


class NetconsoleKind(Kind):
    """The value of NETCONSOLE, as text or as parts."""

    expected = f"{_FORMAT}, or these parts as a dictionary"

    def render(self, value: Any) -> str:
        """Return how it is written; raises ValueError with the nearest that fits if it is too long."""
        if isinstance(value, Mapping):
            wanted = Netconsole.of_parts(value)
            text = str(wanted)
        else:
            text = super().render(value)
            wanted = Netconsole.parse(text)
        problems = wanted.problems()
        if problems:
            raise ValueError("; ".join(problems))
        if len(text) > MAXIMUM_LENGTH:
            raise ValueError(_too_long(text, wanted))
        return text

    def meaning(self, text: str) -> Hashable:
        """Return the parts with their defaults, or the text if it cannot be parsed."""
        try:
            return Netconsole.parse(text).complete()
        except ValueError:
            return text


def _too_long(text: str, wanted: Netconsole) -> str:
    fits = wanted.nearest_that_fits()
    lost = [name for name in _DEFAULTS if getattr(fits.complete(), name) != getattr(wanted.complete(), name)]
    meaning = f"with the default {' and '.join(f'{name} {_DEFAULTS[name]}' for name in lost)}" if lost else "the same"
    return f"{text} has {len(text)} characters, but at most {MAXIMUM_LENGTH} are allowed; {fits} fits ({meaning})"
