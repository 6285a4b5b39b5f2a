# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Are the ports free that the collection's services listen on, or theirs already?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .fleet import Fleet, Machine
from .problem import NotKnown, Problem, Said

_ALL = ("0.0.0.0", "::")  # noqa: S104 -- what others may listen on
# Several of them share a machine, each for its own network cards: those of virtual machines, for example.
_SHARING = {("udp", 67): "dnsmasq"}


@dataclass(frozen=True)
class Port:
    """A port that is needed. units: any of which, when it is active, is the one that has it."""

    protocol: str
    number: int
    purpose: str
    units: tuple[str, ...]
    address: str = _ALL[0]


def ports(fleet: Fleet) -> Iterable[Said]:
    """Whoever has them now keeps the services from starting, or takes their packets."""
    for machine in fleet.machines:
        wanted = [*_of_boot_server(fleet, machine), *_of_log_host(fleet, machine)]
        if wanted and machine.told:
            yield from _taken(fleet, machine, wanted, machine.told)


def _of_boot_server(fleet: Fleet, machine: Machine) -> Iterable[Port]:
    if "boot_servers" not in machine.groups:
        return
    address = next((host.boot_server for host in fleet.served_by(machine.name)), _ALL[0])
    dnsmasq = ("diskless-dnsmasq.service",)
    yield Port("udp", 67, "DHCP", dnsmasq)
    yield Port("udp", 69, "TFTP", dnsmasq, address)
    yield Port("tcp", 2049, "NFS", _nfs_units(fleet, machine))


def _nfs_units(fleet: Fleet, machine: Machine) -> tuple[str, ...]:
    """The server that the role boot_server will choose."""
    kind, has = fleet.setting(machine.name, "nfs"), (machine.told or {}).get("nfsd")
    if kind == "auto" and has is None:
        return ("nfs-server.service", "nfs-ganesha.service")
    by_kernel = kind == "kernel" or (kind == "auto" and has)
    return ("nfs-server.service",) if by_kernel else ("nfs-ganesha.service",)


def _of_log_host(fleet: Fleet, machine: Machine) -> Iterable[Port]:
    if "log_hosts" not in machine.groups:
        return
    for setting, purpose, unit in (
        ("netconsole_port", "what hosts say", "diskless-bootlog-netconsole.socket"),
        ("events_port", "what boot servers do", "diskless-bootlog-events.socket"),
    ):
        yield Port("udp", int(fleet.setting(machine.name, setting)), purpose, (unit,))
    address, _sign, port = str(fleet.setting(machine.name, "page")).rpartition(":")
    yield Port("tcp", int(port), "the page of the boot log", ("diskless-bootlog-page.service",), address.strip("[]"))


def _taken(fleet: Fleet, machine: Machine, wanted: Iterable[Port], told: Mapping[str, Any]) -> Iterable[Said]:
    listening, units = told.get("ports"), told.get("units")
    if not isinstance(listening, list) or not isinstance(units, Mapping):
        yield NotKnown("port-taken", f"{machine.name} does not tell who listens on its ports")
        return
    for port in wanted:
        if any(units.get(unit) == "active" for unit in port.units):
            continue
        for other in listening:
            if (other["protocol"], other["port"]) != (port.protocol, port.number) or not _meet(other, port):
                continue
            owner = other.get("owner")
            yield Problem(
                "port-taken",
                f"Somebody else has the port for {port.purpose}.",
                (f"{port.protocol} {other['address']} port {port.number}: {owner or 'a process that is not known'}",),
                f"nobody, or {' or '.join(port.units)}",
                "Stop what listens there, and disable it, or let another machine do this.",
                fleet.commands().on(machine.name, "ss", "-lnp", f"--{port.protocol}"),
                machine=machine.name,
                stops=_SHARING.get((port.protocol, port.number)) != owner or owner is None,
            )
            break


def _meet(other: Mapping[str, Any], port: Port) -> bool:
    return other["address"] == port.address or other["address"] in _ALL or port.address in _ALL


CHECKS = (ports,)
