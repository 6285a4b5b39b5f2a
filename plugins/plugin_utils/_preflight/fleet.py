# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a fleet before anything is made for it: its host specs, and what its machines have told."""

from __future__ import annotations

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
        self.pools = _mapping(given.get("pools"))
        self.golden_size = given.get("golden_size")
        self.controller = _mapping(given.get("controller"))
        self.groups = {name: tuple(_mapping(given.get("groups")).get(name) or ()) for name in GROUPS}
        self._settings = _mapping(given.get("settings"))
        self._network = _mapping(given.get("network"))
        self._told = _mapping(given.get("machines"))

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """All machines that the site playbook works on besides the diskless hosts, in the order they were asked."""
        return tuple(self._machine(name, _mapping(told)) for name, told in self._told.items())

    def _machine(self, name: str, said: Mapping[str, Any]) -> Machine:
        told = said.get("told")
        return Machine(
            name,
            tuple(group for group in GROUPS if name in self.groups[group]),
            told if isinstance(told, Mapping) and told else None,
            str(said.get("error") or "no answer"),
            float(said.get("began") or 0),
            float(said.get("ended") or 0),
        )

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
        seen = [_mapping(_mapping(self._network.get(name)).get(host.network)) for name in self.servers_of(host)]
        seen = [view for view in seen if view]
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
        return {name: _mapping(seen).get("mtu") for name, seen in _mapping(self._network.get(machine)).items()}

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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
