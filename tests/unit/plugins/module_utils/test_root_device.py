# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image is the root: from what the kernel shows in /proc/self/mountinfo and in sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._mountinfo import MountPoint, mounted_at, parse_mountinfo
from ansible_collections.diskless.ceph.plugins.module_utils._root_device import root_device

FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
# Of a diskless host with Linux 6.1; and a mount point with a blank in its name.
MOUNTINFO = """\
24 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
29 1 251:0 / / rw,relatime shared:1 - ext4 /dev/rbd0 rw,stripe=16
40 26 0:31 / /run/initramfs rw,nosuid,nodev,relatime shared:12 - tmpfs tmpfs rw,size=32768k,mode=700
66 29 0:47 / /boot rw,nosuid,nodev,noatime shared:152 - nfs4 10.77.0.3:/boot/udoo1 rw,vers=4.2,softerr
70 29 0:50 / /mnt/a\\040b ro,relatime - ext4 /dev/sda1 rw
"""
ROOT = MountPoint("/", "251:0", "ext4", "/dev/rbd0", False)


def test_mounts_are_read() -> None:
    mounts = parse_mountinfo(MOUNTINFO)
    assert mounted_at(mounts, "/") == ROOT
    assert mounted_at(mounts, "/boot") == MountPoint("/boot", "0:47", "nfs4", "10.77.0.3:/boot/udoo1", False)
    assert mounted_at(mounts, "/mnt/a b") == MountPoint("/mnt/a b", "0:50", "ext4", "/dev/sda1", True)
    assert mounted_at(mounts, "/data") is None


def test_last_mount_at_a_path_is_the_one_that_is_seen() -> None:
    more = "80 29 0:99 / / ro - overlay overlay rw\n"
    found = mounted_at(parse_mountinfo(MOUNTINFO + more), "/")
    assert found == MountPoint("/", "0:99", "overlay", "overlay", True)


def test_half_a_line_is_no_mount() -> None:
    assert parse_mountinfo("29 1 251:0 / / rw,relatime shared:1\n\n29 1\n") == []


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """sysfs of a host with one mapped image, rbd0, its partition, and a LUKS container on that."""
    device = tmp_path / "bus/rbd/devices/0"
    device.mkdir(parents=True)
    attributes = {
        "pool": "diskless",
        "pool_ns": "udoo1",
        "name": "root",
        "cluster_fsid": FSID,
        "client_addr": "10.77.0.11:0/2711312945",
        "client_id": "client4170",
    }
    for name, value in attributes.items():
        (device / name).write_text(f"{value}\n", encoding="ascii")
    (tmp_path / "dev/block").mkdir(parents=True)
    for number, name in (("251:0", "rbd0"), ("251:1", "rbd0p1"), ("253:0", "dm-0"), ("8:0", "sda")):
        (tmp_path / "devices" / name).mkdir(parents=True)
        (tmp_path / "dev/block" / number).symlink_to(f"../../devices/{name}")
    (tmp_path / "class/block/dm-0/slaves/rbd0p1").mkdir(parents=True)
    return tmp_path


IMAGE = {
    "device": "/dev/rbd0",
    "read_only": False,
    "pool": "diskless",
    "namespace": "udoo1",
    "image": "root",
    "fsid": FSID,
    "client": "10.77.0.11:0/2711312945",
    "client_id": "client.4170",
}


@pytest.mark.parametrize("number", ["251:0", "251:1", "253:0"], ids=["image", "partition", "encrypted"])
def test_image_is_found_whatever_lies_upon_it(sys: Path, number: str) -> None:
    assert root_device(MountPoint("/", number, "ext4", "/dev/diskless/root", False), sys) == IMAGE


def test_root_that_became_read_only_is_told(sys: Path) -> None:
    assert root_device(MountPoint("/", "251:0", "ext4", "/dev/rbd0", True), sys)["read_only"] is True


@pytest.mark.parametrize(
    ("mount", "device"),
    [
        (MountPoint("/", "8:0", "ext4", "/dev/root", False), "/dev/sda"),
        (MountPoint("/", "0:47", "nfs4", "10.77.0.3:/root", False), "10.77.0.3:/root"),
    ],
)
def test_root_on_no_image_is_no_failure(sys: Path, mount: MountPoint, device: str) -> None:
    assert root_device(mount, sys) == {**dict.fromkeys(IMAGE), "device": device, "read_only": False}


def test_what_an_older_kernel_does_not_tell_is_not_known(sys: Path) -> None:
    """Namespaces came with Linux 5.1, client_addr with 4.9."""
    for name in ("pool_ns", "client_addr"):
        (sys / "bus/rbd/devices/0" / name).unlink()
    assert root_device(ROOT, sys) == {**IMAGE, "namespace": None, "client": None}


def test_loop_of_devices_ends(sys: Path) -> None:
    (sys / "class/block/sda/slaves/sda").mkdir(parents=True)
    assert root_device(MountPoint("/", "8:0", "ext4", "/dev/sda", False), sys)["image"] is None
