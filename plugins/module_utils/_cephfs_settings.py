# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of file systems: what ``ceph fs dump`` says of them.

They are fields of the MDS map, not configuration options: ``ceph fs set`` changes them, ``ceph config`` knows none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

# Bits of the map's ``flags`` (CEPH_MDSMAP_*, src/include/ceph_fs.h); only from 18 on there is ``flags_state`` as well.
_NOT_JOINABLE = 1 << 0
_FLAGS = {
    "allow_new_snaps": 1 << 1,
    "allow_standby_replay": 1 << 5,
    "refuse_client_session": 1 << 6,
    "refuse_standby_for_another_fs": 1 << 7,
}
_FIELDS = ("session_timeout", "session_autoclose", "max_mds", "standby_count_wanted", "max_file_size")
FEATURES = "required_client_features"
SETTINGS = (*_FIELDS, "joinable", *_FLAGS, FEATURES)
# The first release, of those that are tested, that has a setting that not all have.
_SINCE = {FEATURES: 16, "refuse_client_session": 18, "refuse_standby_for_another_fs": 18}


@dataclass(frozen=True)
class Rank:
    """An MDS that serves a file system: ``state`` is Ceph's word, as in ``up:active`` or ``up:standby-replay``."""

    rank: int
    mds: str
    state: str

    def as_dict(self) -> dict[str, Any]:
        """Return the rank as a module returns it."""
        return {"rank": self.rank, "mds": self.mds, "state": self.state}


@dataclass(frozen=True)
class FileSystem:
    """A file system. ``settings`` has those that the release has; its client features are a sorted tuple of names."""

    name: str
    file_system_id: int
    settings: Mapping[str, Any]
    ranks: tuple[Rank, ...]


def settings_of_release(release: int) -> tuple[str, ...]:
    """Return the settings that this release has."""
    return tuple(name for name in SETTINGS if release >= _SINCE.get(name, 0))


def first_release_with(setting: str) -> int:
    """Return the first release that has the setting; 0 if all have it."""
    return _SINCE.get(setting, 0)


def parse_fs_dump(answer: Mapping[str, Any], release: int) -> dict[str, FileSystem]:
    """Parse ``ceph fs dump -f json`` into file systems by name."""
    found = (_file_system(entry, release) for entry in answer["filesystems"])
    return {file_system.name: file_system for file_system in sorted(found, key=lambda one: one.name)}


def shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a module returns them."""
    return {name: list(value) if name == FEATURES else value for name, value in sorted(settings.items())}


def _file_system(entry: Mapping[str, Any], release: int) -> FileSystem:
    mdsmap = entry["mdsmap"]
    flags = mdsmap["flags"]
    settings = {name: mdsmap[name] for name in _FIELDS}
    settings["joinable"] = not flags & _NOT_JOINABLE
    settings.update({name: bool(flags & bit) for name, bit in _FLAGS.items()})
    settings[FEATURES] = tuple(sorted(mdsmap.get(FEATURES, {}).values()))
    ranks = (Rank(mds["rank"], mds["name"], mds["state"]) for mds in mdsmap["info"].values())
    return FileSystem(
        name=mdsmap["fs_name"],
        file_system_id=entry["id"],
        settings={name: settings[name] for name in settings_of_release(release)},
        ranks=tuple(sorted(ranks, key=lambda one: (one.rank, one.state, one.mds))),
    )
