# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery and the life of root images: what brings a host back, what it loses by that, and what is refused.

The tests build on each other, because every boot takes minutes: a power cut, a snapshot, a rollback, another root.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.api import POOL, Lab
from lab.errors import LabError
from lab.patience import patience
from tests.e2e.checksum_log import intact_lines, writing
from tests.e2e.diskless_host import DisklessHost

pytestmark = pytest.mark.full

BREAKING = "breaking header lock"  # the kernel's words when it takes a lock from a dead owner
RANGE = "10.77.0.8/29"  # addresses of hosts, and of nobody else
FREEZE = round(60 * patience())  # seconds
NO_DRIVER = '{"diskless_power": null}'
GOLDEN = "golden-test-amd64-0123456789ab"
# 1 if the journal of an ext4 file system has to be replayed, which it has not to be where that was frozen.
JOURNAL = """
import rados, rbd, sys
cluster = rados.Rados(conffile=""); cluster.connect()
ioctx = cluster.open_ioctx(sys.argv[1]); ioctx.set_namespace(sys.argv[2])
with rbd.Image(ioctx, "root", snapshot=sys.argv[3], read_only=True) as image:
    superblock = image.read(1024, 1024)
assert superblock[56:58] == b"\\x53\\xef", "no ext4"
print(int(bool(superblock[96] & 4)))
"""


def play(lab: Lab, playbook: str, host: DisklessHost, directory: Path, *words: str) -> dict[str, Any]:
    """Run a playbook for one host, and return what it did."""
    file = directory / "answer.json"
    lab.site(
        *("--limit", host.name, "-e", f"{playbook}_file={file}"),
        *words,
        playbook=f"playbooks/{playbook}.yml",
        capture=True,
    )
    answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))[host.name]
    return answer


def refused(lab: Lab, playbook: str, host: DisklessHost, directory: Path, *words: str) -> str:
    """Run a playbook that refuses, and return what it says; prove that it changes nothing."""
    before = everything(lab, host)
    with pytest.raises(LabError) as raised:
        play(lab, playbook, host, directory, *words)
    assert everything(lab, host) == before
    return str(raised.value)


def everything(lab: Lab, host: DisklessHost) -> list[Any]:
    """What a playbook could change: users, blocklist, images, their snapshots and locks, the boot tree, the power."""
    dump = lab.ceph("osd", "dump")
    images = lab.rbd("ls", f"{POOL}/{host.name}")
    return [
        sorted(dump["blocklist"]),
        sorted(dump["range_blocklist"]),
        sorted(user["entity"] for user in lab.ceph("auth", "ls")["auth_dump"]),
        sorted(images),
        [[snapshot["name"] for snapshot in lab.rbd("snap", "ls", f"{POOL}/{host.name}/{image}")] for image in images],
        host.locks(),
        lab.ssh("boot", f"cd /srv/diskless/boot/{host.name} && find . -type f -printf '%p %i %s\\n' | sort"),
        lab.machine(host.name).is_on(),
    ]


def parent(lab: Lab, host: DisklessHost, image: str) -> str:
    """Return the golden image that one of a host's images was cloned from."""
    return str(lab.rbd("info", f"{POOL}/{host.name}/{image}")["parent"]["image"])


def snapshots(host: DisklessHost) -> list[str]:
    """Return the snapshots of its root image."""
    return [snapshot["name"] for snapshot in host.lab.rbd("snap", "ls", host.image)]


def needs_recovery(lab: Lab, host: DisklessHost, snapshot: str) -> bool:
    """Tell whether the journal would have to be replayed in a snapshot."""
    return lab.cluster.run("python3", "-", POOL, host.name, snapshot, stdin=JOURNAL).strip() == "1"


@pytest.fixture(autouse=True)
def no_fences(lab: Lab) -> Iterator[None]:
    """Leave no fence behind, whatever fails."""
    yield
    dump = lab.ceph("osd", "dump")
    for entry in dump["range_blocklist"]:
        lab.cluster.run("ceph", "osd", "blocklist", "range", "rm", RANGE)
        assert entry.startswith("cidr:10.77.0.8:")
    for entry in dump["blocklist"]:
        if entry.endswith(":0/0"):
            lab.cluster.run("ceph", "osd", "blocklist", "rm", entry)


def test_host_that_is_alive_is_refused_and_nothing_changes(lab: Lab, host: DisklessHost, tmp_path: Path) -> None:
    """Its ssh answers; and where nobody can log in or knows of its power, Ceph still sees it watch its image."""
    assert "answers ssh" in refused(lab, "recover_host", host, tmp_path)
    assert "answers ssh" in refused(lab, "recover_host", host, tmp_path, "-e", "recover_host_power_off=true")
    host.ssh("touch /root/written && sync")
    # It hears whoever logs in, and its answers go nowhere, for a while.
    here = host.ssh("echo $SSH_CLIENT").split()[0]
    host.ssh(f"systemd-run --collect --on-active=240 ip route del blackhole {here}")
    host.ssh(f"(sleep 2; ip route add blackhole {here}) >/dev/null 2>&1 </dev/null &")
    time.sleep(4)
    try:
        assert "says that it is on" in refused(lab, "recover_host", host, tmp_path)
        assert "is watched by" in refused(lab, "recover_host", host, tmp_path, "-e", NO_DRIVER)
    finally:
        lab.wait_ssh(host.name, 300)


def test_after_a_power_cut_one_command_brings_the_host_back_with_all_that_was_acknowledged(
    lab: Lab, host: DisklessHost, tmp_path: Path
) -> None:
    """Although a fence and a range in the blocklist would have kept it out for a day."""
    with writing(host) as writer:
        lab.power("off", host.name)
        told = writer.acknowledged()
    (former,) = host.locks()
    neighbours = "10.77.0.250:0/0"  # the fence of some other machine stays
    for entry in (host.address, "10.77.0.250", f"{host.address}:0/7777"):
        lab.cluster.run("ceph", "osd", "blocklist", "add", entry, "86400")
    lab.cluster.run("ceph", "osd", "blocklist", "range", "add", RANGE, "86400")

    why = refused(lab, "recover_host", host, tmp_path)
    assert f"{host.name} is shut out by range {RANGE} of the blocklist" in why
    named = ("-e", f"recover_host_lift_ranges={RANGE}")
    before = everything(lab, host)
    checked = play(lab, "recover_host", host, tmp_path, "--check", *named)
    assert everything(lab, host) == before

    since = host.now()
    answer = play(lab, "recover_host", host, tmp_path, *named)
    assert answer["steps"] == checked["steps"]
    assert answer["former_owner"]["address"] == former["address"]
    assert set(answer["lifted"]) == {RANGE, f"{host.address}:0/0"}
    (owner,) = host.locks()
    assert owner["address"] == answer["owner"] != former["address"]
    # The lock was free when it came: its own kernel had nothing to break.
    assert BREAKING not in host.console(since)
    dump = lab.ceph("osd", "dump")
    assert {former["address"], f"{host.address}:0/7777", neighbours} <= set(dump["blocklist"])
    assert f"{host.address}:0/0" not in dump["blocklist"]
    assert not dump["range_blocklist"]
    assert intact_lines(host) >= told


def test_snapshot_of_a_frozen_root_needs_no_journal_and_the_host_goes_on(
    lab: Lab, host: DisklessHost, tmp_path: Path
) -> None:
    """A writer stands still while its root is frozen, and nothing that it was told is lost."""
    host.ssh("rm -f /root/log")
    with writing(host) as writer:
        play(lab, "snapshot", host, tmp_path, "-e", "snapshot_name=crash")
        frozen = ("-e", "snapshot_freeze=true", "-e", f"snapshot_freeze_seconds={FREEZE}")
        answer = play(lab, "snapshot", host, tmp_path, "-e", "snapshot_name=good", *frozen)
        assert writer.process.poll() is None
        told = writer.acknowledged()
    assert answer["consistency"] == "frozen"
    assert 0 < answer["frozen_seconds"] < FREEZE
    assert needs_recovery(lab, host, "crash")
    assert not needs_recovery(lab, host, "good")
    assert intact_lines(host) >= told
    assert "already; choose another name" in refused(lab, "snapshot", host, tmp_path, "-e", "snapshot_name=good")


def test_rollback_brings_back_root_and_kernel_of_the_snapshot_and_keeps_what_was_there(
    lab: Lab, host: DisklessHost, tmp_path: Path
) -> None:
    tree = f"/srv/diskless/boot/{host.name}"
    kernel = lab.ssh("boot", f"cat {tree}/kernel.cfg")
    # As an upgrade that went wrong: another kernel boots, and a file is gone.
    host.ssh("rm /root/written && touch /root/upgraded && sync")
    host.power_off()
    lab.ssh("boot", f"cd {tree} && echo broken >vmlinuz-9.9.9 && cp vmlinuz-9.9.9 initrd.img-9.9.9")
    lab.ssh("boot", f"printf 'set kernel=vmlinuz-9.9.9\\nset initrd=initrd.img-9.9.9\\n' >{tree}/kernel.cfg")

    assert "has the snapshots" in refused(lab, "rollback_root", host, tmp_path, "-e", "rollback_root_snapshot=goood")
    # Nobody knows of its power: that it has been silent for long enough has to prove that it is off.
    time.sleep(40)
    silent = ("-e", "rollback_root_snapshot=good", "-e", NO_DRIVER)
    answer = play(lab, "rollback_root", host, tmp_path, *silent)
    assert answer["proof"].startswith("nobody has watched its root image for")
    assert answer["safety_snapshot"] in snapshots(host)
    assert lab.ssh("boot", f"cat {tree}/kernel.cfg") == kernel
    assert "9.9.9" not in lab.ssh("boot", f"ls {tree}")
    assert "vmlinuz-9.9.9" in lab.ssh("boot", f"ls {tree}/kept/{answer['safety_snapshot']}")

    host.boot()
    assert host.ssh("ls /root/written; ls /root/upgraded", check=False).split() == ["/root/written"]


def test_host_gets_another_golden_image_and_goes_back_to_its_old_root(
    lab: Lab, host: DisklessHost, tmp_path: Path
) -> None:
    """The second golden image is a copy of the first: what differs is the root image of the host."""
    first = parent(lab, host, "root")
    lab.cluster.run("rbd", "cp", "--no-progress", f"{POOL}/{first}", f"{POOL}/{GOLDEN}", timeout=300)
    lab.cluster.run("rbd", "snap", "create", "--no-progress", f"{POOL}/{GOLDEN}@root")
    lab.cluster.run("rbd", "snap", "protect", f"{POOL}/{GOLDEN}@root")
    try:
        lab.ssh("boot", f"cp /srv/diskless/golden/{first}.tar /srv/diskless/golden/{GOLDEN}.tar")
        machine = host.ssh("touch /root/written && sync && cat /etc/machine-id")
        asked = ("-e", f"reimage_golden={GOLDEN}", "-e", "reimage_keep=old")
        assert "answers ssh" in refused(lab, "reimage", host, tmp_path, *asked)
        host.power_off()
        before = everything(lab, host)
        play(lab, "reimage", host, tmp_path, "--check", *asked)
        assert everything(lab, host) == before
        play(lab, "reimage", host, tmp_path, *asked)
        assert parent(lab, host, "root") == GOLDEN
        assert sorted(lab.rbd("ls", f"{POOL}/{host.name}")) == ["old", "root"]

        assert play(lab, "recover_host", host, tmp_path)["ready"] is True
        assert host.ssh("cat /etc/machine-id") != machine
        assert host.ssh("ls /root/written", check=False) == ""
        # The kernel that the host has is that of its own root.
        assert host.ssh("ls -d /lib/modules/$(uname -r)")

        host.power_off()
        play(lab, "reimage", host, tmp_path, "-e", "reimage_root=old", "-e", "reimage_keep=new")
        assert play(lab, "recover_host", host, tmp_path)["ready"] is True
        assert host.ssh("cat /etc/machine-id") == machine
        assert host.ssh("ls /root/written") == "/root/written\n"
    finally:
        if parent(lab, host, "root") == GOLDEN:  # it has failed half-way
            lab.power("off", host.name)
            lab.cluster.run("rbd", "rename", host.image, f"{POOL}/{host.name}/new")
            lab.cluster.run("rbd", "rename", f"{POOL}/{host.name}/old", host.image)
        if "new" in lab.rbd("ls", f"{POOL}/{host.name}"):
            lab.cluster.run("rbd", "rm", "--no-progress", f"{POOL}/{host.name}/new", timeout=300)
        lab.cluster.run("rbd", "snap", "unprotect", f"{POOL}/{GOLDEN}@root")
        lab.cluster.run("rbd", "snap", "purge", "--no-progress", f"{POOL}/{GOLDEN}")
        lab.cluster.run("rbd", "rm", "--no-progress", f"{POOL}/{GOLDEN}")


def test_golden_images_are_named_with_how_hosts_get_them(lab: Lab, host: DisklessHost, neighbour: DisklessHost) -> None:
    """With what the inventory says already there is nothing to build."""
    said = lab.site("-e", "golden_refresh=", playbook="playbooks/golden.yml", capture=True)
    golden = parent(lab, host, "root")
    assert f"{POOL}/{golden} is there" in said
    assert f"ansible-playbook diskless.ceph.reimage --limit HOST -e reimage_golden={golden}" in said
    assert "0 hosts have another: none" in said


def test_retired_host_leaves_nothing_behind_and_its_neighbour_everything(
    lab: Lab, host: DisklessHost, neighbour: DisklessHost, tmp_path: Path
) -> None:
    confirmed = ("-e", f"retire_host_confirm={neighbour.name}", "-e", "retire_host_images=remove")
    unconfirmed = ("-e", f"retire_host_confirm={host.name}")
    assert "expected one host" in refused(lab, "retire_host", neighbour, tmp_path, *unconfirmed)
    mine = everything(lab, host)
    address, tree = neighbour.address, f"/srv/diskless/boot/{neighbour.name}"
    try:
        play(lab, "retire_host", neighbour, tmp_path, *confirmed)
        assert neighbour.name not in [place["name"] for place in lab.rbd("namespace", "ls", POOL)]
        assert neighbour.user not in [user["entity"] for user in lab.ceph("auth", "ls")["auth_dump"]]
        assert lab.ssh("boot", f"ls -d {tree}", check=False) == ""
        for file in ("/etc/diskless/dhcp-hosts", "/etc/diskless/guard.nft", "/etc/ganesha/diskless-exports.conf"):
            assert neighbour.name not in lab.ssh("boot", f"cat {file}")
            assert host.name in lab.ssh("boot", f"cat {file}")
        exports = lab.ssh(
            "boot",
            "dbus-send --system --print-reply --dest=org.ganesha.nfsd /org/ganesha/nfsd/ExportMgr"
            " org.ganesha.nfsd.exportmgr.ShowExports",
        )
        assert f"boot/{host.name}" in exports
        assert f"boot/{neighbour.name}" not in exports
        admitted = lab.ssh("boot", "nft list set inet diskless hosts")
        assert address not in admitted
        assert host.address in admitted
        # Users of the neighbour are gone, and its last client may be shut out; all that is of the host is as it was.
        now = everything(lab, host)
        assert {entry for entry in set(now[0]) ^ set(mine[0]) if not entry.startswith(f"{address}:")} == set()
        assert now[1] == mine[1]
        assert now[3:] == mine[3:]
        host.ssh("touch /boot/written && rm /boot/written")
    finally:
        lab.site(capture=True)  # it is in the inventory, so it is made anew
    assert lab.ssh("boot", f"ls {tree}/kernel.cfg")
