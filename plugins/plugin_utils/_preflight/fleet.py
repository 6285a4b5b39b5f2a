# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a fleet before anything is made for it: its host specs, and what its machines have told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._diagnosis.commands import Commands
from .._host_spec import HostSpec

GROUPS = ("ceph_admin", "boot_servers", "log_hosts")


@dataclass(frozen=True)
class Machine:
    """A machine that is no diskless host.

    groups: those of the inventory that it is in. told: what preflight_machine.py printed, or None with an ``error``.
    began, ended: when it was asked, in seconds since 1970 of the controller.
    """

    name: str
    groups: tuple[str, ...]
    told: Mapping[str, Any] | None
    error: str
    began: float
    ended: float

    @property
    def addresses(self) -> tuple[str, ...] | None:
        """Its own addresses; None if unknown."""
        found = self.told.get("addresses") if self.told else None
        return None if found is None else tuple(map(str, found))


class Fleet:
    """All that the pre-flight looks at.

    given: see the filter ``preflight``. Raises KeyError or ValueError where specs are not complete.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.all_hosts = tuple(HostSpec.from_dict(spec) for spec in given["specs"])
        asked = given.get("names")
        # Those that the report is about; what boot servers do is judged by all hosts.
        self.hosts = tuple(host for host in self.all_hosts if asked is None or host.name in asked)
        self.ceph = _mapping(given.get("ceph"))
        self.ceph_error = str(given.get("ceph_error") or "")
        # A module that fails says why.
        self.pools = {str(each["item"]): str(each["msg"]) for each in _results(given, "pools") if each.get("failed")}
        self.golden_size = given.get("golden_size")
        self.controller = _mapping(given.get("controller"))
        self.groups = {name: tuple(_mapping(given.get("groups")).get(name) or ()) for name in GROUPS}
        self._settings = _mapping(given.get("settings"))
        self._network = {tuple(each["item"]): _printed(each) for each in _results(given, "network")}
        self._asked = _results(given, "machines")
        self._ended = float(given.get("ended") or 0)

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """All machines that the site playbook works on besides the diskless hosts, in the order they were asked."""
        found: list[Machine] = []
        ended = self._ended
        # One was asked when the one before had answered.
        for result in reversed(self._asked):
            name, told = str(result["item"]), _printed(result)
            began = float(told["asked"]) if told else 0.0
            groups = tuple(group for group in GROUPS if name in self.groups[group])
            error = str(result.get("stderr") or result.get("msg") or "no answer")
            found.insert(0, Machine(name, groups, told, error, began, ended))
            ended = began or ended
        return tuple(found)

    def group(self, name: str) -> list[Machine]:
        """The machines of a group that have told something."""
        return [machine for machine in self.machines if name in machine.groups and machine.told]

    def setting(self, machine: str, name: str) -> Any:
        """A variable of a machine, as the roles will read it."""
        return _mapping(self._settings.get(name)).get(machine)

    def served_by(self, machine: str) -> list[HostSpec]:
        """The hosts that a boot server serves, as the site playbook tells them apart."""
        own = self.setting(machine, "boot_server")
        return [host for host in self.all_hosts if not own or host.boot_server == own]

    def servers_of(self, host: HostSpec) -> list[str]:
        """The boot servers that serve a host."""
        return [
            name
            for name in self.groups["boot_servers"]
            if self.setting(name, "boot_server") in (None, "", host.boot_server)
        ]

    def network_of(self, host: HostSpec) -> Mapping[str, Any] | None:
        """What its boot servers see of its boot network; a monitor that one of them reaches can be reached."""
        seen = [view for name in self.servers_of(host) if (view := self._network.get((name, host.network)))]
        if not seen:
            return None
        monitors: dict[str, Any] = {}
        for view in seen:
            for monitor, answer in _mapping(view.get("monitors")).items():
                if monitors.get(monitor) != "ok":
                    monitors[monitor] = answer
        return {"monitors": monitors}

    def mtu(self, machine: str) -> dict[str, Any]:
        """By boot network, the MTU of the card that a boot server has in it; None if that is not clear."""
        return {network: seen.get("mtu") for (name, network), seen in self._network.items() if name == machine and seen}

    @property
    def cluster(self) -> Mapping[str, Any]:
        """What Ceph says of itself; empty if nothing."""
        return _mapping(self.ceph.get("cluster"))

    def monitors(self, host: HostSpec) -> list[str]:
        """The addresses of the cluster's monitors for the protocol that a host speaks."""
        protocol = "v1" if host.ms_mode == "legacy" else "v2"
        monitors: Sequence[Mapping[str, Any]] = self.cluster.get("monitors") or ()
        return [str(monitor[protocol]) for monitor in monitors if monitor.get(protocol)]

    def commands(self, host: str = "", machine: str = "") -> Commands:
        """What to type, with the names of the inventory."""
        return Commands.of({**self.controller, **({"boot_server": machine} if machine else {})}, host)


def _results(given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """What Ansible has registered for each item of a loop, but for items that were skipped."""
    return [each for each in given.get(name) or () if "item" in each and not each.get("skipped")]


def _printed(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a program has printed, as JSON; None if it has not come to that."""
    try:
        return _mapping(json.loads(result["stdout"])) or None if result.get("rc") == 0 else None
    except (KeyError, ValueError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
