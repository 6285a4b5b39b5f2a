# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A router as people have one at home: it hands out addresses and has never heard of netboot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.network import BRIDGE, Network
from lab.processes import kill, run

# No host has one of these in the inventory.
FIRST, LAST = "10.77.0.100", "10.77.0.199"


@dataclass(frozen=True)
class Router:
    """The router of one lab, on the bridge's own address."""

    network: Network
    directory: Path

    @property
    def _pid_file(self) -> Path:
        return self.directory / "router.pid"

    def start(self) -> None:
        """Hand out addresses, unless it does already."""
        if self.network.running(self._pid_file):
            return
        options = ["--conf-file=/dev/null", "--port=0", "--user=root", f"--pid-file={self._pid_file}"]
        options += ["--interface=br0", "--bind-dynamic", f"--dhcp-range={FIRST},{LAST},2m"]
        options += [f"--dhcp-option=option:router,{BRIDGE}", f"--dhcp-leasefile={self.directory}/router.leases"]
        options += [f"--log-facility={self.directory}/router.log", "--log-dhcp"]
        run(self.network.enter(["dnsmasq", *options]))

    def stop(self) -> None:
        """Take it away."""
        pid = self.network.running(self._pid_file)
        if pid:
            kill(pid, lambda pid: self.network.running(self._pid_file) == pid)
