# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mds_session on a real cluster with real clients; what becomes of them is in test_eviction_incident."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from lab.ceph import CephCluster
from lab.patience import wait_until
from tests.integration.conftest import Machine
from tests.integration.fuse_client import FuseMount, fuse_mount, sessions
from tests.integration.module_run import ModuleFailed, ModuleRun

PATIENCE_SECONDS = 60
START_MDS = r"""
set -eu
mkdir -p /var/lib/ceph/mds/ceph-b
ceph auth get-or-create mds.b mon 'allow profile mds' osd 'allow rwx' mds 'allow *' mgr 'allow profile mds' \
    -o /var/lib/ceph/mds/ceph-b/keyring
ceph-mds -i b
"""


def ids(ceph: CephCluster) -> list[int]:
    return [session["id"] for session in sessions(ceph)]


def ranks(ceph: CephCluster) -> dict[int, str | None]:
    """Return the name of the active MDS by rank; a rank that is only being stopped has none."""
    (file_system,) = ceph.ceph("fs", "dump")["filesystems"]
    mdsmap = file_system["mdsmap"]
    holders = {mds["rank"]: mds["name"] for mds in mdsmap["info"].values() if mds["state"] == "up:active"}
    return {rank: holders.get(rank) for rank in mdsmap["in"]}


def wait_for_ranks(ceph: CephCluster, *wanted: int) -> dict[int, str | None]:
    def there() -> bool:
        found = ranks(ceph)
        return sorted(found) == list(wanted) and None not in found.values()

    assert wait_until(there, PATIENCE_SECONDS)
    return ranks(ceph)


@contextmanager
def second_rank(ceph: CephCluster) -> Iterator[dict[int, str | None]]:
    """Have two ranks for a while."""
    ceph.run("sh", "-c", START_MDS)
    with ExitStack() as stack:
        stack.callback(ceph.run, "sh", "-c", "kill $(pgrep -f '^ceph-mds -i b')")
        stack.callback(wait_for_ranks, ceph, 0)
        stack.callback(ceph.run, "ceph", "fs", "set", "cephfs", "max_mds", "1")
        ceph.run("ceph", "fs", "set", "cephfs", "max_mds", "2")
        yield wait_for_ranks(ceph, 0, 1)


@pytest.fixture
def mount(ceph: CephCluster, machines: list[Machine]) -> Iterator[FuseMount]:
    """A living client."""
    with fuse_mount(machines[0], ceph, "victim") as found:
        yield found


def refusal(module: ModuleRun, **args: Any) -> str:
    with pytest.raises(ModuleFailed) as caught:
        module("mds_session", **args)
    return str(caught.value)


def test_evicted_as_announced(module: ModuleRun, ceph: CephCluster, machines: list[Machine], mount: FuseMount) -> None:
    with fuse_mount(machines[1], ceph, "bystander") as bystander:
        result = module.converge("mds_session", addresses=[mount.machine.address], kinds=["fuse"], force=True)
        assert mount.client_id not in ids(ceph)
        assert bystander.client_id in ids(ceph)
    (client,) = result["clients"]
    assert (client["client_id"], client["address"]) == (mount.client_id, mount.address)
    assert client["ranks"] == [{"rank": 0, "mds": "a", "state": "open"}]
    assert (client["blocklist_on_evict"], client["evicted"], client["blocklisted"]) == (True, True, True)
    (entry,) = client["blocklist_entries"]
    dump = ceph.ceph("osd", "dump")
    until = dump["blacklist" if ceph.release == "14" else "blocklist"][mount.address]
    assert (entry["address"], entry["until"][11:19]) == (mount.address, until[11:19])


def test_check_mode_lists_whom_it_would_evict(module: ModuleRun, ceph: CephCluster, mount: FuseMount) -> None:
    result = module("mds_session", check_mode=True, client_ids=[mount.client_id], force=True)
    (client,) = result["clients"]
    assert (client["client_id"], client["evicted"]) == (mount.client_id, False)
    assert client["explanation"] == "would be evicted, and blocklisted"
    assert mount.client_id in ids(ceph)


def test_living_client_and_too_many_are_refused(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], mount: FuseMount
) -> None:
    said = refusal(module, client_ids=[mount.client_id])
    assert said.startswith(f"client.{mount.client_id} {mount.address} (client.admin on ")
    assert "has an open session with rank 0 of cephfs" in said
    assert "set force=true" in said
    with fuse_mount(machines[1], ceph, "bystander") as bystander:
        said = refusal(module, entities=["client.admin"], kinds=["fuse"], max_clients=1, force=True)
        assert said.startswith("2 clients match, max_clients is 1: ")
        assert {mount.client_id, bystander.client_id} <= set(ids(ceph))


def test_never_everybody(module: ModuleRun, ceph: CephCluster, mount: FuseMount) -> None:
    assert "no client is selected" in refusal(module, force=True)
    assert "hostnames is empty" in refusal(module, hostnames=[], force=True)
    assert "0.0.0.0/0 is every client" in refusal(module, addresses=["0.0.0.0/0"], force=True)
    assert "did you mean cephfs?" in refusal(module, file_system="cehpfs", client_ids=[1])
    assert mount.client_id in ids(ceph)


def test_client_that_does_not_exist_is_evicted_already(module: ModuleRun) -> None:
    result = module("mds_session", client_ids=[999999999])
    assert (result["changed"], result["clients"]) == (False, [])


@pytest.mark.full
def test_evicted_from_every_rank(module: ModuleRun, ceph: CephCluster, mount: FuseMount) -> None:
    with second_rank(ceph) as names:
        mount.run("mkdir", "-p", f"{mount.path}/pinned")
        for round_number in range(10):  # until the directory has moved
            mount.machine.python(
                "import os, sys, time\n"
                "os.setxattr(sys.argv[1], 'ceph.dir.pin', b'1')\n"
                "for number in range(20):\n"
                "    os.close(os.open('%s/file%s-%d' % (sys.argv[1], sys.argv[2], number), os.O_CREAT))\n"
                "    time.sleep(0.1)\n",
                f"{mount.path}/pinned",
                str(round_number),
            )
            if len(module("mds_session_info", client_ids=[mount.client_id])["sessions"]) == len(names):
                break
        result = module("mds_session", client_ids=[mount.client_id], force=True)
        (client,) = result["clients"]
        assert {rank["rank"]: rank["mds"] for rank in client["ranks"]} == names
        assert client["evicted"] is True
        assert module("mds_session_info", client_ids=[mount.client_id])["sessions"] == []
