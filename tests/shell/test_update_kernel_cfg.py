# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel.cfg tells the boot loader the newest kernel that can boot."""

from __future__ import annotations

import subprocess

from .conftest import LIB, Shell


def update(shell: Shell) -> subprocess.CompletedProcess[str]:
    environment = shell.environment() | {"BOOT": str(shell.machine / "boot")}
    return subprocess.run(
        [*shell.argv, str(LIB / "update-kernel-cfg"), "6.1.0-9-amd64"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def kernel(shell: Shell, version: str, *, initrd: bool = True) -> None:
    shell.write(f"boot/vmlinuz-{version}", "kernel")
    if initrd:
        shell.write(f"boot/initrd.img-{version}", "initrd")


def test_newest_kernel_with_an_initramfs_is_chosen(shell: Shell) -> None:
    kernel(shell, "6.1.0-9-amd64")
    kernel(shell, "6.1.0-10-amd64")
    kernel(shell, "6.12.0-1-amd64", initrd=False)
    shell.write("boot/initrd.img-6.1.0-11-amd64.new", "half")
    assert update(shell).returncode == 0
    assert shell.read("boot/kernel.cfg") == "set kernel=vmlinuz-6.1.0-10-amd64\nset initrd=initrd.img-6.1.0-10-amd64\n"
    assert not (shell.machine / "boot/kernel.cfg.new").exists()


def test_second_run_writes_nothing(shell: Shell) -> None:
    kernel(shell, "6.1.0-9-amd64")
    assert "next boot uses kernel 6.1.0-9-amd64" in update(shell).stdout
    before = (shell.machine / "boot/kernel.cfg").stat().st_ino
    assert update(shell).stdout == ""
    assert (shell.machine / "boot/kernel.cfg").stat().st_ino == before


def test_no_bootable_kernel_keeps_what_there_is(shell: Shell) -> None:
    shell.write("boot/kernel.cfg", "set kernel=old\n")
    result = update(shell)
    assert result.returncode == 0
    assert "kernel.cfg stays as it is" in result.stderr
    assert shell.read("boot/kernel.cfg") == "set kernel=old\n"


def test_diskless_host_without_its_boot_tree_refuses(shell: Shell) -> None:
    kernel(shell, "6.1.0-9-amd64")
    shell.write("run/diskless/host.conf", "")
    result = update(shell)
    assert result.returncode == 1
    assert "is not mounted" in result.stderr
    assert "systemctl start boot.mount" in result.stderr
    assert not (shell.machine / "boot/kernel.cfg").exists()
