# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the MDS sessions of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import Session, parse_manager, parse_sessions
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_ranks import (
    MdsRank,
    file_systems,
    parse_ranks,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import SelectionError
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest


@dataclass(frozen=True)
class MdsSessions:
    """All sessions of the ranks that could be asked, sorted by file system, rank and client."""

    sessions: tuple[Session, ...]
    ranks: tuple[MdsRank, ...]
    dialect: Dialect

    @property
    def unasked(self) -> list[str]:
        """What cannot be known, in words."""
        return [
            f"{rank}: its sessions cannot be seen until it has an MDS past replay"
            for rank in self.ranks
            if not rank.ready
        ]


def read_sessions(client: CephClient, file_system: str | None = None) -> MdsSessions:
    """Ask every rank of one file system or of all.

    Raises SelectionError if there is no such file system, ValueError for a release that is not supported.
    """
    mon_dump, fs_dump, mgr_dump = client.ceph_json_many([("mon", "dump"), ("fs", "dump"), ("mgr", "dump")])
    dialect = Dialect(parse_mon_dump(mon_dump).release)
    known = file_systems(fs_dump)
    if file_system is not None and file_system not in known:
        raise SelectionError(
            f"file system {file_system} does not exist{nearest(file_system, known)}"
            + (f" (there are: {', '.join(known)})" if known else " (there is none)")
        )
    ranks = parse_ranks(fs_dump, file_system)
    asked = [rank for rank in ranks if rank.ready]
    answers = client.ceph_json_many([("tell", f"mds.{rank.mds}", "client", "ls") for rank in asked])
    manager = parse_manager(mgr_dump)
    return MdsSessions(
        tuple(session for rank, answer in zip(asked, answers) for session in parse_sessions(answer, rank, manager)),
        ranks,
        dialect,
    )
