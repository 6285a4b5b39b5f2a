# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diskless host as the tests see it: from its console, from inside and from Ceph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lab.api import POOL, Lab
from lab.errors import LabError

BOOT = 240  # seconds: generous, because the hosts are emulated
SHUTDOWN = 90


@dataclass(frozen=True)
class DisklessHost:
    """One host of the lab."""

    lab: Lab
    name: str

    @property
    def image(self) -> str:
        """Its root image."""
        return f"{POOL}/{self.name}/root"

    @property
    def user(self) -> str:
        """Its cephx user."""
        return f"client.diskless.{self.name}"

    @property
    def address(self) -> str:
        """Its address on the boot network."""
        return next(host.address for host in self.lab.status().hosts if host.name == self.name)

    # Life

    def ensure_ready(self) -> None:
        """Boot it unless one can log in already."""
        if self.lab.machine(self.name).is_on():
            try:
                self.ssh("true")
                return
            except LabError:
                self.lab.power("off", self.name)
        self.boot()

    def now(self) -> int:
        """Return the place in the console log from which on a test wants to look."""
        return self.lab.console_size(self.name)

    def boot(self) -> int:
        """Switch it on and wait until it is ready; return where its console log began."""
        since = self.now()
        self.lab.power("on", self.name)
        self.wait_stage("ready", since)
        return since

    def reboot(self) -> int:
        """Reboot it in an orderly way and wait until it is ready; return where the console log began."""
        since = self.now()
        self.request("reboot")
        self.wait_stage("ready", since, BOOT + SHUTDOWN)
        return since

    def power_off(self) -> int:
        """Switch it off in an orderly way; return where the console log began."""
        since = self.now()
        self.request("poweroff")
        self.lab.wait_off(self.name, SHUTDOWN)
        return since

    def request(self, verb: str) -> None:
        """Ask systemd for a shutdown without waiting for it."""
        self.ssh(f"systemctl {verb}", check=False)

    def ssh(self, command: str, timeout: float = 60, check: bool = True) -> str:
        """Run a command on it as root."""
        return self.lab.ssh(self.name, command, timeout=timeout, check=check)

    def boot_tree(self) -> list[str]:
        """Return source and type of what is mounted at /boot, as soon as that is: no boot waits for it."""
        mounted = "for i in $(seq 100); do findmnt -no SOURCE,FSTYPE /boot && exit; sleep 1; done; exit 1"
        return self.ssh(mounted, timeout=120).split()

    # Its console

    def wait_stage(self, stage: str, since: int, timeout: float = BOOT) -> re.Match[str]:
        """Wait until it has reported a boot stage."""
        return self.lab.wait_for(self.name, rf"diskless: stage={stage} host={self.name} .*$", timeout, since)

    def console(self, since: int) -> str:
        """Return what the console has said."""
        return self.lab.console_text(self.name, since)

    def stages(self, since: int) -> list[str]:
        """Return the boot stages that it has reported, in order."""
        return re.findall(rf"diskless: stage=(\w+) host={self.name} ", self.console(since))

    # What Ceph knows of it

    def locks(self) -> list[Any]:
        """Return the locks on its root image."""
        return list(self.lab.rbd("lock", "ls", self.image))

    def watchers(self) -> list[Any]:
        """Return the clients that have its root image open."""
        return list(self.lab.rbd("status", self.image)["watchers"])

    def blocklist(self) -> list[str]:
        """Return the blocklist entries of its address."""
        entries = self.lab.ceph("osd", "dump")["blocklist"]
        return [entry for entry in entries if entry.startswith(f"{self.address}:")]

    def key(self) -> str:
        """Return its cephx key."""
        return str(self.lab.ceph("auth", "get-key", self.user)["key"])
