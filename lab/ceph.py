# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Ceph cluster in one container; of use without the rest of the lab."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.images import RECIPES, ensure_image, recipe
from lab.patience import patience
from lab.podman import configuration, container_state, ensure_running, podman, remove_containers

OBJECTSTORES = ("bluestore", "memstore")
OSD_SIZE = 12 << 30  # bytes, as a sparse file


def _quiet(_line: str) -> None:
    pass


@dataclass(frozen=True)
class CephCluster:
    """A cluster with one mon, mgr, osd and mds, a file system ``cephfs`` and, if asked for, an RBD pool.

    The name is enough to use one that exists; the rest is for create().
    """

    name: str
    release: str = "16"  # or 14, 18, 20
    network: str = "none"  # podman's word: none (for the launcher only), ns:/run/netns/NAME or a network's name
    objectstore: str = "bluestore"  # or memstore: starts faster; a stop is the end of its data
    pool: str = ""  # an RBD pool to create
    labels: Mapping[str, str] = field(default_factory=dict)  # of the container: its owner finds it by them

    def create(self, progress: Callable[[str], None] = _quiet) -> None:
        """Start the container, building its image when there is none; an existing one goes on with its data.

        :param progress: called with lines for people.
        :raises LabError: when something cannot be built or started. The cluster is not ready yet: see wait_ready().
        """
        if self.objectstore not in OBJECTSTORES:
            raise LabError(f"no such object store: {self.objectstore!r}; there are {', '.join(OBJECTSTORES)}")
        if self.objectstore == "memstore" and container_state(self.name) == "exited":
            self.remove()  # its data ended with its OSD
        image = ensure_image(recipe("ceph", self.release), progress)
        options = ["--network", self.network, "--hostname", "ceph"]
        for key, value in self.labels.items():
            options += ["--label", f"{key}={value}"]
        # Newer releases abort where podman's seccomp profile does not know their way of asynchronous I/O.
        options += ["--security-opt", "seccomp=unconfined"]
        # For ceph-fuse, by which a test can be a CephFS client.
        options += ["--device", "/dev/fuse", "--cap-add", "SYS_ADMIN"] if Path("/dev/fuse").exists() else []
        for variable in (f"OBJECTSTORE={self.objectstore}", f"OSD_SIZE={OSD_SIZE}", f"RBD_POOL={self.pool}"):
            options += ["--env", variable]
        options += ["--volume", f"{RECIPES / 'ceph/cluster'}:/cluster:ro", image]
        ensure_running(self.name, options, ["/cluster"])

    @property
    def launcher(self) -> list[str]:
        """The words before ``ceph`` and ``rbd``: they run inside the container."""
        return ["env", f"CONTAINERS_CONF={configuration()}", "podman", "exec", "-i", self.name]

    def wait_ready(self, timeout: float = 120) -> None:
        """Wait until every PG is clean and the MDS is active.

        :raises LabError: with the end of the cluster's log, when that takes longer than ``timeout`` seconds.
        """
        seconds = timeout * patience()
        loop = f"for i in $(seq {int(seconds * 5)}); do [ ! -e /run/cluster-ready ] || exit 0; sleep 0.2; done; exit 1"
        if podman("exec", self.name, "sh", "-c", loop, timeout=timeout + 10, check=False).returncode:
            said = podman("exec", self.name, "ceph", "--connect-timeout", "5", "status", timeout=15, check=False)
            log = podman("logs", "--tail", "5", self.name, check=False)
            raise LabError(
                f"{self.name}: no Ceph cluster after {seconds:.0f} s:\n{said.stdout}{log.stdout}{log.stderr}"
            )

    def run(self, *argv: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run a command inside the container and return its stdout; raise LabError when it fails."""
        return podman("exec", "-i", self.name, *argv, stdin=stdin, timeout=timeout).stdout

    def ceph(self, *args: str) -> Any:
        """Run ``ceph`` and return its JSON."""
        return json.loads(self.run("ceph", *args, "--format", "json"))

    def rbd(self, *args: str) -> Any:
        """Run ``rbd`` and return its JSON."""
        return json.loads(self.run("rbd", *args, "--format", "json"))

    def health(self) -> str:
        """Return ``HEALTH_OK`` and so on, or why there is no answer: for a status line."""
        state = container_state(self.name)
        if state != "running":
            return state or "absent"
        result = podman(
            "exec", self.name, "ceph", "--connect-timeout", "5", "health", "--format", "json", timeout=15, check=False
        )
        return str(json.loads(result.stdout)["status"]) if result.returncode == 0 else "no answer"

    def remove(self) -> None:
        """Remove the container with its data; a cluster that is not there is removed already."""
        if container_state(self.name) is not None:
            remove_containers([self.name])
