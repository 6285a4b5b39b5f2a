# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's own daemons and their addresses: whom a careless entry of the blocklist would cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    Address,
    Instance,
    Range,
    parse_instance,
    parse_ip,
)

# Where the packets to the monitors leave from, asked of the routing table; nothing is sent.
OWN_ADDRESS_SCRIPT = r"""
import socket
import sys

found = set()
for address in REQUEST:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 6789))
            found.add(probe.getsockname()[0])
    except OSError:
        continue
json.dump(sorted(found), sys.stdout)
"""


@dataclass(frozen=True)
class Daemon:
    """One address of a daemon; ``name`` is as in ``osd.0``."""

    name: str
    instance: Instance


def parse_daemons(
    mon_dump: Mapping[str, Any], osd_dump: Mapping[str, Any], fs_dump: Mapping[str, Any], mgr_dump: Mapping[str, Any]
) -> tuple[Daemon, ...]:
    """Return monitors, OSDs, MDS and the active mgr with all their addresses, from the JSON of the four dumps."""
    found = {
        *_daemons((f"mon.{mon['name']}", mon["public_addrs"]) for mon in mon_dump["mons"]),
        *_daemons(
            (f"osd.{osd['osd']}", osd[key]) for osd in osd_dump["osds"] for key in ("public_addrs", "cluster_addrs")
        ),
        *_daemons((f"mds.{mds['name']}", mds["addrs"]) for mds in _mds(fs_dump)),
        *_daemons([(f"mgr.{mgr_dump['active_name']}", mgr_dump["active_addrs"])]),
    }
    return tuple(sorted(found, key=lambda daemon: (daemon.name, str(daemon.instance))))


def monitor_ips(mon_dump: Mapping[str, Any]) -> list[str]:
    """Return the addresses of the monitors without ports."""
    return sorted(
        {str(daemon.instance.ip) for daemon in _daemons(("", mon["public_addrs"]) for mon in mon_dump["mons"])}
    )


def own_daemons(addresses: Iterable[str]) -> tuple[Daemon, ...]:
    """Return the machine from which Ceph's commands come as one to be spared."""
    return tuple(Daemon("the host of this task's commands", Instance(parse_ip(address))) for address in addresses)


def hit_daemons(target: Address, daemons: Iterable[Daemon]) -> list[str]:
    """Return ``name (address)`` of those that an entry with this address would hit."""
    return list(dict.fromkeys(f"{daemon.name} ({daemon.instance.ip})" for daemon in daemons if _hits(target, daemon)))


def _hits(target: Address, daemon: Daemon) -> bool:
    if isinstance(target, Range):
        return daemon.instance.ip in target.network
    return target == daemon.instance or (target.whole_host and target.ip == daemon.instance.ip)


def _mds(fs_dump: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from fs_dump["standbys"]
    for system in fs_dump["filesystems"]:
        yield from system["mdsmap"]["info"].values()


def _daemons(named: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Daemon]:
    for name, addresses in named:
        for entry in addresses["addrvec"]:
            # A daemon that is down may keep "-" or an address of zeros.
            if entry["type"] in ("v1", "v2", "any") and not entry["addr"].startswith(("0.0.0.0", "[::]", ":/", "-")):  # noqa: S104
                yield Daemon(name, parse_instance(f"{entry['addr']}/{entry['nonce']}"))
