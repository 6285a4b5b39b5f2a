# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CephFS incident: a machine is cut from the network until the MDS evicts its client, and what heals it.

Once for each kernel. The tests of a kernel build on each other: the machine mounts, is evicted, and is healed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.ceph import CephCluster
from lab.network import CEPH, Network, address
from lab.patience import patience, wait_until
from lab.ssh import prepare
from lab.state import REPOSITORY, Directory
from tests.e2e.cephfs_machine import NUMBER, CephfsMachine, cephfs_machine
from tests.kernel.debian_kernel import kernel

pytestmark = pytest.mark.full

LAB = "cephfs"
SUITES = {"6.1": "bookworm", "5.10": "bullseye"}
MOUNT = "/srv/data"
USER = "data1"
# A process that has a file open and does nothing with it.
HOLD = f"systemd-run --unit=holder --collect sh -c 'exec sleep 86400 <{MOUNT}/file'"
# The least that Ceph accepts. The MDS looks every five seconds, and is not to be in a hurry.
AUTOCLOSE_SECONDS = 30
EVICTION_SECONDS = 180
# Until a client whose cable is back is heard by the MDS: the connection waits longer after each attempt.
RECONNECT_SECONDS = 420
PLAY_SECONDS = 900
Answer = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A cluster and a machine that mounts its file system."""

    ceph: CephCluster
    machine: CephfsMachine
    inventory: Path

    @property
    def shows_instances(self) -> bool:
        """Whether the machine's kernel tells the address of a client, and that it is blocklisted (Linux 5.11)."""
        major, minor = (int(number) for number in self.machine.release.split(".")[:2])
        return (major, minor) >= (5, 11)

    # Ansible

    def play(self, playbook: str, *arguments: str, fails: bool = False) -> str:
        """Run a playbook of the collection; returns what it said."""
        command = [_beside("ansible-playbook"), "-i", str(self.inventory), *arguments, str(REPOSITORY / playbook)]
        done = _ansible(command)
        assert (done.returncode != 0) == fails, done.stdout[-6000:]
        return done.stdout

    def module(self, name: str, host: str = "client", **options: Any) -> Answer:
        """Run a module and return its result."""
        command = [_beside("ansible"), host, "-i", str(self.inventory), "-m", f"diskless.ceph.{name}"]
        done = _ansible([*command, *(["-a", json.dumps(options)] if options else [])])
        assert done.returncode == 0, done.stdout
        found: Answer = json.loads(done.stdout[done.stdout.index("=> {") + 3 :])
        return found

    def mounted(self, **more: Any) -> None:
        """Bring the mount about with the role; ``more`` are keys of it."""
        mount = {
            "path": MOUNT,
            "user": USER,
            "key": self.ceph.ceph("auth", "get-key", f"client.{USER}")["key"],
            "file_system": "cephfs",
            **more,
        }
        variables = {"cephfs_mount_mounts": [mount], "cephfs_mount_monitors": [CEPH], "cephfs_mount_install": False}
        variables |= {"cephfs_mount_remount": True, "cephfs_mount_fsid": self.ceph.ceph("fsid")["fsid"]}
        variables |= {"cephfs_mount_probe_timeout": 30}
        file = self.inventory.with_name("variables.json")
        file.write_text(json.dumps(variables), encoding="utf-8")
        self.play("tests/e2e/cephfs_mount.yml", "-e", f"@{file}")

    # What there is

    def client(self) -> Answer:
        """Return the client instance that serves the mount."""
        found = self.module("cephfs_mount_info", paths=[MOUNT], timeout=20)
        (client,) = found["clients"]
        print(f"{client['state']}: {'; '.join(client['evidence'])}", flush=True)
        return dict(client)

    def sessions(self) -> list[int]:
        """Return the clients of the machine that have a session."""
        listed = self.ceph.ceph("tell", "mds.a", "client", "ls")
        return [one["id"] for one in listed if one["client_metadata"].get("entity_id") == USER]

    def blocked(self) -> list[str]:
        """Return the blocklist's entries of the machine's clients."""
        entries = self.ceph.ceph("osd", "dump")["blocklist"]
        return [entry for entry in entries if entry.startswith(f"{self.machine.address}:")]

    def state(self, wanted: set[str], seconds: float) -> Answer:
        """Wait until the mount is in one of these states, and return its client."""
        seen: list[Answer] = []

        def reached() -> bool:
            seen[:] = [self.client()]
            return seen[0]["state"] in wanted

        assert wait_until(reached, seconds, 5), seen
        return seen[0]

    # Faults

    def evict_by_silence(self) -> None:
        """Cut the machine off until the MDS has evicted all its clients, and give it its network back."""
        assert self.sessions() != []
        self.machine.cut()
        try:
            assert wait_until(lambda: self.sessions() == [], EVICTION_SECONDS, 2), self.sessions()
        finally:
            self.machine.restore()
        assert self.blocked() != []


def _beside(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def _ansible(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, "ANSIBLE_HOME": str(REPOSITORY / ".ansible"), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
        timeout=PLAY_SECONDS * patience(),
        check=False,
    )


@contextmanager
def _cluster(network: Network) -> Iterator[CephCluster]:
    name = network.station("ceph")
    ceph = CephCluster(name, "16", f"ns:/run/netns/{name}", "memstore")
    ceph.remove()
    try:
        ceph.create(lambda line: print(line, flush=True))
        ceph.wait_ready()
        ceph.run("ceph", "fs", "set", "cephfs", "session_autoclose", str(AUTOCLOSE_SECONDS))
        caps = ["mon", "allow r", "mds", "allow rw", "osd", "allow rw tag cephfs data=cephfs"]
        ceph.run("ceph", "auth", "get-or-create", f"client.{USER}", *caps)
        yield ceph
    finally:
        ceph.remove()


def _inventory(directory: Directory, ceph: CephCluster) -> Path:
    client: Answer = {"ansible_host": address(NUMBER), "ansible_user": "root"}
    client |= {"ansible_ssh_executable": str(directory.ssh), "ansible_ssh_private_key_file": str(directory.key)}
    client |= {"ansible_control_path_dir": str(directory.path / "control"), "ansible_ssh_pipelining": True}
    client |= {"ansible_ssh_transfer_method": "piped", "ansible_python_interpreter": "/usr/bin/python3"}
    admin: Answer = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    admin |= {"diskless_ceph_launcher": ceph.launcher}
    inventory = directory.path / "inventory.json"
    groups = {"cephfs_clients": {"hosts": {"client": client}}, "ceph_admin": {"hosts": {"ceph-admin": admin}}}
    inventory.write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    return inventory


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A bridge with a Ceph cluster's and a machine's place, and no way out."""
    network = Network(LAB)
    network.remove()
    try:
        network.create({"ceph": CEPH})
        yield network
    finally:
        network.remove()


@pytest.fixture(scope="module")
def ceph(network: Network) -> Iterator[CephCluster]:
    with _cluster(network) as ceph:
        yield ceph


@pytest.fixture(scope="module", params=SUITES)
def bench(request: pytest.FixtureRequest, network: Network, ceph: CephCluster) -> Iterator[Bench]:
    """The cluster, and a machine with this kernel."""
    directory = Directory(LAB)
    directory.remove()
    prepare(directory, network)
    with ExitStack() as stack:
        stack.callback(directory.remove)
        made = cephfs_machine(kernel(SUITES[request.param]), network, directory, address(NUMBER))
        machine = stack.enter_context(made)
        yield Bench(ceph, machine, _inventory(directory, ceph))


def test_role_mounts_and_the_mount_is_healthy(bench: Bench) -> None:
    bench.mounted(recover_session="no")
    client = bench.client()
    assert (client["state"], client["recover_session"], client["fsc"]) == ("healthy", False, False)
    assert [one["path"] for one in client["mounts"]] == [MOUNT]
    assert bench.sessions() == [int(client["client"].removeprefix("client."))]
    assert (client["blocklisted"] is False, client["address"] is not None) == (bench.shows_instances,) * 2
    assert "secret=<hidden>" in bench.machine.ssh(f"grep {MOUNT} /proc/mounts")
    key = bench.ceph.ceph("auth", "get-key", f"client.{USER}")["key"]
    assert key not in bench.machine.ssh("cat /proc/mounts /etc/systemd/system/*.mount /proc/*/cmdline | tr '\\0' ' '")
    assert bench.machine.ssh("stat -c %a /etc/ceph/cephfs_mount/srv-data.secret").strip() == "600"
    bench.machine.ssh(f"echo acknowledged >{MOUNT}/file && sync {MOUNT}/file")


def test_client_that_is_only_away_is_not_taken_away(bench: Bench) -> None:
    """It waits for the MDS, and the MDS for it: nothing is lost yet."""
    before = bench.client()
    bench.machine.cut()
    try:
        assert wait_until(lambda: bench.sessions() != [], 10)
    finally:
        bench.machine.restore()
    assert bench.state({"healthy"}, RECONNECT_SECONDS)["client"] == before["client"]


def test_evicted_client_stays_dead_and_both_modules_say_why(bench: Bench) -> None:
    bench.machine.ssh(HOLD)
    bench.evict_by_silence()
    client = bench.state({"blocklisted"} if bench.shows_instances else {"rejected", "blocklisted"}, RECONNECT_SECONDS)
    assert client["blocklisted"] is (True if bench.shows_instances else None)
    if bench.shows_instances:
        assert client["address"] in bench.blocked()
    assert {"pid", "name", "by"} == set(client["holders"][0])
    assert "sleep" in [holder["name"] for holder in client["holders"]]
    refused = bench.machine.ssh(f"timeout 20 ls {MOUNT} 2>&1; :")
    assert "Permission denied" in refused
    log = bench.module("kernel_log_info")
    assert {"evicted", "rejected"} & set(log["incidents"]), log["findings"]
    assert any(MOUNT in finding["mounts"] for finding in log["findings"])


def test_check_mode_says_what_recovery_would_do_and_does_nothing(bench: Bench) -> None:
    before = bench.client()
    said = bench.play("playbooks/recover_cephfs.yml", "--check")
    assert "taken away and made anew" in said
    assert "client: would be healed" in said
    after = bench.client()
    assert (after["device"], after["state"]) == (before["device"], before["state"])


def test_recovery_heals_with_a_new_instance_and_lifts_only_what_is_of_no_use(bench: Bench) -> None:
    before = bench.client()
    blocked = bench.blocked()
    said = bench.play("playbooks/recover_cephfs.yml")
    assert "client: healed" in said
    after = bench.client()
    assert after["state"] == "healthy"
    assert after["client"] not in before["candidates"]
    assert bench.machine.ssh(f"cat {MOUNT}/file") == "acknowledged\n"
    # There is a process that has a file of it open to this day: the instance lives, and must not write again.
    assert bench.blocked() == blocked
    assert "blocklist entry of" in said
    bench.machine.ssh("systemctl stop holder")


def test_second_run_finds_nothing_to_do(bench: Bench) -> None:
    said = bench.play("playbooks/recover_cephfs.yml")
    assert "client: healthy" in said
    assert "changed=0" in said


def test_entry_of_an_instance_that_is_no_more_is_lifted(bench: Bench) -> None:
    bench.evict_by_silence()
    bench.state({"blocklisted", "rejected"}, RECONNECT_SECONDS)
    before = bench.blocked()
    bench.play("playbooks/recover_cephfs.yml")
    assert len(bench.blocked()) == len(before) - (1 if bench.shows_instances else 0)


def test_client_that_recovers_its_session_comes_back_by_itself(bench: Bench) -> None:
    bench.mounted(recover_session="clean")
    before = bench.client()
    bench.evict_by_silence()
    # The kernel tries only when it notices, and only what is asked of it makes it notice.
    after = bench.state({"healthy"}, RECONNECT_SECONDS)
    assert after["device"] == before["device"]
    if bench.shows_instances:
        assert after["address"] != before["address"]
    assert bench.machine.ssh(f"cat {MOUNT}/file") == "acknowledged\n"
    assert "client: healthy" in bench.play("playbooks/recover_cephfs.yml")


def test_client_that_has_more_time_is_not_evicted_at_all(bench: Bench) -> None:
    """The policy of the role mds_policy."""
    before = bench.client()
    bench.play("playbooks/mds_policy.yml", "-e", "mds_policy_session_autoclose_min=600")
    try:
        bench.machine.cut()
        try:
            assert not wait_until(lambda: bench.sessions() == [], 3 * AUTOCLOSE_SECONDS, 5)
        finally:
            bench.machine.restore()
        after = bench.state({"healthy"}, RECONNECT_SECONDS)
    finally:
        bench.ceph.run("ceph", "fs", "set", "cephfs", "session_autoclose", str(AUTOCLOSE_SECONDS))
    assert (after["client"], after["address"]) == (before["client"], before["address"])


def test_cache_keeps_the_next_mount_out_until_the_dead_client_is_let_go_of(bench: Bench) -> None:
    """With ``fsc``: why it is only there when asked for."""
    bench.mounted(recover_session="no", fsc=True)
    assert bench.client()["fsc"] is True
    bench.machine.ssh(HOLD)
    bench.evict_by_silence()
    bench.state({"blocklisted", "rejected"}, RECONNECT_SECONDS)
    said = bench.play("playbooks/recover_cephfs.yml", fails=True)
    assert "which held the former client; then: systemctl start srv-data.mount" in said.replace("\n", " ")
    bench.machine.ssh("systemctl stop holder")
    assert wait_until(lambda: "OK" in bench.machine.ssh("systemctl start srv-data.mount && echo OK; :"), 60, 5)
    assert bench.client()["state"] == "healthy"
