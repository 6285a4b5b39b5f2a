# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From "the kernel runs" to "the root is mounted": order, retries, and the hints left for the operating system."""

from __future__ import annotations

import pytest

from .conftest import HOST, Shell

# "exit" inside halt_machine ends the test where the machine would end.
STUBS = 'halt_machine() { echo "halt $1"; exit; }; sleep() { echo "sleep $1" >>"$T/calls"; }\n'


def test_initramfs_leaves_a_host_with_a_disk_alone(shell: Shell) -> None:
    shell.write("proc/cmdline", "root=/dev/sda1 ro\n")
    assert shell.output(STUBS + "boot_started; boot_root_device; boot_root_mounted; echo on", "boot.sh") == "on\n"
    assert shell.read("kmsg") == ""


def test_missing_host_cpio_is_said_and_ends_in_a_reboot(shell: Shell) -> None:
    assert shell.output(STUBS + "boot_root_device", "boot.sh") == "halt reboot\n"
    assert "stage=failed host=unknown" in shell.read("kmsg")
    assert "step=config reason=no-config" in shell.read("kmsg")


def test_every_attempt_says_why_and_waits_longer(shell: Shell) -> None:
    script = "boot_once() { STEP=map REASON=no-image TEXT='no image'; return 1; }; now() { echo 0; }\n"
    script += (
        'sleep() { echo "sleep $1" >>"$T/calls"; [ "$(wc -l <"$T/calls")" -lt 6 ] || { now() { echo 600; }; }; }\n'
    )
    shell.run(HOST + script + "boot_with_retries 600", "boot.sh")
    assert shell.read("calls").split()[1::2] == ["2", "4", "8", "16", "30", "30"]
    assert '<4>diskless: retry step=map attempt=1 wait=2 error="no image" reason=no-image\n' in shell.read("kmsg")


def test_after_the_boot_timeout_it_reboots_with_the_last_reason(shell: Shell) -> None:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3 DISKLESS_BOOT_TIMEOUT=0\n")
    shell.write("etc/key", "k\n")
    script = "boot_once() { STEP=map REASON=auth TEXT='wrong key'; return 1; }; boot_root_device"
    assert shell.output(STUBS + script, "boot.sh") == "halt reboot\n"
    assert "stage=failed host=pi3" in shell.read("kmsg")
    assert 'step=map reason=auth text="wrong key"' in shell.read("kmsg")


def test_mapped_image_is_used_and_not_mapped_again(shell: Shell) -> None:
    at = "sys/bus/rbd/devices/4"
    for attribute, value in {"pool": "diskless", "pool_ns": "pi3", "name": "root", "current_snap": "-"}.items():
        shell.write(f"{at}/{attribute}", value + "\n")
    stubs = "network_up() { NIC=eth0; }; map_image() { echo mapped; }; wait_for_node() { :; }\n"
    stubs += "boot_network=network_up boot_network_reported=no\n"
    assert shell.output(HOST + stubs + "boot_once 0", "boot.sh") == ""
    assert "stage=map host=pi3" in shell.read("kmsg")
    assert (shell.machine / "dev/diskless/root").readlink().as_posix() == "../rbd4"
    assert (
        shell.read("run/udev/rules.d/60-diskless-root.rules")
        == 'SUBSYSTEM=="block", KERNEL=="rbd4", SYMLINK+="diskless/root"\n'
    )


def test_operating_system_leaves_the_card_alone_and_mounts_its_boot_tree(shell: Shell) -> None:
    script = "DISKLESS_BOOT_SERVER=fd77::3 DISKLESS_BOOT_EXPORT=/boot/pi3\n"
    script += "DISKLESS_NAMESERVERS='10.0.0.1 10.0.0.2'; write_hints eth0"
    shell.output(HOST + script, "boot.sh")
    assert shell.read("proc/sys/kernel/hostname") == "pi3\n"
    assert "MACAddress=52:54:00:77:00:11\n\n[Link]\nUnmanaged=yes\n" in shell.read(
        "run/systemd/network/05-diskless.network"
    )
    assert "match-device=mac:52:54:00:77:00:11\nmanaged=0\n" in shell.read("run/NetworkManager/conf.d/05-diskless.conf")
    assert "What=[fd77::3]:/boot/pi3\nWhere=/boot\n" in shell.read(
        "run/systemd/system/multi-user.target.wants/boot.mount"
    )
    assert shell.read("run/diskless/resolv.conf") == "nameserver 10.0.0.1\nnameserver 10.0.0.2\n"
    assert "NIC='eth0'\n" in shell.read("run/diskless/network")


def test_host_without_boot_tree_gets_no_mount(shell: Shell) -> None:
    shell.output(HOST + "write_boot_mount", "boot.sh")
    assert not (shell.machine / "run/systemd/system/boot.mount").exists()


@pytest.mark.parametrize(("machine", "mounted"), [("aarch64", True), ("x86_64", False)])
def test_raspi_firmware_gets_a_directory_that_is_not_the_boot_tree(shell: Shell, machine: str, mounted: bool) -> None:
    """With the boot tree as /boot its config.txt would replace ours."""
    script = f"uname() {{ echo {machine}; }}; DISKLESS_BOOT_SERVER=10.0.0.3 DISKLESS_BOOT_EXPORT=/boot/pi3\n"
    shell.output(HOST + script + "write_boot_mount", "boot.sh")
    unit = shell.read("run/systemd/system/boot.mount.wants/boot-firmware.mount")
    assert ("What=/var/lib/diskless/firmware\nWhere=/boot/firmware\n" in unit) == mounted


def test_log_hosts_hear_of_a_network_that_is_only_half_there(shell: Shell) -> None:
    """Carrier and address are enough for netconsole, so a route that cannot be put is not a silent failure."""
    stubs = "network_up() { NIC=eth0 REASON=unknown TEXT='no route'; return 1; }; boot_network=network_up\n"
    stubs += 'netconsole_start() { echo "log from $1"; }\n'
    assert shell.output(HOST + stubs + 'boot_once 0 || echo "$STEP $REASON $TEXT"', "boot.sh") == (
        "log from eth0\nnetwork unknown no route\n"
    )


def test_log_hosts_are_known_to_the_operating_system(shell: Shell) -> None:
    shell.output(HOST + "DISKLESS_NETCONSOLE='10.77.0.3:6666 [fd00::3]:6666'; save_host_conf", "boot.sh")
    assert "DISKLESS_NETCONSOLE='10.77.0.3:6666 [fd00::3]:6666'\n" in shell.read("run/diskless/host.conf")
