# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot server: a systemd container that is a bare Debian machine until the site playbook has been there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.errors import LabError
from lab.images import ensure_image, recipe
from lab.patience import wait_until
from lab.podman import LABEL, container_state, ensure_running, podman
from lab.state import Directory

# Bind mounts, nftables and ARP probes, and opening files by handle (NFS-Ganesha). No --privileged: systemd in such a
# container would change the machine's sysctls and binfmt handlers.
CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW,DAC_READ_SEARCH"


@dataclass(frozen=True)
class BootServer:
    """The boot server of one lab."""

    name: str
    lab: str

    def create(self, network: str, directory: Directory, progress: Callable[[str], None]) -> None:
        """Start the container, building its image when there is none.

        :param network: podman's word for where it is plugged in.
        """
        image = ensure_image(recipe("boot_server"), progress)
        directory.served.mkdir(parents=True, exist_ok=True)
        options = ["--systemd", "always", "--hostname", "boot", "--label", f"{LABEL}={self.lab}", "--network", network]
        options += ["--cap-add", CAPABILITIES, "--dns", "none"]
        options += ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
        options += ["--volume", f"{directory.served}:/srv"]
        options += ["--volume", f"{directory.key}.pub:/root/.ssh/authorized_keys:ro", image]
        ensure_running(self.name, options, ["/sbin/init"])

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until systemd has finished booting; raise LabError with what it says when that takes too long."""
        if not wait_until(lambda: self.health() == "running", timeout):
            failed = podman("exec", self.name, "systemctl", "--failed", "--no-legend", check=False)
            raise LabError(f"{self.name}: {self.health()}: {failed.stdout}{failed.stderr}")

    def health(self) -> str:
        """Return systemd's word for its state, or podman's when systemd does not answer."""
        state = container_state(self.name)
        if state != "running":
            return state or "absent"
        return podman("exec", self.name, "systemctl", "is-system-running", check=False).stdout.strip() or "starting"
