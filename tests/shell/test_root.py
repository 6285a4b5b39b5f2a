# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A boot that ends after its image was mapped: what is said of the root file system, and that it ends in a reboot."""

from __future__ import annotations

import pytest

from .conftest import Shell

STUBS = (
    'halt_machine() { echo "halt $1"; exit; }; sleep() { echo "sleep $1" >>"$T/calls"; }; dmesg() { cat "$T/dmesg"; }\n'
)
FAILED = STUBS + "boot_root_failed /root"
MAPPED = "[    9.10] EXT4-fs (sda1): of another time\n[   10.10] diskless: stage=map host=pi3 dev=rbd0\n"
# Of logsave and e2fsck 1.47.0: mke2fs, debugfs -w -R "clri <2>", logsave -a -s LOG fsck.ext4 -C0 -a
FSCK_LOG = """Log of fsck.ext4 -C0 -a ./img
Sat Nov 21 20:44:35 2026

root contains a file system with errors, check forced.
root: Root inode is not a directory. \x20

root: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.
\t(i.e., without -a or -p options)
fsck.ext4 exited with status code 4

Sat Nov 21 20:44:35 2026
----------------
"""
FSCK_WORDS = (
    "root contains a file system with errors, check forced.; root: Root inode is not a directory.;"
    " root: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY."
)
MOUNT = "[   11.51] EXT4-fs (rbd0): VFS: Can't find ext4 filesystem\n"


@pytest.fixture
def host(shell: Shell) -> Shell:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3\n")
    shell.write("etc/key", "k\n")
    shell.write("dmesg", MAPPED)
    shell.write("proc/mounts", "rootfs / rootfs rw 0 0\n")
    shell.write("dev/diskless/root", "")
    return shell


def said(shell: Shell) -> str:
    return shell.read("kmsg").partition(" step=")[2].strip()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"run/initramfs/fsck.log": FSCK_LOG}, f'root reason=fsck text="{FSCK_WORDS}"'),
        (
            {"dmesg": MAPPED + "[   11.0] random: crng init done\n" + MOUNT, "run/initramfs/fsck-root": ""},
            'root reason=mount text="EXT4-fs (rbd0): VFS: Can\'t find ext4 filesystem"',
        ),
        (
            {"proc/mounts": "/dev/rbd0 /root ext4 ro 0 0\n"},
            'root reason=no-init text="the root file system has no init that can be started"',
        ),
        ({}, 'root reason=no-filesystem text="no file system is found on DEV/diskless/root"'),
    ],
    ids=["fsck", "mount", "init", "unformatted"],
)
def test_words_of_fsck_or_the_kernel_become_the_reason(host: Shell, files: dict[str, str], expected: str) -> None:
    for path, text in files.items():
        host.write(path, text)
    assert host.output(FAILED, "boot.sh") == "halt reboot\n"
    assert host.read("kmsg").startswith("<5>diskless: stage=failed host=pi3 boot=")
    assert said(host) == expected.replace("DEV", str(host.machine / "dev"))


def test_clean_check_is_not_blamed_for_what_came_after(host: Shell) -> None:
    host.write("run/initramfs/fsck.log", "root: clean, 11/65536 files\n")
    host.write("run/initramfs/fsck-root", "")
    host.write("dmesg", MAPPED + MOUNT)
    host.output(FAILED, "boot.sh")
    assert said(host).startswith("root reason=mount ")


def test_device_that_is_gone_says_so(host: Shell) -> None:
    (host.machine / "dev/diskless/root").unlink()
    host.write("dmesg", MAPPED + "[   12.0] libceph: mon0 session lost\n")
    host.output(FAILED, "boot.sh")
    assert said(host).startswith("root reason=no-device ")
    assert "libceph: mon0 session lost" in said(host)


def test_flood_of_kernel_messages_stays_a_line(host: Shell) -> None:
    host.write("dmesg", MAPPED + "".join(f"[   11.{n}] Buffer I/O error on dev rbd0 {'x' * 300}\n" for n in range(999)))
    host.output(FAILED, "boot.sh")
    assert len(said(host)) < 450


def test_lock_is_released_before_the_reboot(host: Shell) -> None:
    script = 'find_mapping() { echo 4; }; unmap() { echo "unmap $1" >>"$T/calls"; }\n'
    host.output(STUBS + script + "boot_root_failed /root", "boot.sh")
    assert "unmap 4" in host.read("calls")


@pytest.mark.parametrize("line", ["root=/dev/diskless/root break=mount", "root=/dev/diskless/root break ro"])
def test_shell_that_was_asked_for_is_no_failure(host: Shell, line: str) -> None:
    host.write("proc/cmdline", line + "\n")
    assert host.output(FAILED + "; echo shell", "boot.sh") == "shell\n"
    assert host.read("kmsg") == ""


def test_shell_for_failures_comes_after_the_words(host: Shell) -> None:
    host.write("etc/host.conf", "DISKLESS_HOST=pi3 DISKLESS_SHELL=yes\n")
    assert host.output(FAILED + "; echo shell", "boot.sh") == "shell\n"
    assert said(host).startswith("root reason=")


def test_host_without_our_root_is_left_alone(shell: Shell) -> None:
    shell.write("proc/cmdline", "root=/dev/sda1\n")
    assert shell.output(FAILED + "; echo shell", "boot.sh") == "shell\n"
    assert shell.read("kmsg") == ""
