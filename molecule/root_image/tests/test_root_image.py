# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A golden image as Ceph and e2fsprogs show it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from testinfra.host import Host


@pytest.fixture(name="name")
def _name(host: Host) -> str:
    """Return the golden image's name."""
    facts = json.loads(host.file("/root/facts.json").content_string)
    return str(facts["golden"][0]["image"])


def in_image(host: Host, name: str, request: str) -> str:
    """Return what debugfs finds in the image file that was imported."""
    image = f"/var/cache/diskless/{name}/root.ext4"
    return str(host.check_output(f"debugfs -R '{request}' {image} 2>/dev/null"))


def test_golden_image_has_a_protected_snapshot(host: Host, name: str) -> None:
    (snapshot,) = json.loads(host.check_output(f"rbd --format json snap ls diskless/{name}"))
    assert (snapshot["name"], snapshot["protected"]) == ("root", "true")


def test_no_half_import_is_left(host: Host, name: str) -> None:
    assert json.loads(host.check_output("rbd --format json ls diskless")) == [name]


def test_image_in_ceph_is_the_one_that_was_built(host: Host, name: str) -> None:
    built = host.check_output(f"sha256sum < /var/cache/diskless/{name}/root.ext4")
    assert host.check_output(f"rbd export --no-progress diskless/{name}@root - | sha256sum") == built


def test_kernel_can_map_the_golden_image_as_a_parent(host: Host, name: str) -> None:
    assert json.loads(host.check_output(f"rbd --format json info diskless/{name}"))["features"] == ["layering"]


def test_boot_files_are_on_the_controller(host: Host) -> None:
    facts = json.loads(host.file("/root/facts.json").content_string)
    with tarfile.open(Path(facts["golden"][0]["boot_tar"])) as tar:
        assert tar.getnames() == [
            "bcm2711-rpi-cm4-io.dtb-1.2.3",
            "fixup4.dat",
            "initrd.img-1.2.3",
            "kernel.cfg",
            "kernel.txt",
            "start4.elf",
            "vmlinuz-1.2.3",
        ]


def test_boot_is_empty_in_the_image(host: Host, name: str) -> None:
    names = [line.split("/")[5] for line in in_image(host, name, "ls -p /boot").splitlines()]
    assert names == [".", ".."]


def test_root_grows_at_the_first_boot(host: Host, name: str) -> None:
    assert "x-systemd.growfs" in in_image(host, name, "cat /etc/fstab")


def test_image_has_no_host_key(host: Host, name: str) -> None:
    assert "ssh_host" not in in_image(host, name, "ls -p /etc/ssh")


def test_administrator_can_log_in(host: Host, name: str) -> None:
    assert in_image(host, name, "cat /root/.ssh/authorized_keys") == "ssh-ed25519 AAAA admin"


def test_nothing_is_left_of_the_build(host: Host) -> None:
    assert host.check_output("find /var/cache/diskless -maxdepth 1 -name '.build-*'") == ""
