# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the cluster answer, also from where the hosts are, and does it let anybody write?"""

from __future__ import annotations

from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, MINOR, POSSIBLE, PROBABLE, Finding, Fine, Rule
from .host_cpio import named_monitors

AFTER_NETWORK = ("map", "root", "userspace", "ready", "unmapped")
CLUSTER_STOPPED = ("cluster-paused", "cluster-full", "data-unavailable")
_PAUSED = ("pause", "pauserd", "pausewr")
_FULL = ("full", "full_quota")
_FULL_CHECKS = ("OSD_FULL", "POOL_FULL")


def answers(evidence: Evidence) -> Finding | Fine:
    """The Ceph admin host asks; it may also be that it alone cannot."""
    reached, said = evidence.cluster_answers()
    if reached:
        return Fine("Ceph answers")
    return Finding(
        "cluster-no-answer",
        "Ceph does not answer the Ceph admin host either: the monitors are away, or have no quorum.",
        (f"Ceph: {said or 'no answer'}",),
        "Look at the monitors on their own machines. If hosts boot all the same, the Ceph admin host is not set up to "
        "reach Ceph: its ceph.conf, its key, or diskless_ceph_launcher.",
        evidence.commands.ceph("--connect-timeout", "10", "quorum_status"),
        CERTAIN,
    )


def monitors_reached(evidence: Evidence) -> Finding | Fine:
    """Asked from the boot server, which is on the boot network as the host is."""
    asked = evidence.need(dict, "network", "monitors")
    named = named_monitors(evidence) or list(asked)
    unasked = [monitor for monitor in named if asked.get(monitor) in (None, "unknown")]
    if unasked or not named:
        raise NotKnown(f"{', '.join(unasked) or 'no monitor'} was not asked from the boot network")
    silent = {monitor: str(asked[monitor]) for monitor in named if asked[monitor] != "ok"}
    if not silent:
        return Fine(f"{', '.join(named)} answer from the boot network")
    facts = tuple(f"{monitor} from the boot network: {answer}" for monitor, answer in silent.items())
    remedy = (
        "A monitor that refuses does not run; one that is silent or unreachable is behind a packet filter or a router, "
        "or its machine is down. Compare diskless_gateway with the way to it."
    )
    command = evidence.commands.on_boot_server("ip", "route", "get", _address(next(iter(silent))))
    if len(silent) < len(named):
        text = "Some of the monitors that the host asks do not answer on the boot network; the others do."
        return Finding("monitor-silent", text, facts, remedy, command, MINOR, ("cluster-no-answer", "other-monitors"))
    text = "None of the monitors that the host asks answers on the boot network."
    explained_by = ("cluster-no-answer", "other-monitors")
    return Finding("monitors-silent", text, facts, remedy, command, CERTAIN, explained_by)


def osds_answer(evidence: Evidence) -> Finding | Fine:
    """Monitors that answer have no data."""
    if evidence.get(bool, "ceph", "image", "exists") is not None:
        return Fine("the OSDs answer")
    evidence.need(str, "cluster", "health")
    said = evidence.cluster_answers()[1]
    if not said:
        raise NotKnown("Ceph does not tell image exists")
    return Finding(
        "osds-silent",
        "The monitors answer, and the OSDs that have the images do not.",
        (f"Ceph: {said}",),
        "Look which OSDs are down, and start them.",
        evidence.commands.ceph("osd", "tree", "down"),
        CERTAIN,
        CLUSTER_STOPPED,
    )


def not_paused(evidence: Evidence) -> Finding | Fine:
    """Somebody has stopped all reading or writing."""
    flags = [flag for flag in evidence.need(list, "cluster", "flags") if flag in _PAUSED]
    if not flags:
        return Fine("no flag pauses it")
    return Finding(
        "cluster-paused",
        "The cluster is paused: nobody can read or write.",
        (f"flags: {', '.join(flags)}",),
        "Ask who has paused it and why, then let it go on.",
        evidence.commands.ceph("osd", "unpause"),
        CERTAIN,
    )


def not_full(evidence: Evidence) -> Finding | Fine:
    """A full pool or OSD takes no write, so no root can be mounted."""
    flags = [f"flag {flag}" for flag in evidence.need(list, "cluster", "flags") if flag in _FULL]
    full = flags + _checks(evidence, _FULL_CHECKS)
    if not full:
        return Fine("neither pools nor OSDs are full")
    return Finding(
        "cluster-full",
        "The cluster is full: nothing can be written, and the root cannot be mounted.",
        tuple(full),
        "Delete what nobody needs, raise the quota of the pool, or add OSDs.",
        evidence.commands.ceph("df"),
        CERTAIN,
    )


def data_available(evidence: Evidence) -> Finding | Fine:
    """Placement groups that are not active make whoever needs them wait for ever."""
    checks = _checks(evidence, ("PG_AVAILABILITY",))
    if not checks:
        return Fine("all placement groups serve")
    return Finding(
        "data-unavailable",
        "A part of the data cannot be reached: whoever needs it waits.",
        tuple(checks),
        "Bring back the OSDs that have it.",
        evidence.commands.ceph("health", "detail"),
        PROBABLE,
    )


def healthy(evidence: Evidence) -> Finding | Fine:
    """Warnings do not keep anybody from booting."""
    health = evidence.need(str, "cluster", "health")
    if health != "HEALTH_ERR":
        return Fine(health)
    errors = [check for check in evidence.get(list, "cluster", "checks") or [] if check["severity"] == "HEALTH_ERR"]
    return Finding(
        "cluster-error",
        "Ceph says that it is in error.",
        (health, *(f"{check['code']}: {check['summary']}" for check in errors)),
        "Cure what it names first.",
        evidence.commands.ceph("health", "detail"),
        POSSIBLE,
        CLUSTER_STOPPED,
    )


def monitor_clocks(evidence: Evidence) -> Finding | Fine:
    """Monitors whose clocks differ lose their quorum now and then."""
    checks = _checks(evidence, ("MON_CLOCK_SKEW",))
    if not checks:
        return Fine("the clocks of the monitors agree")
    return Finding(
        "monitor-clocks",
        "The clocks of the monitors differ, so that their quorum may break at any time.",
        tuple(checks),
        "Let all machines of the cluster take their time from the same source.",
        evidence.commands.ceph("time-sync-status"),
        MINOR,
    )


def _checks(evidence: Evidence, codes: tuple[str, ...]) -> list[str]:
    """Return the health checks of these codes as a report quotes them."""
    checks = evidence.need(list, "cluster", "checks")
    return [f"{check['code']}: {check['summary']}" for check in checks if check["code"] in codes]


def _address(monitor: str) -> str:
    return monitor.rpartition(":")[0].strip("[]")


RULES = (
    Rule("cluster", "Ceph answers", AFTER_NETWORK, answers),
    Rule("monitors", "The monitors answer on the boot network", AFTER_NETWORK, monitors_reached),
    Rule("osds", "The OSDs answer", AFTER_NETWORK, osds_answer),
    Rule("pause", "The cluster is not paused", AFTER_NETWORK, not_paused),
    Rule("space", "The cluster is not full", AFTER_NETWORK, not_full),
    Rule("data", "All data can be reached", AFTER_NETWORK, data_available),
    Rule("health", "The cluster is not in error", AFTER_NETWORK, healthy),
    Rule("monitor-clocks", "The clocks of the monitors agree", AFTER_NETWORK, monitor_clocks),
)
