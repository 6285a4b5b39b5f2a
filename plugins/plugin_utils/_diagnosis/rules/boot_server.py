# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the boot server run, and does it know the host?"""

from __future__ import annotations

from collections.abc import Callable

from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, MINOR, Finding, Fine, Rule
from .machine import EVENTS

_FETCHES = ("dhcp", "loader", "kernel")


def boot_services(evidence: Evidence) -> Finding | Fine:
    """What answers DHCP and TFTP, and whatever else the boot server reports beside NFS and the boot log's events."""
    down = _down(evidence, lambda unit: not _is_nfs(unit) and unit != EVENTS)
    if not down:
        return Fine("the services for DHCP and TFTP are active")
    return Finding(
        "boot-server-down",
        "The boot server does not serve: a service of it is down.",
        tuple(f"{unit}: {state}" for unit, state in down.items()),
        "Restart it. If it fails again, its log says why; the site playbook puts its configuration right.",
        evidence.commands.on_boot_server("systemctl", "restart", *down),
        CERTAIN,
    )


def nfs(evidence: Evidence) -> Finding | Fine:
    """The host boots without it, and waits for /boot."""
    down = _down(evidence, _is_nfs)
    if not down:
        return Fine("the NFS server is active")
    unit = next((unit for unit in down if unit.endswith(".service")), None)
    return Finding(
        "nfs-down",
        "The NFS server of the boot server is down: /boot is not there, and kernel updates do not reach the boot tree.",
        tuple(f"{unit}: {state}" for unit, state in down.items()),
        "Restart it, or run the site playbook, which starts it and exports the boot trees.",
        evidence.commands.on_boot_server("systemctl", "restart", unit) if unit else evidence.commands.site,
        MINOR,
    )


def spares(evidence: Evidence) -> Finding | Fine:
    """Where several boot servers take turns, one of them is enough, and the others are there for the next night."""
    evidence.need(dict, "services")
    others = {name: states for name, states in evidence.boot_servers().items() if name != evidence.commands.boot_server}
    down = {
        name: bad
        for name, states in others.items()
        if states
        and (bad := [f"{unit}: {state}" for unit, state in states.items() if state not in ("active", "unknown")])
    }
    silent = [name for name, states in others.items() if not states]
    if not down and silent:
        raise NotKnown(f"{', '.join(silent)} could not be asked")
    if not down:
        return Fine(f"{', '.join(others)} serves as well" if others else "there is one boot server")
    return Finding(
        "other-boot-server-down",
        "Another boot server of the host is down: it will be missed when this one fails.",
        tuple(f"{name}: {what}" for name, bad in down.items() for what in bad),
        "Bring it back before it is needed.",
        evidence.commands.on(next(iter(down)), "systemctl", "--failed", "--no-pager"),
        MINOR,
        ("boot-server-down",),
    )


def admitted(evidence: Evidence) -> Finding | Fine:
    """dnsmasq answers only those in its list."""
    if evidence.need(bool, "boot", "admitted"):
        return Fine("DHCP and the packet filter know the host")
    return Finding(
        "not-admitted",
        "The boot server does not know the host: it answers none of its requests.",
        (f"{evidence.spec.mac} with {evidence.spec.address} is not in its list for DHCP, or not in its packet filter",),
        "Run the site playbook, which admits every host of the inventory that has a boot tree.",
        evidence.commands.site,
        CERTAIN,
    )


def linked(evidence: Evidence) -> Finding | Fine:
    """What TFTP shows to the host is a directory of links of its own."""
    if evidence.need(bool, "boot", "linked"):
        return Fine("TFTP shows the host its boot tree")
    return Finding(
        "not-linked",
        "TFTP shows the host nothing: the links to its boot tree are missing or wrong.",
        (f"no proper links for {evidence.spec.address} below what TFTP shows",),
        "Run the site playbook, which makes them.",
        evidence.commands.site,
        CERTAIN,
        ("tree-missing",),
    )


def exported(evidence: Evidence) -> Finding | Fine:
    """/boot of the host is its boot tree over NFS."""
    if evidence.need(bool, "boot", "exported"):
        return Fine("NFS exports the boot tree to the host")
    return Finding(
        "not-exported",
        "NFS does not export the boot tree to the host: it cannot mount /boot.",
        (f"no export of the boot tree of {evidence.name} to {evidence.spec.address}",),
        "Run the site playbook, which exports every boot tree to its host.",
        evidence.commands.site,
        MINOR,
        ("tree-missing", "nfs-down"),
    )


def _down(evidence: Evidence, counts: Callable[[str], bool]) -> dict[str, str]:
    """Return the services that are not active, with their states. Raises NotKnown when that is not known of one."""
    states = {unit: evidence.get(str, "services", unit) for unit in evidence.need(dict, "services") if counts(unit)}
    down = {unit: state for unit, state in states.items() if state not in (None, "active")}
    if not down and (not states or None in states.values()):
        raise NotKnown(f"the boot server does not tell about {', '.join(states) or 'it'}")
    # The NFS server has a name that says what it is, and that of its unit.
    return {unit: state for unit, state in down.items() if state and (unit != "nfs" or len(down) == 1)}


def _is_nfs(unit: str) -> bool:
    return unit.startswith("nfs")


RULES = (
    Rule("boot-services", "The boot server serves", _FETCHES, boot_services),
    Rule("nfs", "The NFS server runs", (), nfs),
    Rule("other-boot-servers", "All boot servers of the host serve", (), spares),
    Rule("admitted", "The boot server admits the host", ("dhcp",), admitted),
    Rule("linked", "TFTP shows the boot tree", ("loader", "kernel"), linked),
    Rule("exported", "NFS exports the boot tree", (), exported),
)
