# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet at one moment, as JSON, with the number of the change in which each host last changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from .database import Fleet
from .host import SETTLED, STATES, Host

# Bars and ages of hosts that are booting are renewed this often, in seconds.
_RENEWED = 10
# After so many seconds without a sign of it, the receiver is taken to be dead.
RECEIVER_SECONDS = 60.0


@dataclass(frozen=True)
class Shown:
    """One host as it is shown."""

    host: Host
    json: dict[str, Any]
    essence: dict[str, Any]
    changed: int

    @property
    def state(self) -> str:
        """One of STATES."""
        return str(self.json["state"])


@dataclass(frozen=True)
class View:
    """All hosts as they are shown, the most urgent first. ``gone`` are names that earlier views had."""

    version: int
    time: float
    fleet: Fleet
    hosts: tuple[Shown, ...]
    gone: tuple[str, ...]
    last_write: float | None

    def receiver_alive(self) -> bool:
        """Whether the receiver has written lately; it does so even when no host says anything."""
        return self.last_write is not None and self.time - self.last_write < RECEIVER_SECONDS

    def counts(self) -> dict[str, int]:
        """Number of hosts in each state that has any, the most urgent first."""
        counted = Counter(shown.state for shown in self.hosts)
        return {state: counted[state] for state in STATES if counted[state]}

    def find(self, name: str) -> Shown | None:
        """The host of that name."""
        return next((shown for shown in self.hosts if shown.host.name == name), None)

    def since(self, version: int) -> list[Shown]:
        """Hosts that have changed since a version."""
        return [shown for shown in self.hosts if shown.changed > version]


def view(fleet: Fleet, now: float, last_write: float | None, before: View | None) -> View:
    """The next view; its version is that of the one before when nothing has changed for people."""
    earlier = {shown.host.name: shown for shown in before.hosts} if before else {}
    # Versions grow from one process to the next, so that viewers can tell that theirs is old.
    version = before.version if before else int(now * 1000)
    hosts = [_shown(host, now, earlier.get(host.name), version + 1) for host in fleet.hosts]
    names = {host.name for host in fleet.hosts}
    gone = tuple(name for name in (*earlier, *(before.gone if before else ())) if name not in names)
    changed = any(shown.changed > version for shown in hosts) or (before is not None and gone != before.gone)
    hosts.sort(key=lambda shown: STATES.index(shown.state))  # stable: fleet.hosts are sorted by name
    return View(version + changed, now, fleet, tuple(hosts), gone, last_write)


def _shown(host: Host, now: float, before: Shown | None, version: int) -> Shown:
    json = host.as_json(now)
    essence = {**json, "stage_seconds": None}
    if json["stage"] not in (None, *SETTLED):
        essence["stage_seconds"] = json["stage_seconds"] // _RENEWED
    return Shown(host, json, essence, before.changed if before and before.essence == essence else version)
