# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Can the site playbook work on the machines that it needs besides the diskless hosts, and do these get on?"""

from __future__ import annotations

from collections.abc import Iterable

from ...module_utils._osd_blocklist_address import parse_ip
from .fleet import Fleet, Machine
from .problem import NotKnown, Problem, Said

# The same as the diagnosis allows a host: certificates and logs mind this much.
_CLOCK_SECONDS = 60
_NEEDED = {
    "ceph_admin": "one where ceph and rbd run with an admin key",
    "boot_servers": "one or more that serve DHCP, TFTP and NFS",
}


def groups(fleet: Fleet) -> Iterable[Said]:
    """Without these there is nobody to do it."""
    for group, expected in _NEEDED.items():
        if not fleet.groups[group]:
            text = f"The inventory has no host in the group {group}."
            yield Problem("group-empty", text, (f"{group}: no host",), expected, f"Add a host to {group}.")


def reached(fleet: Fleet) -> Iterable[Said]:
    """As root: all roles install packages and write below /etc."""
    for machine in fleet.machines:
        if machine.told is None:
            yield Problem(
                "machine-unreachable",
                f"{_what(machine)} cannot be asked.",
                (machine.error,),
                "Ansible logs in there, becomes root and finds Python",
                "Correct how the inventory reaches it: ansible_host, ansible_user, ansible_become.",
                fleet.commands().on(machine.name, "id"),
                machine=machine.name,
            )
        elif machine.told.get("uid") not in (0, None):
            yield Problem(
                "machine-without-root",
                f"On {machine.name} Ansible is not root.",
                (f"user id: {machine.told['uid']}",),
                "user id: 0",
                "Set ansible_become: true for it.",
                fleet.commands().on(machine.name, "id"),
                machine=machine.name,
            )


def clocks(fleet: Fleet) -> Iterable[Said]:
    """Each against the others: between the time before and the time after it was asked lies some network."""
    known = {machine.name: (machine, machine.told.get("clock")) for machine in fleet.machines if machine.told}
    ahead = {
        name: (clock - machine.ended, clock - machine.began)
        for name, (machine, clock) in known.items()
        if isinstance(clock, (int, float))
    }
    if not ahead:
        return
    fastest = max(ahead, key=lambda name: ahead[name][0])
    slowest = min(ahead, key=lambda name: ahead[name][1])
    seconds = ahead[fastest][0] - ahead[slowest][1]
    if seconds > _CLOCK_SECONDS:
        yield Problem(
            "clocks-differ",
            "The clocks of the machines differ: packages may not install, and logs contradict each other.",
            (f"{fastest} is at least {seconds:.0f} s ahead of {slowest}",),
            f"{_CLOCK_SECONDS} s at most",
            "Let all machines take their time from the same source.",
            fleet.commands().on(",".join(sorted((fastest, slowest))), "timedatectl"),
            machine=fastest,
        )


def addresses(fleet: Fleet) -> Iterable[Said]:
    """A host at the address of somebody else takes that one from the network as soon as it boots."""
    owners: dict[str, str] = {}
    for monitor in fleet.cluster.get("monitors") or ():
        for address in filter(None, (monitor.get("v1"), monitor.get("v2"))):
            ip = str(parse_ip(str(address).rpartition(":")[0].strip("[]")))
            owners.setdefault(ip, f"of monitor {monitor['name']}")
    for machine in fleet.machines:
        if machine.told and machine.addresses is None:
            yield NotKnown("address-taken", f"{machine.name} does not tell its addresses")
        owners |= dict.fromkeys(machine.addresses or (), f"of {machine.name}")
    for host in fleet.hosts:
        # A diskless host may be a log host as well.
        if owners.get(host.address, f"of {host.name}") != f"of {host.name}":
            yield Problem(
                "address-taken",
                "The address of the host is that of another machine.",
                (f"diskless_address: {host.address}, the address {owners[host.address]}",),
                "an address that nobody else has",
                "Give the host another one.",
                host=host.name,
            )


def _what(machine: Machine) -> str:
    words = {"ceph_admin": "The Ceph admin host", "boot_servers": "A boot server", "log_hosts": "A log host"}
    return next((words[group] for group in machine.groups), "A machine")


CHECKS = (groups, reached, clocks, addresses)
