# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which entries of the OSD blocklist keep a host out that is to boot, and which of them may be lifted for it.

An entry of one client instance is never among them: it is of a former self, and keeps that from writing once more.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..module_utils._osd_blocklist_address import Range, parse_address

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Fences:
    """The fences that hit one address.

    lift: what is to be removed, by the names that Ceph has for them.
    problems: fences that stay, and so keep the host from booting.
    """

    lift: list[str]
    problems: list[str]


def parse_ranges(texts: Sequence[str]) -> list[_Network]:
    """Return the ranges that somebody asks to lift; raises ValueError that names all that are none."""
    wrong, networks = [], []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            wrong.append(f"range {text!r}: expected a network such as 10.77.0.0/24, as it is in the blocklist")
    if wrong:
        raise ValueError("; ".join(wrong))
    return networks


def blocking_fences(
    host: str, address: str, entries: Sequence[Mapping[str, Any]], lift_ranges: Sequence[_Network], option: str
) -> Fences:
    """Sort the entries of the blocklist for one host.

    entries: as M(diskless.ceph.osd_blocklist_info) returns them.
    lift_ranges: ranges that are to be lifted although they hit other addresses as well.
    option: how the user names such a range.
    """
    here = ipaddress.ip_address(address)
    lift, problems = [], []
    for entry in entries:
        target = parse_address(entry["address"])
        if entry["kind"] == "client":
            continue
        if not isinstance(target, Range):
            if target.ip == here:
                lift.append(entry["address"])
            continue
        if target.network.version != here.version or here not in target.network:
            continue
        if target.network.num_addresses == 1 or target.network in lift_ranges:
            lift.append(entry["address"])
        else:
            problems.append(_refusal(host, entry, target.network, option))
    return Fences(lift, problems)


def _refusal(host: str, entry: Mapping[str, Any], network: _Network, option: str) -> str:
    others = [name for name in entry.get("hosts", ()) if name != host]
    known = f"{', '.join(others)} and " if others else ""
    return (
        f"{host} is shut out by range {entry['address']} of the blocklist until {entry['until']}, and so are {known}all"
        f" other addresses in it; if all of them may come back, lift it with {option}={network}"
    )
