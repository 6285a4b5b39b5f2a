# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster itself: its id, release and monitors, all from one ``ceph mon dump``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient

OLDEST_RELEASE = 14


@dataclass(frozen=True)
class Monitor:
    """A monitor and its addresses (``ip:port``, IPv6 in brackets); None where it does not speak that protocol."""

    name: str
    v1: str | None
    v2: str | None

    def as_dict(self) -> dict[str, str | None]:
        """Return the monitor as a module returns it."""
        return asdict(self)


@dataclass(frozen=True)
class Cluster:
    """A Ceph cluster. ``release`` is the oldest that its monitors agree on, which decides the commands' names."""

    fsid: str
    release: int
    monitors: tuple[Monitor, ...]


def read_cluster(client: CephClient) -> Cluster:
    """Ask the cluster who it is."""
    return parse_mon_dump(client.ceph_json("mon", "dump"))


def parse_mon_dump(answer: Mapping[str, Any]) -> Cluster:
    """Parse ``ceph mon dump -f json``; raises ValueError for a release that is not supported."""
    # Before Nautilus (14) the answer has no release.
    release = answer.get("min_mon_release", 0)
    if release < OLDEST_RELEASE:
        raise ValueError(
            f"the monitors of cluster {answer['fsid']} are at release {release or 'Mimic (13) or older'}: "
            f"this collection needs Nautilus ({OLDEST_RELEASE}) or newer; upgrade Ceph first"
        )
    return Cluster(
        fsid=answer["fsid"],
        release=release,
        monitors=tuple(sorted((_monitor(mon) for mon in answer["mons"]), key=lambda mon: mon.name)),
    )


def _monitor(mon: Mapping[str, Any]) -> Monitor:
    addresses = {entry["type"]: entry["addr"] for entry in mon["public_addrs"]["addrvec"]}
    return Monitor(mon["name"], addresses.get("v1"), addresses.get("v2"))
