# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that are known, by the addresses they send from."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = re.compile(r"[a-z0-9A-Z](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?")  # also the name of a directory
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


class HostsError(Exception):
    """The file of the hosts cannot be used; the text has a line for each problem."""


@dataclass(frozen=True)
class Host:
    """A host as the inventory describes it."""

    name: str
    address: str
    mac: str | None = None
    serial: str | None = None
    board: str | None = None


def read_hosts(path: Path) -> list[Host]:
    """Return the hosts of a file: a JSON list of objects with name and address, and perhaps mac, serial and board.

    Raises HostsError with all problems at once.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HostsError(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise HostsError(f"{path}: expected a list of hosts, found {type(entries).__name__}")
    problems: list[str] = []
    hosts = [_host(number, entry, problems) for number, entry in enumerate(entries)]
    for what in ("name", "address", "mac"):
        seen: dict[str, str] = {}
        for host in filter(None, hosts):
            value = getattr(host, what)
            if value is not None and seen.setdefault(value, host.name) is not host.name:
                problems.append(f"{host.name}: {what} {value} is also that of {seen[value]}; expected one host for it")
    if problems:
        raise HostsError("\n".join(f"{path}: {problem}" for problem in problems))
    return [host for host in hosts if host is not None]


def _host(number: int, entry: Any, problems: list[str]) -> Host | None:
    if not isinstance(entry, Mapping):
        problems.append(f"host {number}: {entry!r}; expected an object with name and address")
        return None
    name = entry.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.append(f"host {number}: name {name!r}; expected a host name")
        return None
    text = entry.get("address")
    try:
        address = str(ipaddress.ip_interface(text).ip) if isinstance(text, str) else ""
    except ValueError:
        address = ""
    if not address:
        problems.append(f"{name}: address {text!r}; expected an IP address")
    mac = entry.get("mac")
    if mac is not None and not (isinstance(mac, str) and _MAC.fullmatch(mac.lower())):
        problems.append(f"{name}: mac {mac!r}; expected six bytes such as 52:54:00:00:00:01")
        mac = None
    optional = {}
    for what in ("serial", "board"):
        optional[what] = entry.get(what)
        if optional[what] is not None and not isinstance(optional[what], str):
            problems.append(f"{name}: {what} {optional[what]!r}; expected text")
            optional[what] = None
    return Host(name, address, mac and mac.lower(), **optional)


def source_keys(address: str) -> list[bytes]:
    """Return the forms of an address in the source of a datagram: that of an IPv4 socket and that of an IPv6 one."""
    packed = ipaddress.ip_address(address).packed
    if len(packed) == 4:  # noqa: PLR2004  # bytes of an IPv4 address
        return [packed, b"\0" * 10 + b"\xff\xff" + packed]
    return [packed]


def source_text(key: bytes) -> str:
    """Return the address of a source."""
    address = ipaddress.ip_address(key)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
