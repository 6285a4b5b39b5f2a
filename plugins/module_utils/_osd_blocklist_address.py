# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as the blocklist knows them: an instance, a whole host, a range.

A client instance is ``IP:PORT/NONCE``. Ceph blocks it if its blocklist has exactly that, or the same IP with port and
nonce 0, which stands for the whole host, or a range with that IP (OSDMap::is_blocklisted).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Union

IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
IPNetwork = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_PREFIX = re.compile(r"(?:v1|v2|any|legacy|msgr2):", re.IGNORECASE)
_INSTANCE = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+)):(?P<port>\d+)/(?P<nonce>\d+)")
_RANGE_AS_PRINTED = re.compile(r"cidr:(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+)):0/(?P<bits>\d+)")
_NO_NONCE = re.compile(r"(?:\[[^\]]+\]|[0-9.]+):(?P<number>\d+)")
_MAX_PORT = 65535
_MAX_NONCE = 2**32 - 1


@dataclass(frozen=True)
class Instance:
    """One client instance. Port and nonce 0 stand for every instance of the host."""

    ip: IPAddress
    port: int = 0
    nonce: int = 0

    @property
    def whole_host(self) -> bool:
        """Whether this is not one instance, but all of the host."""
        return not self.port and not self.nonce

    def __str__(self) -> str:
        ip = f"[{self.ip}]" if self.ip.version == 6 else str(self.ip)  # noqa: PLR2004
        return f"{ip}:{self.port}/{self.nonce}"


@dataclass(frozen=True)
class Range:
    """All addresses of a network. ``typed`` is the address in it that was given to Ceph, by which alone it removes."""

    network: IPNetwork
    typed: IPAddress

    def __str__(self) -> str:
        return f"{self.typed}/{self.network.prefixlen}"


Address = Union[Instance, Range]


def parse_ip(text: str) -> IPAddress:
    """Return an IP address, also one in brackets; raises ValueError."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in bare:
        raise ValueError(f"{text!r}: a zone index means nothing to Ceph")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        raise ValueError(
            f"{text!r} is no IP address: expected 10.0.0.1 (all of a host), 10.0.0.1:0/123 (one client instance)"
            " or 10.0.0.0/24 (a range); Ceph's blocklist knows no host names"
        ) from None


def parse_instance(text: str) -> Instance:
    """Return ``IP:PORT/NONCE``, or an IP alone as the whole host; ``v1:``, ``v2:`` and ``any:`` count for nothing."""
    bare = _PREFIX.sub("", text.strip(), count=1)
    found = _INSTANCE.fullmatch(bare)
    if not found:
        return Instance(parse_ip(bare))
    port, nonce = int(found["port"]), int(found["nonce"])
    if port > _MAX_PORT or nonce > _MAX_NONCE:
        raise ValueError(f"{text!r}: the port is {_MAX_PORT} at most, the nonce {_MAX_NONCE}")
    return Instance(parse_ip(found["v4"] or found["v6"]), port, nonce)


def parse_range_as_printed(text: str) -> Range:
    """Return a range as ``ceph osd dump`` prints it: ``cidr:10.7.0.0:0/16``."""
    found = _RANGE_AS_PRINTED.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no range as Ceph prints it: expected cidr:10.7.0.0:0/16")
    return _range(found["v4"] or found["v6"], found["bits"])


def parse_address(text: str) -> Address:
    """Return what a user means by an address of the blocklist; raises ValueError that says what to write instead.

    ``IP/N`` is a range and nothing else, though to ``ceph osd blocklist add`` it is the instance with nonce N.
    """
    bare = _PREFIX.sub("", text.strip(), count=1)
    if _RANGE_AS_PRINTED.fullmatch(bare):
        return parse_range_as_printed(bare)
    without_nonce = _NO_NONCE.fullmatch(bare)
    if without_nonce:
        ip, number = bare.rpartition(":")[0], without_nonce["number"]
        raise ValueError(
            f"{text!r}: is {number} the nonce or the port? Write {ip}:0/{number} or {ip}:{number}/0, "
            f"or {ip} for all of the host"
        )
    if _INSTANCE.fullmatch(bare) or "/" not in bare:
        return parse_instance(bare)
    return _range(*bare.rsplit("/", 1))


def _range(ip_text: str, bits_text: str) -> Range:
    ip = parse_ip(ip_text)
    if bits_text.isdecimal() and int(bits_text) <= ip.max_prefixlen:
        return Range(ipaddress.ip_network((ip, int(bits_text)), strict=False), ip)
    hint = (
        f"; the instance with nonce {bits_text} is {Instance(ip, 0, int(bits_text))}" if bits_text.isdecimal() else ""
    )
    raise ValueError(f"'{ip_text}/{bits_text}': a range has a prefix length of 0 to {ip.max_prefixlen}{hint}")
