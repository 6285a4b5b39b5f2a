# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_storage_info on a real cluster: what it says of hosts that lack something is what these hosts then cannot do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect

from lab.ceph import CephCluster
from lab.patience import patience
from tests.integration.conftest import CLUSTER_ADDRESS, POOL, Machine
from tests.integration.dead_owner import leave_lock_of_dead_owner
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleRun
from tests.integration.test_host_storage import FEATURES, spec

GOLDEN = f"{POOL}/golden-host-storage-info@root"
NAMES = [f"i{number}" for number in range(6)]
BINDINGS = pytest.mark.parametrize("bindings", [True, False], ids=["bindings", "commands"])
AWAY = "/etc/ceph/away-from-info.conf"


@pytest.fixture(scope="module")
def fleet(
    module: ModuleRun, machines: list[Machine], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Hosts by name with all that they need. The first two are the machines, which have their keys."""
    source = tmp_path_factory.mktemp("golden") / "raw"
    source.write_bytes(bytes(4 << 20))
    image = GOLDEN.partition("/")[2].partition("@")[0]
    module("rbd_image", pool=POOL, name=image, source=str(source), features=FEATURES)
    module("rbd_snapshot", pool=POOL, image=image, name="root", state="protected")
    addresses = [machine.address for machine in machines] + [f"10.76.9.{number}" for number in range(2, 6)]
    hosts = [spec(name, address) for name, address in zip(NAMES, addresses, strict=True)]
    keys = module("host_storage", hosts=hosts, golden_images={"amd64": GOLDEN})["cephx_keys"]
    for name, machine in zip(NAMES, machines, strict=False):
        machine.give_key(f"client.diskless.{name}", keys[name])
    return {host["name"]: host for host in hosts}


def evidence(module: ModuleRun, *hosts: dict[str, Any]) -> dict[str, Any]:
    return module.info("host_storage_info", hosts=list(hosts))


def of_host(module: ModuleRun, host: dict[str, Any]) -> dict[str, Any]:
    return dict(evidence(module, host)["hosts"][host["name"]])


def on(ceph: CephCluster, machine: Machine) -> list[str]:
    """The words before a command that run it there."""
    return [*ceph.launcher[:-1], machine.container]


def test_host_that_has_all_it_needs(module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]]) -> None:
    found = evidence(module, *fleet.values())
    assert (found["reached"], found["error"]) == (True, None)
    cluster = found["cluster"]
    assert (cluster["fsid"], cluster["release"]) == (ceph.ceph("fsid")["fsid"], int(ceph.release))
    assert cluster["health"] == ceph.health()
    assert [check["code"] for check in cluster["checks"]] == sorted(ceph.ceph("health", "detail")["checks"])
    assert cluster["flags"] == sorted(ceph.ceph("osd", "dump")["flags_set"])
    assert cluster["recovering"] is False
    assert cluster["monitors"] == [
        {"name": "a", "v1": f"{CLUSTER_ADDRESS}:6789", "v2": f"{CLUSTER_ADDRESS}:3300", "in_quorum": True}
    ]
    user = ceph.ceph("auth", "get", "client.diskless.i2")[0]
    assert sorted(found["hosts"]) == NAMES
    assert found["hosts"]["i2"] == {
        "image": {
            "name": f"{POOL}/i2/root",
            "exists": True,
            "size": 8 << 20,
            "wanted_size": 8 << 20,
            "features": [*FEATURES, "operations"],
            "parent": GOLDEN,
            "problems": [],
        },
        "locks": [],
        "watchers": [],
        "owner_alive": None,
        "user": {
            "name": "client.diskless.i2",
            "exists": True,
            "caps": user["caps"],
            "caps_missing": [],
            "can_blocklist_itself": True,
            "key_fingerprint": sha256(user["key"].encode()).hexdigest()[:16],
        },
        "blocklist": [],
    }
    assert user["key"] not in str(found)


def test_host_that_holds_its_image(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], fleet: dict[str, dict[str, Any]]
) -> None:
    with hold_image(ceph, "root", namespace="i0", name="client.diskless.i0", launcher=on(ceph, machines[0])) as holder:
        found = of_host(module, fleet["i0"])
    (lock,) = found["locks"]
    assert (lock["owner"], found["owner_alive"]) == (holder.client, True)
    assert lock["address"].startswith(f"{machines[0].address}:0/")
    assert found["watchers"] == [{"client": holder.client, "address": lock["address"]}]


def test_lock_whose_owner_is_dead(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine], fleet: dict[str, dict[str, Any]]
) -> None:
    dead = leave_lock_of_dead_owner(ceph, "root", "i1", "client.diskless.i1", launcher=on(ceph, machines[1]))
    found = of_host(module, fleet["i1"])
    cookie = int(dead["id"].removeprefix("auto "))
    assert found["locks"] == [{"owner": dead["locker"], "address": dead["address"], "cookie": cookie}]
    assert (found["watchers"], found["owner_alive"]) == ([], False)
    ceph.run("rbd", "lock", "rm", f"{POOL}/i1/root", dead["id"], dead["locker"])
    # To remove a lock puts its owner on the blocklist.
    hits = {entry["address"]: entry for entry in of_host(module, fleet["i1"])["blocklist"]}
    assert (hits[dead["address"]]["kind"], hits[dead["address"]]["fence"]) == ("client", False)


def test_missing_image_namespace_and_user(
    module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]]
) -> None:
    ceph.run("rbd", "rm", "--no-progress", f"{POOL}/i3/root")
    ceph.run("ceph", "auth", "rm", "client.diskless.i4")
    never = spec("never", "10.76.9.9")
    found = evidence(module, fleet["i3"], fleet["i4"], never, spec("lost", "10.76.9.10", pool="rbd-test"))["hosts"]
    i3, i4 = found["i3"], found["i4"]
    assert (i3["image"]["exists"], i3["image"]["problems"]) == (False, [f"image {POOL}/i3/root does not exist"])
    assert (i3["user"]["exists"], i3["user"]["caps_missing"], i3["locks"]) == (True, [], [])
    assert (i4["image"]["exists"], i4["user"]["exists"], i4["user"]["can_blocklist_itself"]) == (True, False, None)
    assert found["never"]["user"]["exists"] is False
    (problem,) = found["never"]["image"]["problems"]
    assert problem.startswith(f"image {POOL}/never/root: namespace never does not exist")
    (problem,) = found["lost"]["image"]["problems"]
    assert problem == f"image rbd-test/lost/root: pool rbd-test does not exist; did you mean {POOL}?"


def test_image_that_no_kernel_maps(module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]]) -> None:
    ceph.run("rbd", "feature", "enable", f"{POOL}/i5/root", "journaling")
    ceph.run("rbd", "lock", "add", f"{POOL}/i5/root", "backup")
    found = of_host(module, fleet["i5"])
    assert found["image"]["problems"] == [
        "kernel 6.1 cannot map it: no kernel maps journaling",
        "it was locked by hand (rbd lock add, id 'backup'), and such a lock no kernel takes over",
    ]
    assert (found["locks"][0]["cookie"], found["owner_alive"]) == (None, None)


READS = "profile simple-rados-client"
OWN_NAMESPACE = f"profile rbd pool={POOL} namespace=i0"
CAPS = {
    "may do everything": ("allow *", "allow *"),
    "has Ceph's wide profile": ("profile rbd", f"profile rbd pool={POOL}"),
    "may not blocklist": (READS, f"profile rbd pool={POOL}"),
    "may blocklist any single client": (
        f"{READS}, allow command 'osd {{word}}' with {{word}}op=add addr regex '^[^/]+:0/[0-9]{{{{4,}}}}$'",
        f"profile rbd pool={POOL}",
    ),
    "may blocklist another host": (
        f"{READS}, allow command 'osd {{word}}' with {{word}}op=add addr regex '^10[.]76[.]0[.]99:0/[0-9]+$'",
        f"profile rbd pool={POOL}",
    ),
    "may only remove entries": (
        f"{READS}, allow command 'osd {{word}}' with {{word}}op=rm",
        f"profile rbd pool={POOL}",
    ),
    "may not read the golden image": ("profile rbd", OWN_NAMESPACE),
    "may read all golden images": (
        "profile rbd",
        f'{OWN_NAMESPACE}, profile rbd-read-only pool={POOL} namespace=""',
    ),
    "is at home at another address": ("profile rbd network 10.76.0.99/32", "allow rwx network 10.76.0.99/32"),
    "has a network without a prefix length": ("profile rbd network 10.76.0.11", "allow *"),
    "is at home in the network": ("profile rbd network 10.76.0.0/24", "allow rwx network 10.76.0.0/24"),
    "has an unknown profile": ("profile rdb", f"profile rdb pool={POOL}"),
    "may write nothing": ("profile rbd-read-only", f"profile rbd-read-only pool={POOL}"),
}


# What keeps a boot waiting for ever; the others are left to make full.
STUCK = ("may not blocklist", "may write nothing")


@pytest.mark.parametrize(
    ("mon", "osd"),
    [pytest.param(*caps, id=what, marks=[] if what in STUCK else pytest.mark.full) for what, caps in CAPS.items()],
)
def test_what_is_said_of_the_caps_is_what_the_host_can_do(  # noqa: PLR0913, PLR0917 -- fixtures
    module: ModuleRun,
    ceph: CephCluster,
    machines: list[Machine],
    fleet: dict[str, dict[str, Any]],
    mon: str,
    osd: str,
) -> None:
    """The host's user gets other caps; its machine then tries."""
    user, machine, word = "client.diskless.i0", machines[0], Dialect(int(ceph.release)).word
    ceph.run("ceph", "auth", "caps", user, "mon", mon.format(word=word), "osd", osd)
    told = of_host(module, fleet["i0"])["user"]
    former = f"{machine.address}:0/2736153118"
    blocklists = machine.try_to(user, "ceph", "osd", word, "add", former).returncode == 0
    ceph.run("ceph", "osd", word, "rm", former)
    image = f"{POOL}/i0/root"
    # To a file it wants to make itself; what it reads is not text.
    export = f'exec rbd export --no-progress {image} - "$@" >/dev/null'
    reads = machine.try_to(user, "sh", "-c", export, "sh").returncode == 0
    bench = ["--io-type", "write", "--io-size", "4K", "--io-total", "4K", image]
    writes = reads and machine.try_to(user, "rbd", "bench", *bench).returncode == 0
    assert told["can_blocklist_itself"] is blocklists
    others = [grant for grant in told["caps_missing"] if "command" not in grant]
    assert (others == []) is (reads and writes), others
    assert (len(told["caps_missing"]) == len(others)) is blocklists


@pytest.fixture
def blocked(ceph: CephCluster, fleet: dict[str, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Entries of each kind that the release has, all at the host i2."""
    word = Dialect(int(ceph.release)).word
    address = fleet["i2"]["address"]
    entries = [
        {"address": f"{address}:0/0", "kind": "host", "fence": True},
        {"address": f"{address}:0/4137", "kind": "client", "fence": False},
    ]
    commands = [[f"{address}:0/0"], [f"{address}:0/4137"], ["10.76.9.3:0/4138"]]
    for command in commands:
        ceph.run("ceph", "osd", word, "add", *command, "7200")
    if ceph.release != "14":
        entries.append({"address": "10.76.9.0/30", "kind": "range", "fence": True})
        ceph.run("ceph", "osd", word, "range", "add", "10.76.9.0/30", "7200")
    yield entries
    for command in commands:
        ceph.run("ceph", "osd", word, "rm", *command)
    if ceph.release != "14":
        ceph.run("ceph", "osd", word, "range", "rm", "10.76.9.0/30")


def test_entries_that_hit_a_host(
    module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]], blocked: list[dict[str, Any]]
) -> None:
    hosts = evidence(module, fleet["i2"], fleet["i3"], fleet["i4"])["hosts"]
    found = [{key: entry[key] for key in ("address", "kind", "fence")} for entry in hosts["i2"]["blocklist"]]
    assert found == blocked
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["until"]) for entry in hosts["i2"]["blocklist"])
    beside = [entry["kind"] for entry in hosts["i3"]["blocklist"]]
    assert beside == (["client"] if ceph.release == "14" else ["client", "range"])
    assert hosts["i4"]["blocklist"] == []


@pytest.mark.full
def test_state_of_the_cluster(module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]]) -> None:
    """A flag is set, and a pool wants two copies where there is one OSD."""
    pool = "host-storage-info"
    ceph.run("ceph", "osd", "set", "noout")
    ceph.run("ceph", "osd", "pool", "create", pool, "1")
    ceph.run("rados", "--pool", pool, "put", "object", "/etc/hostname")
    ceph.run("ceph", "osd", "pool", "set", pool, "size", "2")
    try:
        deadline = time.monotonic() + 60 * patience()
        while not (cluster := module("host_storage_info", hosts=[fleet["i2"]])["cluster"])["recovering"]:
            assert time.monotonic() < deadline, cluster
            time.sleep(0.5)
    finally:
        ceph.run("ceph", "osd", "unset", "noout")
        ceph.run("ceph", "config", "set", "mon", "mon_allow_pool_delete", "true")
        ceph.run("ceph", "osd", "pool", "rm", pool, pool, "--yes-i-really-really-mean-it")
        ceph.run("ceph", "config", "rm", "mon", "mon_allow_pool_delete")
    assert "noout" in cluster["flags"]
    assert cluster["health"] == "HEALTH_WARN"
    checks = {check["code"]: check for check in cluster["checks"]}
    assert checks["OSDMAP_FLAGS"] == {
        "code": "OSDMAP_FLAGS",
        "severity": "HEALTH_WARN",
        "summary": "noout flag(s) set",
    }
    deadline = time.monotonic() + 60 * patience()
    while module("host_storage_info", hosts=[fleet["i2"]])["cluster"]["recovering"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)


@BINDINGS
def test_cluster_that_does_not_answer(
    module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]], bindings: bool
) -> None:
    conf = ceph.run("cat", "/etc/ceph/ceph.conf")
    ceph.run("sh", "-c", f"cat >{AWAY}", stdin=re.sub("mon host = .*", "mon host = 127.0.0.9", conf))
    began = time.monotonic()
    found = module("host_storage_info", bindings=bindings, ceph_conf=AWAY, ceph_timeout=6, hosts=[fleet["i2"]])
    assert time.monotonic() - began < 20 * patience()
    assert found["reached"] is False
    assert re.search(": no answer within [36] s: can the monitors be reached from there", found["error"])
    assert set(found["cluster"].values()) == {None}
    assert (found["hosts"]["i2"]["image"]["exists"], found["hosts"]["i2"]["user"]["exists"]) == (None, None)


@BINDINGS
def test_monitors_that_refuse(
    module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]], bindings: bool
) -> None:
    keyring = "/etc/ceph/ceph.client.info-small.keyring"
    ceph.run("ceph", "auth", "get-or-create", "client.info-small", "mon", "allow r", "-o", keyring)
    found = module("host_storage_info", bindings=bindings, ceph_name="client.info-small", hosts=[fleet["i2"]])
    assert found["reached"] is True
    assert "auth ls -f json: client.info-small may not do that; its caps have to include" in found["error"]


@BINDINGS
@pytest.mark.once(reason="how long an OSD is waited for is ours to say")
def test_osds_that_do_not_answer(
    module: ModuleRun, ceph: CephCluster, fleet: dict[str, dict[str, Any]], bindings: bool
) -> None:
    pid = ceph.run("pidof", "ceph-osd").strip()
    ceph.run("kill", "-STOP", pid)
    try:
        began = time.monotonic()
        found = module("host_storage_info", bindings=bindings, ceph_timeout=6, hosts=[fleet["i2"]])
        assert time.monotonic() - began < 20 * patience()
    finally:
        ceph.run("kill", "-CONT", pid)
    assert found["reached"] is True
    assert re.search("no answer within [36] s", found["error"])
    assert (found["cluster"]["release"], found["hosts"]["i2"]["user"]["exists"]) == (int(ceph.release), True)
    assert (found["hosts"]["i2"]["image"]["exists"], found["hosts"]["i2"]["locks"]) == (None, None)
    ceph.wait_ready()
