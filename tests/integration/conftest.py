# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph cluster of its own, and two machines with addresses of their own that are clients of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lab.ceph import CephCluster
from lab.images import ensure_image, recipe
from lab.podman import podman
from lab.processes import run
from tests.integration.module_run import ModuleRun

POOL = "rbd-tests"
CLUSTER_ADDRESS = "10.76.0.1"


@dataclass(frozen=True)
class Machine:
    """A machine on the cluster's network, with Ceph's tools and whatever key it is given."""

    container: str
    address: str

    def give_key(self, user: str, key: str) -> None:
        """Store the key where Ceph's tools look for it."""
        text = f"[{user}]\nkey = {key}\n"
        podman("exec", "-i", self.container, "sh", "-c", f"cat >/etc/ceph/ceph.{user}.keyring", stdin=text)

    def try_to(self, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as that user, for 10 s at most (rc 124): who is refused everything is left waiting."""
        bounded = ("timeout", "--kill-after=1", "10", *command, "--name", user)
        return podman("exec", self.container, *bounded, check=False)

    def python(self, script: str, *args: str) -> str:
        """Run a Python script next to Ceph's libraries and return what it prints."""
        return podman("exec", "-i", self.container, "timeout", "30", "python3", "-", *args, stdin=script).stdout.strip()


def _namespace(stack: ExitStack, name: str, address: str | None = None, switch: str | None = None) -> str:
    run(["ip", "netns", "add", name])
    stack.callback(run, ["ip", "netns", "del", name], check=False)
    run(["ip", "-n", name, "link", "set", "lo", "up"])
    if address and switch:
        port = name.rpartition("-")[2]
        run(["ip", "-n", switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "-n", switch, "link", "set", port, "master", "br0", "up"])
        run(["ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0"])
        run(["ip", "-n", name, "link", "set", "eth0", "up"])
    return name


@pytest.fixture(scope="session")
def switch() -> Iterator[str]:
    """The network namespace with the bridge that joins the cluster and the machines."""
    with ExitStack() as stack:
        name = _namespace(stack, f"dci{os.getpid()}-net")
        run(["ip", "-n", name, "link", "add", "br0", "type", "bridge"])
        run(["ip", "-n", name, "link", "set", "br0", "up"])
        yield name


@pytest.fixture(scope="session")
def ceph(switch: str) -> Iterator[CephCluster]:
    """A cluster with an RBD pool, reachable on the switch."""
    with ExitStack() as stack:
        namespace = _namespace(stack, f"dci{os.getpid()}-ceph", CLUSTER_ADDRESS, switch)
        network = f"ns:/run/netns/{namespace}"
        cluster = CephCluster(f"diskless-integration-{os.getpid()}", "16", network, objectstore="memstore", pool=POOL)
        stack.callback(cluster.remove)
        cluster.create()
        cluster.wait_ready()
        yield cluster


@pytest.fixture(scope="session")
def machines(switch: str, ceph: CephCluster) -> Iterator[list[Machine]]:
    """Two machines on the switch."""
    with ExitStack() as stack:
        found = []
        for number in (11, 12):
            machine = Machine(f"{ceph.name}-host{number}", f"10.76.0.{number}")
            namespace = _namespace(stack, f"dci{os.getpid()}-h{number}", machine.address, switch)
            image = ensure_image(recipe("ceph", ceph.release), print)
            podman("run", "--detach", "--name", machine.container, "--network", f"ns:/run/netns/{namespace}", image,
                   "sleep", "infinity")  # fmt: skip
            stack.callback(podman, "rm", "--force", "--time", "0", machine.container, check=False)
            conf = ceph.run("cat", "/etc/ceph/ceph.conf")
            podman("exec", "-i", machine.container, "sh", "-c", "cat >/etc/ceph/ceph.conf", stdin=conf)
            found.append(machine)
        yield found


@pytest.fixture(scope="session")
def module(ceph: CephCluster) -> ModuleRun:
    """Run a module against the cluster."""
    return ModuleRun(ceph.launcher)
