# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done to give file systems their settings, and what may not be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings import (
    FEATURES,
    FileSystem,
    first_release_with,
    settings_of_release,
)
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

# As Ceph's monitors have it (src/mon/FSCommands.cc).
_LEAST = {
    "session_timeout": (30, "seconds"),
    "session_autoclose": (30, "seconds"),
    "max_file_size": (65536, "bytes"),
    "max_mds": (1, "active MDS"),
    "standby_count_wanted": (0, "standby MDS"),
}
_MOST_RANKS = 256


@dataclass(frozen=True)
class FeatureWish:
    """The client features to require: exactly these (None: leave them), or these more and these no longer."""

    exactly: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is wished."""
        return self.exactly is not None or bool(self.add or self.remove)

    def applied_to(self, found: Iterable[str]) -> tuple[str, ...]:
        """Return the features that are then required."""
        base = set(found if self.exactly is None else self.exactly)
        return tuple(sorted((base | set(self.add)) - set(self.remove)))


@dataclass(frozen=True)
class Wish:
    """What a task wants of every file system that it names: settings by name, and client features."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    features: FeatureWish = FeatureWish()


@dataclass(frozen=True)
class Plan:
    """What becomes of one file system, and the words after ``ceph fs`` that bring it about."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    commands: tuple[tuple[str, ...], ...]


def unknown(found: Mapping[str, FileSystem], names: Iterable[str]) -> list[str]:
    """Return a text for every name that no file system has, with those that were probably meant."""
    existing = f"; file systems that exist: {', '.join(found) or 'none'}"
    return [
        f"file system {name} does not exist{nearest(name, found) or existing}"
        for name in dict.fromkeys(names)
        if name not in found
    ]


def choose(found: Mapping[str, FileSystem], names: Sequence[str]) -> list[FileSystem]:
    """Return those of the file systems that have one of these names, and all of them when there is no name."""
    return [found[name] for name in dict.fromkeys(names or found) if name in found]


def plan(file_system: FileSystem, wish: Wish) -> Plan:
    """Plan the changes of one file system; the wish has passed :func:`problems_of`."""
    before = dict(file_system.settings)
    after = {**before, **wish.settings}
    if wish.features:
        after[FEATURES] = wish.features.applied_to(before[FEATURES])
    return Plan(file_system.name, before, after, tuple(_commands(file_system.name, before, after)))


def problems_of(
    file_systems: Iterable[FileSystem], wish: Wish, release: int, known_features: Iterable[str] = ()
) -> list[str]:
    """Return everything that speaks against the wish, as texts for people."""
    problems = _release_problems(wish, release) + _range_problems(wish.settings)
    features = sorted({*(wish.features.exactly or ()), *wish.features.add, *wish.features.remove})
    known = [name for name in known_features if name != "reserved"]
    if release >= first_release_with(FEATURES):
        problems += [
            f"client feature {name} does not exist in release {release}{nearest(name, known)}"
            for name in features
            if name not in known
        ]
    both = sorted(set(wish.features.remove) & {*(wish.features.exactly or ()), *wish.features.add})
    problems += [f"client feature {name} is to be required and not to be required" for name in both]
    for file_system in file_systems:
        problems += _session_problems(file_system, wish)
    return problems


def _release_problems(wish: Wish, release: int) -> list[str]:
    wished = [*wish.settings, *([FEATURES] if wish.features else [])]
    return [
        f"Ceph {release} has no file system setting {name}: it needs release {first_release_with(name)}; leave it out"
        for name in wished
        if name not in settings_of_release(release)
    ]


def _range_problems(settings: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{name} is {settings[name]}: expected {least} {unit} or more"
        for name, (least, unit) in _LEAST.items()
        if name in settings and settings[name] < least
    ]
    if settings.get("max_mds", 0) > _MOST_RANKS:
        problems.append(f"max_mds is {settings['max_mds']}: a file system has {_MOST_RANKS} ranks at most")
    return problems


def _session_problems(file_system: FileSystem, wish: Wish) -> list[str]:
    """A session has to be stale before it is closed; Ceph itself takes any two numbers."""
    if not {"session_timeout", "session_autoclose"} & set(wish.settings):
        return []
    after = {**file_system.settings, **wish.settings}
    timeout, autoclose = after["session_timeout"], after["session_autoclose"]
    if timeout <= autoclose:
        return []
    return [
        f"file system {file_system.name} would have session_timeout {timeout} and session_autoclose {autoclose}: "
        "a session would be closed before it counts as stale; set session_autoclose to "
        f"{timeout} or more, or session_timeout to {autoclose} or less"
    ]


def _commands(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    changed = [setting for setting in after if after[setting] != before[setting] and setting != FEATURES]
    if "max_mds" in changed and not after["joinable"] and "joinable" not in changed:
        # Ceph takes a new max_mds for leave to join.
        changed.append("joinable")
    for setting in sorted(changed, key=lambda one: _rank(one, before, after)):
        yield ("set", name, setting, _word(after[setting]))
    have, want = set(before.get(FEATURES, ())), set(after.get(FEATURES, ()))
    for verb, features in (("rm", have - want), ("add", want - have)):
        for feature in sorted(features):
            yield ("required_client_features", name, verb, feature)


def _rank(setting: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[int, str]:
    """Order the changes so that at no moment a session is closed before it is stale."""
    first = "session_autoclose" if after["session_autoclose"] >= before["session_timeout"] else "session_timeout"
    return ({first: 0, "joinable": 2}.get(setting, 1), setting)


def _word(value: Any) -> str:
    return str(value).lower()
