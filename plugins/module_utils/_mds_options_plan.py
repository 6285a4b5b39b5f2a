# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wants of the session policy of the MDS, and what the daemons make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import ConfigValue, Daemon, Target, row_for
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import Effective, effective_value
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import Obstacle, Wish, obstacles, wish_for
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import (
    CephOption,
    normalise,
    problem,
    same_value,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import (
    POLICY,
    PolicyOption,
    all_names,
    find_part,
    typed,
)
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

_PATIENCE = "it has not taken over what is configured"
_REASONS = {
    "default": _PATIENCE,
    "mon": _PATIENCE,
    "file": "that is in ceph.conf on its host, which goes before the configuration database; remove it there and "
    "restart the daemon",
    "override": "that was set at run time, which goes before the configuration database; take it back with "
    "ceph tell {daemon} config unset {option}",
}


@dataclass(frozen=True)
class PolicyState:
    """What a cluster says of the policy.

    ``options`` are those that the release has, by the name of the part; ``rows`` is its configuration database;
    ``daemons`` are the running MDS and monitors, ``effective`` what they work with.
    """

    dialect: Dialect
    options: Mapping[str, CephOption]
    rows: Sequence[ConfigValue]
    daemons: Sequence[Daemon]
    effective: Effective = field(default_factory=dict)

    def acting_on(self, part: PolicyOption) -> list[Daemon]:
        """Return the running daemons that the part is for."""
        return [daemon for daemon in self.daemons if daemon.type == part.daemon]


@dataclass(frozen=True)
class PolicyWish:
    """What a task wants in a section: values by the name of the part, and parts to return to their defaults."""

    target: Target
    values: Mapping[str, Any]
    reset: Sequence[str] = ()

    def parts(self) -> list[PolicyOption]:
        """Return the parts that the task is about."""
        named = {*self.values, *(part.name for part in map(find_part, self.reset) if part)}
        return [part for part in POLICY if part.name in named]

    def target_of(self, part: PolicyOption) -> Target:
        """Return the section for a part: what the monitors act on is not set for an MDS."""
        return self.target if self.target.type in ("global", part.daemon) else Target(part.daemon)

    def problems(self, state: PolicyState) -> list[str]:
        """Return everything that speaks against the wish, as texts for people."""
        problems = [
            f"reset: no part of the session policy is called {name}{nearest(name, all_names())}"
            for name in self.reset
            if find_part(name) is None
        ]
        if self.target.type not in ("global", "mds"):
            problems.append(f"section {self.target.who} has no MDS: expected mds, mds.NAME, mds/MASK or global")
        reset = {part.name for part in map(find_part, self.reset) if part}
        problems += [f"{name} is to be set and to be reset" for name in self.values if name in reset]
        for part in self.parts():
            option = state.options.get(part.name)
            if option is None:
                name = state.dialect.option(part.option)
                problems.append(f"Ceph {state.dialect.release} has no option {name} ({part.name}); leave it out")
            elif part.name in self.values:
                problems += filter(None, [_problem(part, option, self.values[part.name])])
        return problems

    def wishes(self, state: PolicyState) -> list[Wish]:
        """Return the rows that the configuration database shall have, and those that it shall not."""
        found = []
        for part in self.parts():
            option = state.options[part.name]
            other = state.dialect.other(option.name)
            found.append(wish_for(self.target_of(part), option, self.values.get(part.name), other))
        return found


def _problem(part: PolicyOption, option: CephOption, value: Any) -> str | None:
    # Ceph itself takes a negative time, and evicts at once.
    if part.kind == "float" and value < 0:
        return f"{part.name} is {value}: expected 0 seconds or more"
    return problem(option, value)


@dataclass(frozen=True)
class Missing:
    """A daemon in which a wish is not in effect; ``obstacle`` is None if it does not answer."""

    wish: Wish
    daemon: str
    obstacle: Obstacle | None

    @property
    def overridden(self) -> bool:
        """Whether something goes before what the task sets, so that waiting does not help."""
        return self.obstacle is not None and self.obstacle.kind == "overridden"

    def __str__(self) -> str:
        """Return it as a text for people, with the remedy."""
        option = self.wish.option.name
        if self.obstacle is None:
            return f"{self.daemon} does not answer: what {option} it works with is not known"
        what = f"{self.daemon} has {option} {self.obstacle.value}"
        if self.wish.value is not None:
            what += f" instead of {self.wish.value}"
        section = self.obstacle.section
        if section:
            return f"{what}: that is in section {section}, which goes before {self.wish.target.who}; reset it there"
        unknown = f"that is from {self.obstacle.source}, which goes before the configuration database"
        return f"{what}: {_REASONS.get(self.obstacle.source, unknown).format(daemon=self.daemon, option=option)}"


def missing_in(state: PolicyState, wishes: Sequence[Wish], rows: Sequence[ConfigValue]) -> list[Missing]:
    """Return where the wishes are not in effect once the database has these rows."""
    found = []
    for wish in wishes:
        silent = [daemon for daemon in state.daemons if effective_value(state.effective, daemon, wish.option) is None]
        kinds = {part.daemon for part in POLICY if state.options.get(part.name) == wish.option}
        found += [Missing(wish, daemon.name, None) for daemon in silent if daemon.type in kinds]
        answering = [daemon for daemon in state.daemons if daemon.type in kinds]
        found += [Missing(wish, one.daemon, one) for one in obstacles(wish, rows, answering, state.effective)]
    return found


def configured(state: PolicyState) -> dict[str, dict[str, Any]]:
    """Return what is known of every part that the release has, by its name, as a module returns it."""
    return {
        part.name: _configured(state, part, state.options[part.name]) for part in POLICY if part.name in state.options
    }


def _configured(state: PolicyState, part: PolicyOption, option: CephOption) -> dict[str, Any]:
    def values(name: str | None) -> dict[str, Any]:
        return {row.target.who: typed(part.kind, row.value) for row in state.rows if row.name == name}

    effective = {daemon.name: effective_value(state.effective, daemon, option) for daemon in state.acting_on(part)}
    return {
        "option": option.name,
        "default": typed(part.kind, normalise(option, option.default)),
        "configured": values(option.name),
        "left_under_old_name": values(state.dialect.other(option.name)),
        "effective": {
            name: None if runs is None else {"value": typed(part.kind, runs.value), "source": runs.source}
            for name, runs in effective.items()
        },
    }


def drift(state: PolicyState) -> list[dict[str, Any]]:
    """Return where a daemon does not work with what is configured for it, or its default, as a module returns it."""
    return [
        found
        for part in POLICY
        if part.name in state.options
        for daemon in state.acting_on(part)
        for found in _drift_of(state, part, state.options[part.name], daemon)
    ]


def _drift_of(state: PolicyState, part: PolicyOption, option: CephOption, daemon: Daemon) -> list[dict[str, Any]]:
    runs = effective_value(state.effective, daemon, option)
    row = row_for(state.rows, daemon, option.name)
    wanted = option.default if row is None else row.value
    if runs is not None and same_value(option, runs.value, wanted):
        return []
    return [
        {
            "name": part.name,
            "daemon": daemon.name,
            "configured": typed(part.kind, normalise(option, wanted)),
            "effective": None if runs is None else typed(part.kind, runs.value),
            "source": None if runs is None else runs.source,
        }
    ]
