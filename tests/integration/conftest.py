# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each release a Ceph cluster of its own, and two machines with addresses of their own that are clients of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.ceph import CephCluster
from lab.images import ensure_image, recipe
from lab.podman import podman
from lab.processes import run
from tests.integration.matrix import Matrix
from tests.integration.module_run import ModuleRun

POOL = "rbd-tests"
CLUSTER_ADDRESS = "10.76.0.1"
RELEASES = ("14", "16", "18", "20")
ONCE = "16"
# Where converge() changes things through Ceph's Python bindings; elsewhere through its command line tools.
WRITTEN_BY_BINDINGS = ("14", "18")
MATRIX = pytest.StashKey[Matrix]()


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark, and begin the table of what was tested on what."""
    config.addinivalue_line("markers", "once(reason): tested on one release, because it does not depend on that")
    config.addinivalue_line("markers", "not_on(*releases, reason): what is tested does not apply to these releases")
    config.stash[MATRIX] = Matrix()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not apply to a release; the table says why."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        callspec = getattr(item, "callspec", None)
        release = callspec.params.get("release") if callspec else None
        release = release or _of_this_run()
        reasons = [mark.kwargs["reason"] for mark in item.iter_markers("not_on") if release in mark.args]
        if release != ONCE:
            reasons += [f"tested on Ceph {ONCE}: {mark.kwargs['reason']}" for mark in item.iter_markers("once")]
        for reason in reasons:
            config.stash[MATRIX].leave_out(_subject(item.nodeid), str(release), reason)
        (left_out if reasons else kept).append(item)
    items[:] = kept
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, or leave it to the one who runs the releases one by one (``MATRIX``: a file)."""
    matrix = config.stash[MATRIX]
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            release = re.search(r"\[.*?ceph(\d+)", report.nodeid)
            matrix.count(_subject(report.nodeid), release[1] if release else _of_this_run(), outcome == "passed")
    if "MATRIX" in os.environ:
        matrix.save(Path(os.environ["MATRIX"]))
    for line in matrix.render():
        terminalreporter.write_line(line)


def _of_this_run() -> str:
    """Return the release that tests count for that ask no cluster: they run once for each run of pytest."""
    return os.environ.get("RELEASES", ONCE).split()[0]


def _subject(nodeid: str) -> str:
    return Path(nodeid.partition("::")[0]).stem.removeprefix("test_")


@pytest.fixture(
    scope="session", params=os.environ.get("RELEASES", " ".join(RELEASES)).split(), ids=lambda r: f"ceph{r}"
)
def release(request: pytest.FixtureRequest) -> str:
    """The release of Ceph that the cluster runs."""
    return str(request.param)


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

    def run(self, *command: str, timeout: float = 30, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return podman("exec", "-i", self.container, *command, timeout=timeout, check=check)

    def python(self, script: str, *args: str) -> str:
        """Run a Python script next to Ceph's libraries and return what it prints."""
        return podman("exec", "-i", self.container, "timeout", "30", "python3", "-", *args, stdin=script).stdout.strip()


def _namespace(stack: ExitStack, name: str, address: str | None = None, switch: str | None = None) -> str:
    stack.callback(run, ["ip", "netns", "del", name], check=False)
    run(["ip", "netns", "add", name])
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
def ceph(switch: str, release: str) -> Iterator[CephCluster]:
    """A cluster with an RBD pool, reachable on the switch."""
    with ExitStack() as stack:
        namespace = _namespace(stack, f"dci{os.getpid()}-ceph", CLUSTER_ADDRESS, switch)
        network = f"ns:/run/netns/{namespace}"
        name = f"diskless-integration-{os.getpid()}-{release}"
        cluster = CephCluster(name, release, network, objectstore="memstore", pool=POOL)
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
            # For ceph-fuse.
            fuse = ("--device", "/dev/fuse", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined")
            network = f"ns:/run/netns/{namespace}"
            # First, in case we are stopped while podman makes it.
            stack.callback(podman, "rm", "--force", "--ignore", "--time", "0", machine.container)
            podman(
                "run", "--detach", "--name", machine.container, *fuse, "--network", network, image, "sleep", "infinity"
            )
            conf = ceph.run("cat", "/etc/ceph/ceph.conf")
            podman("exec", "-i", machine.container, "sh", "-c", "cat >/etc/ceph/ceph.conf", stdin=conf)
            found.append(machine)
        yield found


@pytest.fixture(scope="session")
def module(ceph: CephCluster) -> ModuleRun:
    """Run a module against the cluster.

    The launcher enters the container's namespaces: podman exec would cost every Ceph command a quarter of a second.
    """
    pid = podman("container", "inspect", "--format", "{{.State.Pid}}", ceph.name).stdout.strip()
    enter = ["nsenter", "--target", pid, "--mount", "--net", "--uts", "--ipc", "--pid", "--"]
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ModuleRun(["env", "-i", path, *enter], writes_by_bindings=ceph.release in WRITTEN_BY_BINDINGS)
