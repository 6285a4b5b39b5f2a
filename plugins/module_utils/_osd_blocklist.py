# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OSD blocklist: what ``ceph osd dump`` says of it, whom it hits, and the commands that change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    Address,
    Instance,
    IPAddress,
    Range,
    parse_instance,
    parse_range_as_printed,
)

_UNTIL_FORMATS = ("%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class Entry:
    """An entry of the blocklist.

    ``address`` is as Ceph prints it, a range as it was typed: ``10.0.0.1:0/123``, ``[fd00::1]:0/0``, ``10.7.0.0/16``.
    ``target`` is the same, parsed. ``until`` is in UTC; of Ceph 14, which prints the time of its monitors without a
    zone, UTC is assumed.
    """

    address: str
    target: Address
    until: datetime

    @property
    def kind(self) -> str:
        """``client`` for one instance, ``host`` for all instances of an address, ``range`` for all addresses of it."""
        return kind_of(self.target)

    @property
    def fence(self) -> bool:
        """Whether it shuts out more than one client instance, also those that start later."""
        return self.kind != "client"

    def hits_ip(self, ip: IPAddress) -> bool:
        """Tell whether it blocks something at this IP address."""
        return ip in self.target.network if isinstance(self.target, Range) else ip == self.target.ip

    def hits(self, instance: Instance) -> bool:
        """Tell whether Ceph refuses this client instance because of it."""
        return (self.fence and self.hits_ip(instance.ip)) or self.target == instance


@dataclass(frozen=True)
class Blocklist:
    """All entries, sorted by address: hosts and instances first, then ranges."""

    entries: tuple[Entry, ...]

    def entries_for(self, instance_or_address: str) -> list[Entry]:
        """Return the entries that hit a client instance (``10.0.0.1:0/123``): itself, its whole host, ranges.

        For an address alone (``10.0.0.1``) these are all that hit anything there: every instance, the host, ranges.
        Raises ValueError if it is neither.
        """
        wanted = parse_instance(instance_or_address)
        if wanted.whole_host:
            return [entry for entry in self.entries if entry.hits_ip(wanted.ip)]
        return [entry for entry in self.entries if entry.hits(wanted)]


def kind_of(target: Address) -> str:
    """Return what an address of the blocklist stands for: ``client``, ``host`` or ``range``."""
    if isinstance(target, Range):
        return "range"
    return "host" if target.whole_host else "client"


def parse_blocklist(osd_dump: Mapping[str, Any]) -> Blocklist:
    """Parse ``ceph osd dump -f json`` of any release."""
    listed = osd_dump.get("blocklist", osd_dump.get("blacklist", {}))
    entries = [_entry(parse_instance(address), until) for address, until in listed.items()]
    ranges = osd_dump.get("range_blocklist", {})
    entries += [_entry(parse_range_as_printed(address), until) for address, until in ranges.items()]
    return Blocklist(tuple(sorted(entries, key=lambda entry: sort_key(entry.target))))


def sort_key(target: Address) -> tuple[bool, int, int, int, int]:
    """Return the key that sorts addresses by number."""
    if isinstance(target, Range):
        return (True, target.network.version, int(target.typed), target.network.prefixlen, 0)
    return (False, target.ip.version, int(target.ip), target.port, target.nonce)


def _entry(target: Address, until: str) -> Entry:
    return Entry(str(target), target, parse_until(until))


def parse_until(text: str) -> datetime:
    """Return the time until which an entry is valid, in UTC."""
    for form in _UNTIL_FORMATS:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)
    raise ValueError(f"{text!r}: expected a time as Ceph prints it")


def format_until(until: datetime) -> str:
    """Return a time in UTC as modules return it: ``2026-11-21T13:04:05Z``."""
    return until.strftime("%Y-%m-%dT%H:%M:%SZ")


def add_command(dialect: Dialect, address: str, expire_seconds: int | None = None) -> CephCommand:
    """Block an instance or a whole host; None leaves the time to the cluster's default.

    An entry that exists keeps its time. Raises ValueError for a range or what is no address.
    """
    return _command(dialect, "add", str(parse_instance(address)), expire_seconds)


def remove_command(dialect: Dialect, address: str) -> CephCommand:
    """Remove the entry of an instance, or that of the whole host and not those of its instances."""
    return _command(dialect, "rm", str(parse_instance(address)))


def add_range_command(dialect: Dialect, cidr: str, expire_seconds: int | None = None) -> CephCommand:
    """Block a range, ``10.7.0.0/16`` or ``fd00::/64``; needs Ceph 16."""
    return _command(dialect, "range", "add", cidr, expire_seconds)


def remove_range_command(dialect: Dialect, cidr: str) -> CephCommand:
    """Remove a range, which has to be written as the entry's ``address`` is."""
    return _command(dialect, "range", "rm", cidr)


def _command(dialect: Dialect, *words: str | int | None) -> CephCommand:
    return CephCommand(("osd", dialect.word, *(str(word) for word in words if word is not None)))
