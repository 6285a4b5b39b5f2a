# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot server: a systemd container that is a bare Debian machine until the site playbook has been there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.errors import LabError
from lab.images import ensure_image, recipe
from lab.network import Network
from lab.patience import wait_until
from lab.podman import LABEL, container_state, ensure_running, podman
from lab.state import Directory

# Bind mounts, nftables and ARP probes, and opening files by handle (NFS-Ganesha). No --privileged: systemd in such a
# container would change the machine's sysctls and binfmt handlers.
CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW,DAC_READ_SEARCH"


@dataclass(frozen=True)
class BootServer:
    """A boot server of one lab.

    takes_turns: whether there is another one, which has the same boot trees, in CephFS.
    """

    name: str
    lab: str
    takes_turns: bool = False

    @property
    def container(self) -> str:
        """What podman calls it."""
        return Network(self.lab).station(self.name)

    def create(self, network: str, directory: Directory, progress: Callable[[str], None]) -> None:
        """Start the container, building its image when there is none.

        :param network: podman's word for where it is plugged in.
        """
        image = ensure_image(recipe("boot_server"), progress)
        served = directory.served(self.name)
        served.mkdir(parents=True, exist_ok=True)
        options = ["--systemd", "always", "--hostname", self.name, "--label", f"{LABEL}={self.lab}"]
        options += ["--network", network]
        options += ["--cap-add", CAPABILITIES, "--dns", "none"]
        options += ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
        options += ["--volume", f"{served}:/srv"]
        if self.takes_turns:
            # ceph-fuse; and a sysctl that a container cannot set itself.
            options += ["--device", "/dev/fuse", "--sysctl", "net.ipv4.ip_nonlocal_bind=1"]
        options += ["--volume", f"{directory.key}.pub:/root/.ssh/authorized_keys:ro", image]
        ensure_running(self.container, options, ["/sbin/init"])

    def kill(self) -> None:
        """End it at once; nothing that it has in memory is written. create() starts it again."""
        podman("kill", self.container)
        podman("wait", self.container)

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until systemd has finished booting; raise LabError with what it says when that takes too long."""
        if not wait_until(lambda: self.health() == "running", timeout):
            failed = podman("exec", self.container, "systemctl", "--failed", "--no-legend", check=False)
            raise LabError(f"{self.name}: {self.health()}: {failed.stdout}{failed.stderr}")

    def health(self) -> str:
        """Return systemd's word for its state, or podman's when systemd does not answer."""
        state = container_state(self.container)
        if state != "running":
            return state or "absent"
        return (
            podman("exec", self.container, "systemctl", "is-system-running", check=False).stdout.strip() or "starting"
        )
