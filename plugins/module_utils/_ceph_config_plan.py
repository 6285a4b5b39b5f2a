# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in the monitors' configuration database, and what will then still stand in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import (
    LOCATION_TYPES,
    ConfigValue,
    Daemon,
    Target,
    find_row,
    remove_command,
    row_for,
    set_command,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import (
    LOCAL_SOURCES,
    Effective,
    concerned,
    effective_value,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption, normalise, same_value
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

_MGR_PARTS = 3


@dataclass(frozen=True)
class Wish:
    """A value wanted for a target, as Ceph would store it; None if there is to be none."""

    target: Target
    option: CephOption
    value: str | None
    other_name: str | None = None


@dataclass(frozen=True)
class Change:
    """A wish and what was found: ``before`` and ``before_other``, the value under the option's other spelling."""

    wish: Wish
    before: str | None
    before_other: str | None

    @property
    def sets(self) -> bool:
        """Whether the value has to be set."""
        wish = self.wish
        return wish.value is not None and (self.before is None or not same_value(wish.option, self.before, wish.value))

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return self.sets or self.before_other is not None or (self.wish.value is None and self.before is not None)

    @property
    def after(self) -> str | None:
        """The value afterwards: one that means the same stays as it is."""
        return self.wish.value if self.sets or self.wish.value is None else self.before

    def commands(self) -> list[CephCommand]:
        """Return the commands, which do not depend on each other."""
        target, option = self.wish.target, self.wish.option
        commands = []
        if self.sets and self.wish.value is not None:
            commands.append(set_command(target, option.name, self.wish.value))
        if self.wish.value is None and self.before is not None:
            commands.append(remove_command(target, option.name))
        if self.before_other is not None and self.wish.other_name:
            commands.append(remove_command(target, self.wish.other_name))
        return commands


@dataclass(frozen=True)
class OptionNames:
    """The names of the cluster's options, and how this cluster spells them."""

    dialect: Dialect
    known: frozenset[str]

    def own(self, given: str) -> str:
        """Return what the cluster would call an option; with or without it having one of that name."""
        name = given.strip()
        return name if name in self.known or name.startswith("mgr/") else self.dialect.option(name)

    def has(self, name: str) -> bool:
        """Tell whether the cluster has this option.

        That of a mgr module may name an instance, ``mgr/MODULE/INSTANCE/OPTION``, which the list does not.
        """
        parts = name.split("/")
        listed = "/".join([*parts[:2], *parts[3:]]) if parts[0] == "mgr" and len(parts) > _MGR_PARTS else name
        return listed in self.known

    def problem(self, given: str) -> str:
        """Return that the cluster does not have this option, and what it has."""
        return f"option {given} does not exist in Ceph {self.dialect.release}{nearest(self.own(given), self.known)}"


def wish_for(target: Target, option: CephOption, value: Any, other_name: str | None) -> Wish:
    """Return the wish for a value as YAML gives it; None is for removal. The value has to be one that Ceph takes."""
    return Wish(target, option, None if value is None else normalise(option, value), other_name)


def plan(rows: Sequence[ConfigValue], wishes: Iterable[Wish]) -> list[Change]:
    """Compare the wishes with the rows of the database."""

    def found(target: Target, name: str | None) -> str | None:
        row = find_row(rows, target, name) if name else None
        return row.value if row else None

    return [Change(wish, found(wish.target, wish.option.name), found(wish.target, wish.other_name)) for wish in wishes]


def planned_rows(rows: Sequence[ConfigValue], changes: Iterable[Change]) -> list[ConfigValue]:
    """Return the rows as they will be, a new one where Ceph would put it."""
    after = list(rows)
    for change in changes:
        wish, name = change.wish, change.wish.option.name
        gone = {wish.other_name} | ({name} if change.sets or wish.value is None else set())
        after = [row for row in after if row.target != wish.target or row.name not in gone]
        if change.sets and wish.value is not None:
            after.append(ConfigValue(wish.target.section, wish.target.mask, name, wish.value, wish.option.level))
    # The database's own order, see row_for().
    return sorted(after, key=lambda row: (row.section, row.name, f"{row.target.who}/{row.name}"))


@dataclass(frozen=True)
class Obstacle:
    """A daemon in which the value of a wish is not in effect.

    ``source`` is where the value comes from that is (see EffectiveValue), ``section`` the row if that is the database;
    ``kind`` says why: "overridden", "restart" (it takes the new value only then) or "pending" (it will have it soon).
    """

    kind: str
    daemon: str
    value: str
    source: str
    section: str | None = None


def obstacles(
    wish: Wish,
    rows: Sequence[ConfigValue],
    daemons: Iterable[Daemon],
    effective: Effective,
    location_types: Mapping[str, int] = LOCATION_TYPES,
) -> list[Obstacle]:
    """Return what stands in the way of a wish once the database has these rows."""
    found = (
        _obstacle(wish, row_for(rows, daemon, wish.option.name, location_types), daemon, effective)
        for daemon in concerned(daemons, wish.target, wish.option)
        if reached(wish, daemon)
    )
    return [obstacle for obstacle in found if obstacle]


def reached(wish: Wish, daemon: Daemon) -> bool:
    """Tell whether the daemon is in the section and matches the mask."""
    alone = ConfigValue(wish.target.section, wish.target.mask, wish.option.name, "", "")
    return row_for([alone], daemon, wish.option.name) is not None


def _obstacle(wish: Wish, row: ConfigValue | None, daemon: Daemon, effective: Effective) -> Obstacle | None:
    option = wish.option
    runs = effective_value(effective, daemon, option)
    if runs is None:
        return None
    if runs.source in LOCAL_SOURCES:
        same = wish.value is not None and same_value(option, runs.value, wish.value)
        return None if same else Obstacle("overridden", daemon.name, runs.value, runs.source)
    if row and row.target != wish.target and wish.value is not None:
        same = same_value(option, row.value, wish.value)
        return None if same else Obstacle("overridden", daemon.name, row.value, "mon", row.target.who)
    wanted = row.value if row else None
    if runs.source == "default" if wanted is None else same_value(option, runs.value, wanted):
        return None
    kind = "pending" if option.can_update_at_runtime else "restart"
    return Obstacle(kind, daemon.name, runs.value, runs.source)
