# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that change what hosts boot from: in which order they do it, and what they refuse before they do."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.pretended_cluster import DEAD, LATER, POOL, Cluster, root_image

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root")

ALIVE = [{"address": DEAD["address"], "client": 4154, "cookie": 140}]
TAKEN = [
    f"ceph osd blocklist add {DEAD['address']} 86400",
    f"rbd lock rm {POOL}/udoo1/root auto 140 client.4154",
]


def run_udoo1(cluster: Cluster, power: str) -> None:
    """Let udoo1 have its root image open; its power driver says this."""
    state = cluster.read()
    state["images"][f"{POOL}/udoo1/root"] = root_image(lock=DEAD, watchers=ALIVE)
    cluster.write({**state, "power": {**state["power"], "udoo1": power}})


def refused(cluster: Cluster, playbook: str, *words: str) -> str:
    """Return why a playbook does nothing; prove that nothing was done."""
    before = cluster.read()
    files = sorted(path for path in cluster.directory.joinpath("srv").rglob("*"))
    done = cluster.play(playbook, *words)
    assert done.returncode != 0, done.stdout
    assert cluster.read() == before
    assert cluster.history == []
    assert sorted(path for path in cluster.directory.joinpath("srv").rglob("*")) == files
    found = re.findall(
        r'"msg": "(Nothing was changed.*|--limit names .*|.* does nothing to a whole group.*)"', done.stdout
    )
    assert found, done.stdout
    return str(found[-1])


def succeeded(cluster: Cluster, playbook: str, *words: str) -> dict[str, Any]:
    """Run a playbook and return what it did, as it tells programs."""
    file = cluster.directory / "answer.json"
    done = cluster.play(playbook, "-e", f"{playbook}_file={file}", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return answer


def test_recovery_keeps_the_dead_owner_out_breaks_its_lock_lifts_the_fence_and_follows_the_boot(tmp_path: Path) -> None:
    fence = {"10.77.0.11:0/77": LATER, "10.77.0.11:0/0": LATER, "10.77.0.99:0/0": LATER}
    cluster = Cluster.of(tmp_path, blocklist=fence)
    checked = succeeded(cluster, "recover_host", "--limit", "udoo1", "--check")["udoo1"]
    assert cluster.history == []
    told = succeeded(cluster, "recover_host", "--limit", "udoo1")["udoo1"]
    # The owner has an entry of its own before the fence goes, which hit it as well.
    assert cluster.history == [*TAKEN, "ceph osd blocklist rm 10.77.0.11:0/0", "power on udoo1"]
    assert set(cluster.read()["blocklist"]) == {"10.77.0.11:0/77", "10.77.0.99:0/0", DEAD["address"]}
    assert (told["ready"], told["owner"], told["steps"]) == (True, "10.77.0.11:0/9999", checked["steps"])
    assert told["former_owner"] == {"client": "client.4154", "address": DEAD["address"]}


@pytest.mark.full
def test_recovery_refuses_a_host_that_runs_whatever_else_is_in_doubt(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)
    assert "does nothing to a whole group by accident" in refused(cluster, "recover_host")
    run_udoo1(cluster, "on")
    why = refused(cluster, "recover_host", "--limit", "udoo1,udoo2")
    assert "the power driver of udoo1 says that it is on" in why
    # A driver that says off, and a client that still has the image open: it is that of another machine.
    run_udoo1(cluster, "off")
    why = refused(cluster, "recover_host", "--limit", "udoo1,udoo2")
    assert f"is watched by {DEAD['address']} (client.4154) although its power is off" in why


@pytest.mark.full
def test_host_is_switched_off_when_asked_and_a_range_is_lifted_when_named(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path, ranges={"cidr:10.77.0.0:0/24": LATER})
    run_udoo1(cluster, "on")
    asked = ("-e", "recover_host_power_off=true", "-e", "recover_host_lift_ranges=10.77.0.0/24")
    succeeded(cluster, "recover_host", "--limit", "udoo1", *asked)
    lifted = "ceph osd blocklist range rm 10.77.0.0/24"
    assert cluster.history == ["power off udoo1", *TAKEN, lifted, "power on udoo1"]


@pytest.mark.full
def test_rollback_keeps_what_there_is_and_brings_back_the_kernel_of_the_snapshot(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)
    succeeded(cluster, "snapshot", "--limit", "udoo2", "-e", "snapshot_name=good")
    cluster.boots("udoo2", "2")
    (cluster.tree("udoo2") / "vmlinuz-1").unlink()
    told = succeeded(cluster, "rollback_root", "--limit", "udoo2", "-e", "rollback_root_snapshot=good")["udoo2"]
    image = f"{POOL}/udoo2/root"
    assert cluster.history == [
        f"rbd snap create {image}@good",
        f"rbd snap create {image}@{told['safety_snapshot']}",
        f"rbd snap rollback {image}@good",
    ]
    assert cluster.kernel("udoo2") == "vmlinuz-1"
    assert not (cluster.tree("udoo2") / "vmlinuz-2").exists()
    assert (cluster.tree("udoo2") / "kept" / told["safety_snapshot"] / "vmlinuz-2").exists()


def test_snapshot_of_a_dead_host_is_refused_because_it_would_take_its_lock(tmp_path: Path) -> None:
    assert "the host has died or is cut off, and a snapshot would take its lock away" in refused(
        Cluster.of(tmp_path), "snapshot"
    )


@pytest.mark.full
def test_snapshot_that_was_not_taken_while_the_root_was_frozen_does_not_stay(tmp_path: Path) -> None:
    login = {" hold 20": "frozen", " release": '{"by": "request", "seconds": 1.2}', "true": ""}
    cluster = Cluster.of(tmp_path, login=login)
    run_udoo1(cluster, "on")
    frozen = ("--limit", "udoo1", "-e", "snapshot_freeze=true")
    told = succeeded(cluster, "snapshot", *frozen, "-e", "snapshot_name=one")["udoo1"]
    assert (told["consistency"], told["frozen_seconds"]) == ("frozen", 1.2)
    image = f"{POOL}/udoo1/root"
    assert cluster.history == ["ssh true", "ssh  hold 20", f"rbd snap create {image}@one", "ssh  release"]

    cluster.write({**cluster.read(), "login": {**login, " release": '{"by": "time", "seconds": 20}'}})
    done = cluster.play("snapshot", *frozen, "-e", "snapshot_name=two")
    assert done.returncode != 0
    assert "thawed by time before anybody said so, so the snapshot two was removed again" in done.stdout
    assert cluster.history[-3:] == [f"rbd snap create {image}@two", "ssh  release", f"rbd snap rm {image}@two"]


def archive(cluster: Cluster, golden: str) -> None:
    """Put the boot files of a golden image where the role root_image leaves them."""
    place = cluster.directory / "artifacts" / "admin" / golden
    place.mkdir(parents=True)
    with tarfile.open(place / "boot.tar", "w:") as boot:
        for name, text in (
            ("vmlinuz-b", "k"),
            ("initrd.img-b", "i"),
            ("kernel.cfg", "set kernel=vmlinuz-b\nset initrd=initrd.img-b\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            boot.addfile(member, io.BytesIO(text.encode()))


@pytest.mark.full
def test_host_gets_a_golden_image_with_its_kernel_and_can_go_back(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)
    archive(cluster, "golden-bookworm-amd64-bbb")
    golden = ("-e", "reimage_golden=golden-bookworm-amd64-bbb", "-e", "reimage_keep=old")
    succeeded(cluster, "reimage", "--limit", "udoo1", *golden)
    image = f"{POOL}/udoo1/root"
    assert cluster.history == [
        *TAKEN,
        f"rbd rename {image} {POOL}/udoo1/old",
        f"rbd clone {POOL}/golden-bookworm-amd64-bbb@root {image}",
        f"rbd resize {image}",
        "ceph auth import -i -",
    ]
    assert cluster.kernel("udoo1") == "vmlinuz-b"
    assert not (cluster.tree("udoo1") / "vmlinuz-1").exists()
    assert "rbd_header.b" in cluster.read()["users"]["client.diskless.udoo1"]["caps"]["osd"]

    succeeded(cluster, "reimage", "--limit", "udoo1", "-e", "reimage_root=old", "-e", "reimage_keep=new")
    images = cluster.read()["images"]
    assert [images[f"{POOL}/udoo1/{name}"]["parent"] for name in ("root", "new")] == [
        "golden-bookworm-amd64-aaa@root",
        "golden-bookworm-amd64-bbb@root",
    ]
    assert cluster.kernel("udoo1") == "vmlinuz-1"
    assert "rbd_header.a" in cluster.read()["users"]["client.diskless.udoo1"]["caps"]["osd"]


@pytest.mark.full
def test_retired_host_loses_key_boot_tree_and_on_request_its_images(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)
    why = refused(cluster, "retire_host", "--limit", "udoo1,udoo2", "-e", "retire_host_confirm=udoo2")
    assert "expected one host, confirmed by -e retire_host_confirm=HOST" in why
    asked = ("-e", "retire_host_confirm=udoo2", "-e", "retire_host_images=remove")
    succeeded(cluster, "retire_host", "--limit", "udoo2", *asked)
    assert cluster.history == [
        "ceph auth rm client.diskless.udoo2",
        f"rbd snap rm {POOL}/udoo2/root@before",
        f"rbd rm {POOL}/udoo2/root",
        f"rbd namespace rm {POOL}/udoo2",
    ]
    assert not cluster.tree("udoo2").exists()
    assert cluster.tree("udoo1").exists()
    assert f"{POOL}/udoo1/root" in cluster.read()["images"]
