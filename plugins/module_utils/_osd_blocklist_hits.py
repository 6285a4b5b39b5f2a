# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the entries of the blocklist hit: hosts that the user knows, CephFS clients, the cluster's own daemons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Entry, format_until
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    Instance,
    IPAddress,
    parse_instance,
    parse_ip,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_daemons import Daemon, hit_daemons


@dataclass(frozen=True)
class Host:
    """A host that the user knows by name."""

    name: str
    ip: IPAddress


@dataclass(frozen=True)
class Session:
    """A CephFS client that has a session."""

    name: str
    instance: Instance


def parse_host(item: Mapping[str, Any]) -> Host:
    """Return one of the user's hosts; its address may have a prefix length. Raises ValueError."""
    try:
        return Host(item["name"], parse_ip(item["address"].partition("/")[0]))
    except ValueError as error:
        raise ValueError(f"host {item['name']}: {error}") from error


def parse_session(session: Mapping[str, Any]) -> Session:
    """Return one session of the answer of ``ceph tell mds.X client ls``."""
    name, address = session["inst"].split(" ", 1)
    hostname = session.get("client_metadata", {}).get("hostname", "")
    return Session(f"{name} ({hostname})" if hostname else name, parse_instance(address))


def describe_entry(
    entry: Entry, now: datetime, hosts: Iterable[Host], daemons: Sequence[Daemon], sessions: Iterable[Session]
) -> dict[str, Any]:
    """Return the entry and whom it hits, as the module returns it.

    An entry of one client instance hits something of its host, though not all of it.
    """
    return {
        "address": entry.address,
        "kind": entry.kind,
        "fence": entry.fence,
        "until": format_until(entry.until),
        "seconds_left": max(0, int((entry.until - now).total_seconds())),
        "hosts": sorted({host.name for host in hosts if entry.hits_ip(host.ip)}),
        "clients": sorted({session.name for session in sessions if entry.hits(session.instance)}),
        "daemons": sorted(hit_daemons(entry.target, daemons)),
    }
