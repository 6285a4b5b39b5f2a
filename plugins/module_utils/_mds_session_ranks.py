# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MDS ranks of all file systems, and which of them can be asked about their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

# An MDS knows its sessions once it has replayed the journal; before that it refuses (MDSRank::is_any_replay).
_READY = ("up:reconnect", "up:rejoin", "up:clientreplay", "up:active", "up:stopping")


@dataclass(frozen=True)
class MdsRank:
    """A rank of a file system. ``mds`` is the daemon that holds it, None if none does; ``state`` is Ceph's word."""

    file_system: str
    rank: int
    mds: str | None
    state: str

    @property
    def ready(self) -> bool:
        """Whether its MDS can list and evict sessions."""
        return self.mds is not None and self.state in _READY

    def as_dict(self) -> dict[str, Any]:
        """Return the rank as a module returns it."""
        return {
            "file_system": self.file_system,
            "rank": self.rank,
            "mds": self.mds,
            "state": self.state,
            "asked": self.ready,
        }

    def __str__(self) -> str:
        holder = f"mds.{self.mds} is {self.state}" if self.mds else "no MDS holds it"
        return f"rank {self.rank} of {self.file_system} ({holder})"


def file_systems(fs_dump: Mapping[str, Any]) -> list[str]:
    """Return the names of all file systems of ``ceph fs dump -f json``."""
    return sorted(entry["mdsmap"]["fs_name"] for entry in fs_dump["filesystems"])


def parse_ranks(fs_dump: Mapping[str, Any], file_system: str | None = None) -> tuple[MdsRank, ...]:
    """Parse ``ceph fs dump -f json`` into the ranks of one file system or of all, sorted; standbys have none."""
    found = []
    for entry in fs_dump["filesystems"]:
        mdsmap = entry["mdsmap"]
        name = mdsmap["fs_name"]
        if file_system in (None, name):
            holders = {mds["gid"]: mds for mds in mdsmap["info"].values()}
            found += [_rank(name, rank, holders.get(mdsmap["up"].get(f"mds_{rank}"))) for rank in mdsmap["in"]]
    return tuple(sorted(found, key=lambda rank: (rank.file_system, rank.rank)))


def _rank(file_system: str, rank: int, holder: Mapping[str, Any] | None) -> MdsRank:
    if holder is None:
        return MdsRank(file_system, rank, None, "failed")
    return MdsRank(file_system, rank, holder["name"], holder["state"])
