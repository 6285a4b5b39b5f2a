# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_storage on a real cluster: what it brings about, and what a host can and cannot do with its key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect

from lab.ceph import CephCluster
from tests.integration.conftest import CLUSTER_ADDRESS, POOL, Machine
from tests.integration.module_run import ModuleFailed, ModuleRun

FEATURES = ["layering", "exclusive-lock", "object-map", "fast-diff"]
GOLDEN = f"{POOL}/golden-host-storage@root"
GOLDEN_CONTENT = b"golden image!..." * (1 << 18)


def spec(name: str, address: str, **other: Any) -> dict[str, Any]:
    return {
        "name": name,
        "board": "udoo_x86",
        "arch": "amd64",
        "address": address,
        "pool": POOL,
        "namespace": name,
        "image": "root",
        "cephx_user": f"client.diskless.{name}",
        "root_size": 8 << 20,
        "features": FEATURES,
        "kernel": "6.1",
        **other,
    }


@pytest.fixture(scope="module")
def golden(module: ModuleRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A golden image of 4 MiB."""
    image = GOLDEN.partition("/")[2].partition("@")[0]
    source = tmp_path_factory.mktemp("golden") / "raw"
    source.write_bytes(GOLDEN_CONTENT)
    module("rbd_image", pool=POOL, name=image, source=str(source), features=FEATURES)
    module("rbd_snapshot", pool=POOL, image=image, name="root", state="protected")
    return {"amd64": GOLDEN}


@pytest.fixture(scope="module")
def fleet(module: ModuleRun, golden: dict[str, str], machines: list[Machine]) -> list[Machine]:
    """Two hosts with their storage, their machines holding the keys."""
    hosts = [spec(f"h{number}", machine.address) for number, machine in enumerate(machines)]
    result = module("host_storage", hosts=hosts, golden_images=golden)
    for number, machine in enumerate(machines):
        machine.give_key(f"client.diskless.h{number}", result["cephx_keys"][f"h{number}"])
    return machines


def test_fleet_converges(module: ModuleRun, ceph: CephCluster, golden: dict[str, str]) -> None:
    hosts = [spec("c1", "10.76.1.1"), spec("c2", "10.76.1.2")]
    result = module.converge("host_storage", hosts=hosts, golden_images=golden)
    assert [(host["name"], host["image_action"], host["user_action"]) for host in result["hosts"]] == [
        ("c1", "created", "created"),
        ("c2", "created", "created"),
    ]
    assert (result["fsid"], result["release"]) == (ceph.ceph("fsid")["fsid"], int(ceph.release))
    assert result["monitors"] == [{"name": "a", "v1": f"{CLUSTER_ADDRESS}:6789", "v2": f"{CLUSTER_ADDRESS}:3300"}]
    for name in ("c1", "c2"):
        info = ceph.rbd("info", f"{POOL}/{name}/root")
        assert info["features"] == [*FEATURES, "operations"]
        assert (info["size"], info["parent"]["snapshot"]) == (8 << 20, "root")
        user = ceph.ceph("auth", "get", f"client.diskless.{name}")[0]
        assert user["key"] == result["cephx_keys"][name]
        assert sorted(user["caps"]) == ["mon", "osd"]
        assert user["key"] not in str(result["diff"])


def test_growing_and_a_new_address_touch_one_host(module: ModuleRun, ceph: CephCluster, golden: dict[str, str]) -> None:
    hosts = [spec("g1", "10.76.2.1"), spec("g2", "10.76.2.2")]
    key = module("host_storage", hosts=hosts, golden_images=golden)["cephx_keys"]["g2"]
    hosts[1] = spec("g2", "fd77::2", root_size=16 << 20)
    result = module.converge("host_storage", hosts=hosts, golden_images=golden)
    assert [(host["image_action"], host["user_action"]) for host in result["hosts"]] == [
        ("unchanged", "unchanged"),
        ("grown", "updated"),
    ]
    assert ceph.rbd("info", f"{POOL}/g2/root")["size"] == 16 << 20
    assert result["cephx_keys"]["g2"] == key


def test_run_that_died_half_way_is_completed(module: ModuleRun, ceph: CephCluster, golden: dict[str, str]) -> None:
    ceph.run("rbd", "namespace", "create", f"{POOL}/d1")
    ceph.run("rbd", "namespace", "create", f"{POOL}/d2")
    ceph.run("rbd", "clone", "--rbd-default-clone-format", "2", "--image-feature", ",".join(FEATURES), GOLDEN,
             f"{POOL}/d2/root")  # fmt: skip
    hosts = [spec("d1", "10.76.3.1"), spec("d2", "10.76.3.2")]
    result = module.converge("host_storage", hosts=hosts, golden_images=golden)
    assert [host["image_action"] for host in result["hosts"]] == ["created", "grown"]


def test_problems_of_all_hosts_come_before_any_change(
    module: ModuleRun, ceph: CephCluster, golden: dict[str, str]
) -> None:
    hosts = [
        spec("p1", "10.76.4.1"),
        spec("p2", "10.76.4.2", root_size=1 << 20),
        spec("p3", "10.76.4.3", features=[*FEATURES, "journaling"]),
    ]
    with pytest.raises(ModuleFailed) as caught:
        module("host_storage", hosts=hosts, golden_images=golden)
    assert str(caught.value) == (
        "nothing was changed: host p3: kernel 6.1 cannot map a root image like that: no kernel maps journaling; "
        f"host p2: root_size 1MiB is less than the 4MiB of golden image {GOLDEN}"
    )
    assert not {"p1", "p2", "p3"} & {entry["name"] for entry in ceph.rbd("namespace", "ls", POOL)}


def test_existing_image_is_reported_and_left_alone(
    module: ModuleRun, ceph: CephCluster, golden: dict[str, str]
) -> None:
    hosts = [spec("e1", "10.76.5.1")]
    module("host_storage", hosts=hosts, golden_images=golden)
    ceph.run("rbd", "feature", "enable", f"{POOL}/e1/root", "journaling")
    ceph.run("rbd", "flatten", "--no-progress", f"{POOL}/e1/root")
    result = module("host_storage", hosts=hosts, golden_images=golden)
    assert result["hosts"][0]["differences"] == [
        f"host e1: root image {POOL}/e1/root is no clone (any more), not of {GOLDEN}",
        f"host e1: root image {POOL}/e1/root cannot be mapped by kernel 6.1: no kernel maps journaling",
    ]
    assert result["hosts"][0]["image_action"] == "unchanged"
    assert "golden" not in ceph.ceph("auth", "get", "client.diskless.e1")[0]["caps"]["osd"]
    assert "journaling" in ceph.rbd("info", f"{POOL}/e1/root")["features"]


H0 = "client.diskless.h0"
ALLOWED = {
    "see its root image": f"rbd info {POOL}/h0/root",
    "write to its root image": f"rbd bench --io-type write --io-size 4K --io-total 64K {POOL}/h0/root",
    "blocklist its former self": "ceph osd blocklist add 10.76.0.11:0/2654949452",
    "blocklist its former self in the words of an older kernel": "ceph osd blacklist add 10.76.0.11:0/2654949453",
    "find the monitors and OSDs": "ceph osd dump",
}
REFUSED = {
    "open another host's root image": f"rbd info {POOL}/h1/root",
    "read another host's root image": f"rbd export --no-progress {POOL}/h1/root /tmp/image",
    "see what another host has": f"rbd ls {POOL}/h1",
    "open a golden image by name": f"rbd info {GOLDEN.partition('@')[0]}",
    "read other images of the pool": f"rbd export --no-progress {POOL}/other /tmp/image",
    "write to the golden image": f"rbd bench --io-type write --io-size 4K --io-total 4K {GOLDEN.partition('@')[0]}",
    "take a snapshot of the golden image": f"rbd snap create {GOLDEN.partition('@')[0]}@mine",
    "create an image beside the golden image": f"rbd create --size 1M {POOL}/mine",
    "create a namespace": f"rbd namespace create {POOL}/mine",
    "list the pool's objects": f"rados --pool {POOL} ls",
    "write an object to the pool": f"rados --pool {POOL} put mine /etc/hostname",
    "read another pool": "rados --pool cephfs_metadata ls",
    "blocklist another host": "ceph osd blocklist add 10.76.0.12:0/2654949452",
    "blocklist all clients of its address": "ceph osd blocklist add 10.76.0.11:0/0",
    "blocklist its address": "ceph osd blocklist add 10.76.0.11",
    "blocklist a network": "ceph osd blocklist range add 10.76.0.0/24",
    "blocklist what looks like a network": "ceph osd blocklist add 10.76.0.0/24",
    "take an entry from the blocklist": "ceph osd blocklist rm 10.76.0.11:0/2654949452",
    "clear the blocklist": "ceph osd blocklist clear",
    "read the users": "ceph auth ls",
    "change its own caps": "ceph auth caps client.diskless.h0 mon allow",
    "read the cluster's secrets": "ceph config-key ls",
    "create a pool": "ceph osd pool create mine 8",
    "see the file systems": "ceph fs ls",
}


NO_RANGES = pytest.mark.not_on("14", reason="the blocklist has no ranges before 16")


def in_words_of(release: str, command: str) -> list[str]:
    return command.replace("osd blocklist", f"osd {Dialect(int(release)).word}").split()


def test_host_reads_its_root_image_through_to_the_golden_image(fleet: list[Machine]) -> None:
    result = fleet[0].try_to(H0, "rbd", "export", "--no-progress", f"{POOL}/h0/root", "-")
    assert result.returncode == 0, result.stderr
    assert result.stdout.encode() == GOLDEN_CONTENT + bytes(4 << 20)


@pytest.mark.parametrize("command", [pytest.param(command, id=what) for what, command in ALLOWED.items()])
def test_host_can(fleet: list[Machine], release: str, command: str) -> None:
    result = fleet[0].try_to(H0, *in_words_of(release, command))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=what, marks=NO_RANGES if " range " in command else ())
        for what, command in REFUSED.items()
    ],
)
def test_host_cannot(fleet: list[Machine], ceph: CephCluster, release: str, command: str) -> None:
    if "other" not in ceph.rbd("ls", POOL):
        ceph.run("rbd", "create", "--size", "1M", f"{POOL}/other")
    result = fleet[0].try_to(H0, *in_words_of(release, command))
    assert result.returncode in {1, 13}, (result.returncode, result.stderr)
    assert "not permitted" in result.stderr or "EACCES" in result.stderr, result.stderr


CHILD_DETACH = """
import rados, struct, sys
def string(text):
    return struct.pack("<I", len(text)) + text.encode()
name, parent, snapshot, pool_id, child = sys.argv[1:]
cluster = rados.Rados(name=name, conffile=""); cluster.connect()
spec = struct.pack("<q", int(pool_id)) + string(child) + string("h1")
argument = struct.pack("<Q", int(snapshot)) + struct.pack("<BBI", 2, 1, len(spec)) + spec
try:
    cluster.open_ioctx("%s").execute("rbd_header." + parent, "rbd", "child_detach", argument)
except rados.PermissionError:
    print("refused")
except rados.ObjectNotFound:
    print("not found")
else:
    print("done")
"""


def test_host_cannot_hide_another_hosts_clone_from_its_parent(fleet: list[Machine], ceph: CephCluster) -> None:
    """``profile rbd-read-only`` would allow it; whoever then deletes the golden image would not be warned."""
    golden = ceph.rbd("info", GOLDEN.partition("@")[0])["id"]
    (snapshot,) = ceph.rbd("snap", "ls", GOLDEN.partition("@")[0])
    child = ceph.rbd("info", f"{POOL}/h1/root")["id"]
    pool = next(pool["poolnum"] for pool in ceph.ceph("osd", "lspools") if pool["poolname"] == POOL)
    arguments = [golden, str(snapshot["id"]), str(pool), child]
    script = CHILD_DETACH % POOL

    from_host = fleet[0].python(script, H0, *arguments)
    assert from_host == "refused"
    # The same call by one who may: this test can fail.
    assert ceph.run("python3", "-", "client.admin", *arguments, stdin=script).strip() == "done"


def test_key_is_of_no_use_at_another_address(fleet: list[Machine], ceph: CephCluster) -> None:
    key = ceph.ceph("auth", "get", H0)[0]["key"]
    thief = fleet[1]
    thief.give_key(H0, key)
    for command in ("ceph osd dump --connect-timeout 5", f"rbd info {POOL}/h0/root"):
        result = thief.try_to(H0, *command.split())
        assert result.returncode != 0, command
    # Its own key works there: it is not the machine that is cut off.
    assert thief.try_to("client.diskless.h1", "rbd", "info", f"{POOL}/h1/root").returncode == 0
