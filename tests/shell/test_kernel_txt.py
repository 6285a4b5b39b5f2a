# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel.txt, device trees and firmware tell a Raspberry Pi the newest kernel that can boot."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_txt import Firmware, problems
from ansible_collections.diskless.ceph.plugins.plugin_utils._board import boards

from .conftest import LIB, Shell

PIS = [board.firmware for board in boards().values() if board.firmware]
OLD, NEW = "6.1.0-9-arm64", "6.1.0-10-arm64"
KERNEL_TXT = f"""\
kernel=vmlinuz-{NEW}
initramfs initrd.img-{NEW},host.cpio followkernel
[pi4]
device_tree=bcm2711-rpi-4-b.dtb-{NEW}
[cm4]
device_tree=bcm2711-rpi-cm4-io.dtb-{NEW}
[all]
"""


def update(shell: Shell) -> subprocess.CompletedProcess[str]:
    environment = shell.environment() | {"BOOT": str(shell.machine / "boot"), "DISKLESS_ROOT": str(shell.machine)}
    return subprocess.run(
        [*shell.argv, str(LIB / "update-kernel-cfg")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def kernel(shell: Shell, version: str, *, trees: str = "usr/lib/linux-image-{}/broadcom") -> None:
    shell.write(f"boot/vmlinuz-{version}", "kernel")
    shell.write(f"boot/initrd.img-{version}", "initrd")
    for name in ("4-b", "cm4-io"):
        shell.write(f"{trees.format(version)}/bcm2711-rpi-{name}.dtb", f"{name} of {version}")


def firmware(shell: Shell, version: str = "1", directory: str = "usr/lib/raspi-firmware") -> None:
    for name in ("start4.elf", "fixup4.dat", "start.elf"):
        shell.write(f"{directory}/{name}", f"{name} {version}")


def names(shell: Shell) -> list[str]:
    return sorted(path.name for path in (shell.machine / "boot").iterdir())


def test_boot_tree_has_all_that_the_firmware_reads(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, OLD)
    kernel(shell, NEW)
    result = update(shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"next boot of a Raspberry Pi uses kernel {NEW}\n" in result.stdout
    assert shell.read("boot/kernel.txt") == KERNEL_TXT
    assert shell.read(f"boot/bcm2711-rpi-cm4-io.dtb-{NEW}") == f"cm4-io of {NEW}"
    assert names(shell) == sorted(
        [
            *(f"{name}-{version}" for name in ("vmlinuz", "initrd.img") for version in (OLD, NEW)),
            *(f"bcm2711-rpi-{name}.dtb-{NEW}" for name in ("4-b", "cm4-io")),
            *("start4.elf", "fixup4.dat", "kernel.cfg", "kernel.txt"),
        ]
    )


@pytest.mark.parametrize("pi", PIS, ids=[pi.model for pi in PIS])
def test_every_pi_board_boots_what_is_written(shell: Shell, pi: Firmware) -> None:
    """By the reader that admits a golden image's files into a boot tree; no board has a device tree of another."""
    firmware(shell)
    kernel(shell, NEW)
    update(shell)
    assert problems(shell.read("boot/kernel.txt"), pi, [*names(shell), "host.cpio"], "host.cpio") == []
    table = dict(line.split(maxsplit=1) for line in (LIB / "device-trees").read_text(encoding="utf-8").splitlines())
    assert pi.dtb in table[pi.model].split()


def test_second_run_writes_nothing(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, NEW)
    update(shell)
    before = {name: (shell.machine / "boot" / name).stat().st_ino for name in names(shell)}
    assert update(shell).stdout == ""
    assert {name: (shell.machine / "boot" / name).stat().st_ino for name in names(shell)} == before


def test_host_without_the_firmware_gets_none_of_it(shell: Shell) -> None:
    kernel(shell, NEW)
    assert update(shell).returncode == 0
    assert names(shell) == [f"initrd.img-{NEW}", "kernel.cfg", f"vmlinuz-{NEW}"]


@pytest.mark.parametrize("changed", ["start4.elf", "fixup4.dat"])
def test_firmware_follows_its_package(shell: Shell, changed: str) -> None:
    firmware(shell)
    kernel(shell, NEW)
    update(shell)
    shell.write(f"usr/lib/raspi-firmware/{changed}", "2")
    update(shell)
    assert shell.read(f"boot/{changed}") == "2"


def test_device_trees_stay_as_long_as_their_kernel(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, OLD)
    update(shell)
    kernel(shell, NEW)
    update(shell)
    assert f"bcm2711-rpi-cm4-io.dtb-{OLD}" in names(shell)
    (shell.machine / f"boot/vmlinuz-{OLD}").unlink()
    update(shell)
    assert [name for name in names(shell) if name.startswith("bcm")] == [
        f"bcm2711-rpi-4-b.dtb-{NEW}",
        f"bcm2711-rpi-cm4-io.dtb-{NEW}",
    ]


def test_removed_kernel_gives_way_to_the_one_before(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, OLD)
    kernel(shell, NEW)
    update(shell)
    for name in ("vmlinuz", "initrd.img"):
        (shell.machine / f"boot/{name}-{NEW}").unlink()
    update(shell)
    assert shell.read("boot/kernel.txt") == KERNEL_TXT.replace(NEW, OLD)
    assert [name for name in names(shell) if name.endswith(NEW)] == []


@pytest.mark.parametrize("victim", [f"bcm2711-rpi-cm4-io.dtb-{NEW}.new", "fixup4.dat.new", "kernel.txt.new"])
def test_what_cannot_be_written_leaves_the_host_on_the_kernel_it_had(shell: Shell, victim: str) -> None:
    """kernel.txt changes last: here a directory is in the way, on a host it would be a full or vanished boot server."""
    firmware(shell)
    kernel(shell, OLD)
    update(shell)
    firmware(shell, "2")
    kernel(shell, NEW)
    (shell.machine / "boot" / victim).mkdir()
    assert update(shell).returncode != 0
    assert shell.read("boot/kernel.txt") == KERNEL_TXT.replace(NEW, OLD)
    assert shell.read(f"boot/bcm2711-rpi-4-b.dtb-{OLD}") == f"4-b of {OLD}"
    assert shell.read("boot/start4.elf")[-1] == shell.read("boot/fixup4.dat")[-1]


def test_device_tree_of_raspberry_pi_os_is_preferred(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, NEW)
    shell.write(f"usr/lib/linux-image-{NEW}/broadcom/bcm2711-rpi-cm4.dtb", "cm4")
    update(shell)
    assert shell.read("boot/kernel.txt") == KERNEL_TXT.replace("cm4-io", "cm4")


def test_ubuntu_keeps_them_elsewhere(shell: Shell) -> None:
    firmware(shell, directory="usr/lib/linux-firmware-raspi")
    kernel(shell, NEW, trees="lib/firmware/{}/device-tree/broadcom")
    assert update(shell).stderr == ""
    assert shell.read("boot/kernel.txt") == KERNEL_TXT
    assert shell.read("boot/start4.elf") == "start4.elf 1"


def test_model_that_the_kernel_does_not_know_is_left_out(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, NEW)
    (shell.machine / f"usr/lib/linux-image-{NEW}/broadcom/bcm2711-rpi-4-b.dtb").unlink()
    update(shell)
    assert "pi4" not in shell.read("boot/kernel.txt")
    assert "[cm4]\n" in shell.read("boot/kernel.txt")


def test_kernel_without_device_trees_changes_nothing(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, NEW)
    shell.write("boot/kernel.txt", "kernel=old\n")
    (shell.machine / f"usr/lib/linux-image-{NEW}").rename(shell.machine / "elsewhere")
    result = update(shell)
    assert result.returncode == 0
    assert f"kernel {NEW} has no device tree of a Raspberry Pi; kernel.txt stays as it is" in result.stderr
    assert shell.read("boot/kernel.txt") == "kernel=old\n"


def test_name_that_the_firmware_would_cut_off_is_refused(shell: Shell) -> None:
    firmware(shell)
    kernel(shell, "6.1.0-10-" + "x" * 35)
    result = update(shell)
    assert "reads 64 characters of initrd.img-6.1.0-10-xxx" in result.stderr
    assert "kernel.txt" not in names(shell)
