# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product shown once: a host without a disk boots from Ceph, and reboots without leaving anything behind."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lab.api import POOL, Lab
from lab.console import stages
from lab.errors import LabError
from lab.patience import patience

HOST = "udoo1"
IMAGE = f"{POOL}/{HOST}/root"
BOOT = 300  # seconds

Stages = list[tuple[str, float | None]]


@dataclass(frozen=True)
class Seen:
    """What Ceph knows of the host."""

    lock_owners: list[str]
    watchers: list[str]
    blocklist: list[str]

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"lock owner {_list(self.lock_owners)}; watcher {_list(self.watchers)}; blocklist {_list(self.blocklist)}"
        )


def demo(lab: Lab) -> str:
    """Run the demonstration and return its summary. Whatever is up already is used as it is."""
    began = time.monotonic()
    lab.up()
    lab.add(HOST)
    lab.say("site playbook: from a bare Ceph cluster to a bootable fleet")
    lab.site()

    since = lab.console_size(HOST)
    if not lab.power("on", HOST):
        lab.say(f"{HOST}: is on already, from an earlier time; off, and on again")
        lab.ssh(HOST, "systemctl poweroff", check=False)
        lab.wait_off(HOST)
        since = lab.console_size(HOST)
        lab.power("on", HOST)
    lab.say(f"{HOST}: power on; firmware, DHCP and TFTP first, then its own words")
    first = follow(lab, since)
    root = lab.ssh(HOST, "findmnt --noheadings --output SOURCE,FSTYPE,SIZE /").strip()
    lab.say(f"{HOST}: ready; its root is {root}")
    before = seen(lab)

    lab.say(f"{HOST}: systemctl reboot")
    since = lab.console_size(HOST)
    lab.ssh(HOST, "systemctl reboot", check=False)
    second = follow(lab, since)
    return summary(lab, (first, second), (before, seen(lab)), time.monotonic() - began)


def follow(lab: Lab, since: int) -> Stages:
    """Report every boot stage as it comes, until the host is ready; return them.

    :param since: where in the console's log to begin.
    :raises LabError: with the end of the console when the host fails or takes too long.
    """
    deadline = time.monotonic() + BOOT * patience()
    told = 0
    while True:
        found = stages(lab.console_text(HOST, since))
        for stage, at in found[told:]:
            lab.say(f"{HOST}:   {stage:<9}  {_seconds(at)} s of its kernel")
        told = len(found)
        last = found[-1][0] if found else None
        if last == "ready":
            return found
        if last == "failed" or time.monotonic() > deadline:
            said = "\n".join(lab.console_text(HOST, since).splitlines()[-25:])
            raise LabError(f"{HOST} is not ready, its last stage is {last}; its console ends with:\n{said}")
        time.sleep(0.5)


def seen(lab: Lab) -> Seen:
    """Ask Ceph for the lock and the watchers of the root image, and for the host's blocklist entries."""
    address = next(host.address for host in lab.status().hosts if host.name == HOST)
    return Seen(
        [f"{lock['locker']} {lock['address']}" for lock in lab.rbd("lock", "ls", IMAGE)],
        [watcher["address"] for watcher in lab.rbd("status", IMAGE)["watchers"]],
        sorted(entry for entry in lab.ceph("osd", "dump")["blocklist"] if entry.startswith(f"{address}:")),
    )


def summary(lab: Lab, boots: tuple[Stages, Stages], views: tuple[Seen, Seen], seconds: float) -> str:
    """Return what the demonstration showed: the stages of both boots, Ceph's view, and how to go on."""
    command = "lab/lab" if lab.name == "lab" else f"lab/lab --name {lab.name}"
    first, second = boots
    down = [(stage, at) for stage, at in second if stage in ("shutdown", "unmapped")]
    again = dict(second)
    lines = ["", f"{HOST} has no disk; its root is {IMAGE} in Ceph. Seconds of its kernel:", ""]
    lines += [f"  {'stage':<10} {'first boot':>10} {'reboot':>10}"]
    lines += [f"  {stage:<10} {_seconds(at):>10} {_seconds(again.get(stage)):>10}" for stage, at in first]
    lines += ["", f"Going down in between: {', '.join(f'{stage} at {_seconds(at).strip()}' for stage, at in down)}"]
    lines += ["", "What Ceph saw:", f"  before the reboot: {views[0]}", f"  after the reboot:  {views[1]}"]
    lines += ["", "Try:"]
    lines += [
        f"  {command} {words}" for words in (f"ssh {HOST}", f"console {HOST}", f"power cycle {HOST}", "status", "down")
    ]
    lines += ["", f"All of this took {seconds / 60:.1f} minutes."]
    return "\n".join(lines)


def _seconds(at: float | None) -> str:
    return "?" if at is None else f"{at:7.2f}"


def _list(words: list[str]) -> str:
    return ", ".join(words) or "none"
