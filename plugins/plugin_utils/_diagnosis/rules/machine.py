# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the machine have power, and does anybody hear of it?"""

from __future__ import annotations

from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, MINOR, POSSIBLE, PROBABLE, Finding, Fine, Rule

EVENTS = "diskless-boot-events.service"
# What a host waits for without a word when Ceph no longer serves it.
_BEHIND_SILENCE = (
    *("power-off", "cluster-no-answer", "monitors-silent", "osds-silent", "cluster-paused", "cluster-full"),
    *("data-unavailable", "fenced", "lock-owner-alive"),
)


def power(evidence: Evidence) -> Finding | Fine:
    """The power driver, and a host that answers, which has power for certain."""
    if evidence.runs:
        return _power_of_running_host(evidence)
    if evidence.power() == "on":
        return Fine("the power driver says that it is on")
    last = evidence.get(str, "boot_log", "last", "text")
    return Finding(
        "power-off",
        "The host is switched off.",
        ("power driver: off", *([f"its last words: {last}"] if last else [])),
        "Switch it on. If nobody has switched it off, look at its power supply, or at what it said last.",
        evidence.commands.power("on"),
        CERTAIN,
    )


def _power_of_running_host(evidence: Evidence) -> Finding | Fine:
    try:
        off = evidence.power() == "off"
    except NotKnown:
        off = False
    if not off:
        return Fine("it answers by SSH")
    return Finding(
        "power-driver-wrong",
        "The power driver of this host looks at another machine.",
        ("power driver: off", f"{evidence.name} answers by SSH"),
        "Correct diskless_power of the host. Until then nothing that relies on 'off' may be done to it: its image "
        "would be taken from a live machine.",
        evidence.commands.power("status"),
        PROBABLE,
    )


def first_request(evidence: Evidence) -> Finding | Fine:
    """A machine that is heard of is alive; one that is not may be off, unplugged, or set to boot from elsewhere."""
    if evidence.runs:
        return Fine("it answers by SSH")
    state = evidence.need(str, "boot_log", "state")
    if state not in ("silent", "down"):
        return Fine(f"the boot log has heard of it: {state}")
    events = evidence.get(str, "services", EVENTS)
    if events != "active":
        raise NotKnown(f"it is not certain that the boot log hears of DHCP: {EVENTS} is {events or 'unknown'}")
    seen = (
        "boot log: never heard of it"
        if state == "silent"
        else f"boot log: shut down (stage {evidence.get(str, 'boot_log', 'stage')}), and no DHCP request since"
    )
    return Finding(
        "no-request",
        "The firmware of the host has not asked the boot server for anything.",
        (seen, f"MAC address in the inventory: {evidence.spec.mac}"),
        "Is it switched on? Then look at cable, switch port and VLAN, at the boot order of its firmware, and whether "
        "the log of the boot server has requests of an unknown MAC address, which would be the right one.",
        evidence.commands.on_boot_server(
            "journalctl", "--unit", "diskless-dnsmasq.service", "--lines", "50", "--no-pager"
        ),
        PROBABLE,
        ("power-off", "boot-server-down"),
    )


def answers(evidence: Evidence) -> Finding | Fine:
    """A host that was ready and does not answer hangs, or has lost its power or network."""
    if evidence.need(bool, "host", "reachable"):
        return Fine("it answers by SSH")
    said = f"SSH: {evidence.why_unreachable()}"
    state = evidence.get(str, "boot_log", "state")
    if state in ("failed", "late", "booting"):
        return Fine(f"no answer by SSH, and none is expected: the boot log says {state}")
    if state == "ready":
        return _lost(evidence, said)
    return Finding(
        "no-ssh",
        "The host does not answer by SSH, and it is not known why.",
        (said, f"boot log: {state or 'not known'}"),
        "Look at its console. With a log host and diskless_netconsole its next boot tells where it stands.",
        evidence.commands.on_host("true"),
        POSSIBLE // 2,
        ("no-request", *_BEHIND_SILENCE),
    )


def _lost(evidence: Evidence, said: str) -> Finding:
    watchers = evidence.get(list, "ceph", "watchers")
    facts = [said, "boot log: ready, and no DHCP request since"]
    if watchers is not None:
        holders = ", ".join(f"{one['client']} at {one['address']}" for one in watchers)
        facts.append(f"clients that hold its image: {holders or 'none, so its kernel is gone'}")
    return Finding(
        "lost",
        "The host was ready and does not answer any more: it hangs, or it has lost its power or its network.",
        tuple(facts),
        "Read its last lines. A kernel that still holds the image may be waiting for Ceph or the network; one that is "
        "gone comes back when it is switched off and on. recover_host does that in the safe order.",
        evidence.commands.recover(),
        PROBABLE,
        _BEHIND_SILENCE,
    )


def boot_log_hears(evidence: Evidence) -> Finding | Fine:
    """Without the events of the boot server nobody hears of a machine before it has a kernel."""
    events = evidence.need(str, "services", EVENTS)
    if events == "active":
        return Fine(f"{EVENTS} is active")
    return Finding(
        "boot-events-down",
        "The boot server does not tell the boot log about DHCP and TFTP.",
        (f"{EVENTS}: {events}",),
        "Start it; what has been missed is sent then.",
        evidence.commands.on_boot_server("systemctl", "restart", EVENTS),
        MINOR,
    )


RULES = (
    Rule("power", "The host has power", ("dhcp",), power),
    Rule("first-request", "The firmware asks the boot server", ("dhcp",), first_request),
    Rule("answers", "The host answers", (), answers),
    Rule("boot-events", "The boot log hears of firmware", (), boot_log_hears),
)
