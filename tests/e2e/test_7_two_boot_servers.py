# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two boot servers with the same boot trees, in CephFS: one may die, and hosts still boot.

The tests build on each other: the first one has the lab as it is before any site run, the last ones kill a boot server.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.api import Lab
from lab.errors import LabError
from lab.network import BOOT_SERVER, BOOT_SERVERS
from lab.patience import wait_until
from tests.e2e.diskless_host import DisklessHost

pytestmark = pytest.mark.full

SERVERS = list(BOOT_SERVERS[2])
TREES = "/srv/diskless/boot"
HEALTHY = f"/usr/local/lib/diskless/boot-server-check {TREES}"
# Ceph believes in the NFS-Ganesha of a dead boot server for as long as that has asked for. Until then, no host makes a
# file, or reads one that it has just written.
GIVEN_UP = 300  # seconds


@pytest.fixture(scope="module")
def bare() -> Iterator[Lab]:
    """A lab of its own, which no site run has seen unless ``LAB_KEEP=1`` has left it up."""
    lab = Lab("twobs", lambda line: print(line, flush=True))
    keep = bool(os.environ.get("LAB_KEEP"))
    if not keep:
        lab.down()
    try:
        lab.up(boot_servers=len(SERVERS))
        lab.add("udoo1", "udoo2")
        yield lab
    finally:
        if not keep:
            lab.down()


@pytest.fixture(scope="module")
def lab(bare: Lab) -> Lab:
    """The lab, with its site playbook run."""
    bare.site()
    return bare


@pytest.fixture(scope="module")
def running(lab: Lab) -> DisklessHost:
    """A host that has booted while both boot servers were there."""
    host = DisklessHost(lab, "udoo1")
    host.ensure_ready()
    assert host.boot_tree() == [f"{BOOT_SERVER}:/boot/udoo1", "nfs4"]
    return host


def with_address(lab: Lab, *servers: str) -> list[str]:
    """Return which boot servers, of all or of these, have the address by which hosts know them."""
    addresses = "ip -4 -oneline address show dev eth0"
    return [name for name in servers or SERVERS if f" {BOOT_SERVER}/24 " in lab.ssh(name, addresses)]


def changes(lab: Lab, *arguments: str) -> dict[str, int]:
    """Run the site playbook; return how many tasks have changed something, by machine."""
    recap = lab.site(*arguments, capture=True).rpartition("PLAY RECAP")[2]
    return {
        name: int(changed) for name, changed in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) ", recap, re.MULTILINE)
    }


def can_serve(lab: Lab, server: str) -> bool:
    """Whether hosts could boot from this boot server."""
    try:
        lab.ssh(server, HEALTHY)
    except LabError:
        return False
    return True


def test_check_mode_before_the_first_run_promises_all_and_makes_nothing(bare: Lab) -> None:
    """The trees and their place in CephFS are yet to come; the boot servers' own disks are not where to plan them."""
    promised = bare.site("--check", "--diff", capture=True)
    assert re.findall(r"^changed: \[(.*)\] => \{\n.*Boot trees would follow", promised, re.MULTILINE) == SERVERS
    assert "Mount and exports of the boot trees would follow" in promised
    assert bare.ceph("fs", "subvolumegroup", "ls", "cephfs") == []
    assert [user for user in bare.ceph("auth", "ls")["auth_dump"] if "diskless" in user["entity"]] == []
    assert [bare.ssh(name, f"ls {TREES} 2>/dev/null; :") for name in SERVERS] == ["", ""]


def test_both_boot_servers_have_the_trees_and_one_has_the_address(lab: Lab) -> None:
    """What a host is given does not depend on which of them has it."""
    lists = [lab.ssh(name, f"cd {TREES} && sha256sum */*") for name in SERVERS]
    assert lists[0] == lists[1]
    assert "udoo1/host.cpio" in lists[0]
    assert [lab.ssh(name, f"findmnt -no FSTYPE {TREES}").strip() for name in SERVERS] == ["fuse.ceph-fuse"] * 2
    assert len(with_address(lab)) == 1


def test_check_mode_afterwards_promises_nothing(lab: Lab, running: DisklessHost) -> None:
    """The second boot server has found written what the first one wrote."""
    assert running.stages(0)[-1] == "ready"
    found = changes(lab, "--check", "--diff")
    assert set(SERVERS) < set(found)
    assert set(found.values()) == {0}, found


def test_hosts_boot_and_write_when_the_boot_server_is_killed(lab: Lab, running: DisklessHost) -> None:
    """One that is switched on now boots from the other boot server; one that runs keeps its /boot."""
    running.ssh("echo before > /boot/probe && sync /boot/probe")
    (dead,) = with_address(lab)
    (other,) = set(SERVERS) - {dead}
    assert can_serve(lab, other)
    new = DisklessHost(lab, "udoo2")
    since = new.now()
    lab.power("off", dead)
    killed = time.monotonic()

    def tell(what: str) -> None:
        print(f"{what} {time.monotonic() - killed:.0f} s after the power cut", flush=True)

    def write() -> None:
        assert running.ssh("cat /boot/probe && echo after > /boot/created", GIVEN_UP + 60) == "before\n"
        tell("written")

    try:
        with ThreadPoolExecutor(1) as executor:
            written = executor.submit(write)
            lab.power("on", new.name)
            # All that is not just being written; direct, or it would come from the host's own cache.
            running.ssh("dd if=/boot/vmlinuz-$(uname -r) iflag=direct bs=1M of=/dev/null", timeout=90)
            tell("kernel read")
            new.wait_stage("ready", since)
            tell("another host ready")
            assert new.boot_tree() == [f"{BOOT_SERVER}:/boot/udoo2", "nfs4"]
            assert "kernel=" in new.ssh("cat /boot/kernel.cfg")
            assert with_address(lab, other) == [other]
            written.result()
        running.ssh("echo again > /boot/probe && mv /boot/probe /boot/created")
        assert lab.ssh(other, f"cat {TREES}/udoo1/created") == "again\n"
        running.ssh("rm /boot/created")
    finally:
        lab.power("on", dead)


def test_boot_server_that_was_killed_returns_and_the_site_playbook_changes_nothing(lab: Lab) -> None:
    """It is again what it was, by itself, and does not take the address away from the one that has it."""
    (serving,) = with_address(lab)
    assert wait_until(lambda: all(can_serve(lab, name) for name in SERVERS), 120, 1)
    found = changes(lab)
    assert set(SERVERS) < set(found)
    assert set(found.values()) == {0}, found
    assert with_address(lab) == [serving]
    assert DisklessHost(lab, "udoo2").ssh("cat /boot/kernel.cfg")
