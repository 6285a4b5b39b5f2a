# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot trees as the boot server's file system shows them."""

from __future__ import annotations

import pytest
from testinfra.host import Host

BOOT, LOADER, TFTP = "/srv/diskless/boot", "/srv/diskless/loader", "/srv/diskless/tftp"
SEEN_BY_TFTP = "/run/diskless/boot"
KERNEL = "6.1.0-1-amd64"
ARM_KERNEL = "6.1.0-1-arm64"
UDOO1, UDOO2, PI1 = "52-54-00-77-00-11", "52-54-00-77-00-12", "dc-a6-32-77-00-13"


def _view(host: Host, name: str) -> dict[str, str]:
    """Links in a directory that TFTP shows to one MAC address, and where they lead."""
    found = host.check_output(f"find {TFTP}/{name} -mindepth 1 -printf '%y %f %l\\n'").splitlines()
    assert all(line.startswith("l ") for line in found)
    return {name: target for kind, name, target in map(str.split, found)}


@pytest.mark.parametrize("name", ["udoo1", "udoo2"])
def test_tree_holds_all_that_the_host_fetches(host: Host, name: str) -> None:
    files = set(host.check_output(f"ls --almost-all {BOOT}/{name}").split())
    ours = {".diskless", "grub.cfg", "host.cpio"}
    assert files == ours | {"kernel.cfg", f"vmlinuz-{KERNEL}", f"initrd.img-{KERNEL}"}


def test_only_the_tftp_user_can_read_the_key(host: Host) -> None:
    cpio = host.file(f"{BOOT}/udoo1/host.cpio")
    assert (cpio.user, cpio.group, cpio.mode) == ("dnsmasq", "root", 0o400)
    assert host.run(f"runuser --user=nobody -- cat {BOOT}/udoo1/host.cpio").rc != 0
    assert host.run(f"runuser --user=dnsmasq -- cat {BOOT}/udoo1/host.cpio").rc == 0


def test_tree_of_a_pi_holds_firmware_and_device_trees_as_well(host: Host) -> None:
    files = set(host.check_output(f"ls --almost-all {BOOT}/pi1").split())
    ours = {".diskless", "config.txt", "cmdline.txt", "host.cpio"}
    device_trees = {f"bcm2711-rpi-4-b.dtb-{ARM_KERNEL}", f"bcm2711-rpi-cm4-io.dtb-{ARM_KERNEL}"}
    kernel = {"kernel.cfg", "kernel.txt", f"vmlinuz-{ARM_KERNEL}", f"initrd.img-{ARM_KERNEL}"}
    assert files == ours | kernel | device_trees | {"start4.elf", "fixup4.dat"}


def test_pi_is_told_to_boot_what_its_operating_system_names(host: Host) -> None:
    config = host.file(f"{BOOT}/pi1/config.txt")
    assert (config.user, config.group, config.mode) == ("root", "root", 0o644)
    settings = [line for line in config.content_string.splitlines() if not line.startswith("#")]
    assert settings == ["arm_64bit=1", "enable_uart=1", "include kernel.txt", "[all]", "dtparam=watchdog=on"]


def test_both_loaders_start_the_kernel_with_the_same_words(host: Host) -> None:
    words = "root=/dev/diskless/root rootfstype=ext4 ro console={} console=tty0 panic=10"
    assert host.file(f"{BOOT}/pi1/cmdline.txt").content_string == words.format("ttyS1,115200n8") + "\n"
    quoted = " ".join(f"'{word}'" for word in words.format("ttyS0,115200n8").split())
    assert f'linux "$prefix/$kernel" {quoted}; then' in host.file(f"{BOOT}/udoo1/grub.cfg").content_string


@pytest.mark.parametrize(("name", "view"), [("udoo1", UDOO1), ("udoo2", UDOO2)])
def test_pc_is_shown_its_own_tree_and_the_loaders(host: Host, name: str, view: str) -> None:
    loaders = {loader: f"{LOADER}/{loader}" for loader in ("grub.pxe", "shimx64.efi", "grubx64.efi")}
    assert _view(host, view) == {"grub": f"{SEEN_BY_TFTP}/{name}", **loaders}


def test_pi_is_shown_its_own_tree_by_serial_number_and_address_and_nothing_else(host: Host) -> None:
    assert _view(host, PI1) == {"abcd1234": f"{SEEN_BY_TFTP}/pi1", PI1: f"{SEEN_BY_TFTP}/pi1"}


def test_tftp_root_holds_nothing_that_boots(host: Host) -> None:
    found = host.check_output(f"find {TFTP} -mindepth 1 -maxdepth 1 -printf '%y %m %u %f\\n'").splitlines()
    assert sorted(found) == [f"d 755 root {name}" for name in (UDOO1, UDOO2, PI1)]


@pytest.mark.parametrize(("name", "monitor"), [("udoo1", "10.77.0.1:3300"), ("udoo2", "10.77.0.1:6789")])
def test_host_gets_the_monitors_that_speak_its_protocol(host: Host, name: str, monitor: str) -> None:
    assert f"DISKLESS_MONITORS={monitor}\n" in host.file(f"{BOOT}/{name}/host.cpio").content_string


def test_key_is_in_no_other_file(host: Host) -> None:
    found = host.run("grep --recursive --files-with-matches AQBlAAAAAAAAABAA /srv/diskless")
    assert sorted(found.stdout.split()) == [f"{BOOT}/{name}/host.cpio" for name in ("pi1", "udoo1", "udoo2")]
