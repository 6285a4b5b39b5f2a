# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the blocklist, and whom it could hit, from the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_ranks import parse_ranks
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_daemons import (
    OWN_ADDRESS_SCRIPT,
    Daemon,
    monitor_ips,
    own_daemons,
    parse_daemons,
)


@dataclass(frozen=True)
class BlocklistState:
    """The blocklist of a cluster, and the two maps that it and the release were read from."""

    dialect: Dialect
    blocklist: Blocklist
    mon_dump: Mapping[str, Any]
    osd_dump: Mapping[str, Any]


def read_blocklist(client: CephClient) -> BlocklistState:
    """Read the blocklist; raises ValueError for a release that is not supported."""
    mon_dump, osd_dump = client.ceph_json_many([("mon", "dump"), ("osd", "dump")])
    return BlocklistState(Dialect(parse_mon_dump(mon_dump).release), parse_blocklist(osd_dump), mon_dump, osd_dump)


def read_daemons(client: CephClient, state: BlocklistState) -> tuple[Daemon, ...]:
    """Read the addresses of the cluster's daemons."""
    fs_dump, mgr_dump = client.ceph_json_many([("fs", "dump"), ("mgr", "dump")])
    return parse_daemons(state.mon_dump, state.osd_dump, fs_dump, mgr_dump)


def read_own_host(client: CephClient, state: BlocklistState) -> tuple[Daemon, ...]:
    """Return the addresses from which the commands of this client come, as the cluster sees them."""
    return own_daemons(client.python_json(OWN_ADDRESS_SCRIPT, monitor_ips(state.mon_dump)))


def read_sessions(client: CephClient) -> list[Mapping[str, Any]]:
    """Return the sessions of every rank that can tell them, as ``client ls`` gives them."""
    asked = [rank for rank in parse_ranks(client.ceph_json("fs", "dump")) if rank.ready]
    answers = client.ceph_json_many([("tell", f"mds.{rank.mds}", "client", "ls") for rank in asked])
    return [session for answer in answers for session in answer]
