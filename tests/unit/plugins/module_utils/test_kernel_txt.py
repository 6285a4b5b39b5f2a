# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel.txt: which boards boot from what it names, by the rules of the firmware's documentation."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_txt import Firmware, problems

CM4 = Firmware("cm4", "bcm2711-rpi-cm4.dtb", ("start4.elf", "fixup4.dat"))
PI4 = Firmware("pi4", "bcm2711-rpi-4-b.dtb", ("start4.elf", "fixup4.dat"))
VERSION = "6.1.0-56-arm64"
CM4_DTB, PI4_DTB = f"bcm2711-rpi-cm4-io.dtb-{VERSION}", f"bcm2711-rpi-4-b.dtb-{VERSION}"
THERE = frozenset({"start4.elf", "fixup4.dat", f"vmlinuz-{VERSION}", f"initrd.img-{VERSION}", CM4_DTB, PI4_DTB})
TEXT = f"""\
kernel=vmlinuz-{VERSION}
initramfs initrd.img-{VERSION},host.cpio followkernel
[pi4]
device_tree={PI4_DTB}
[cm4]
device_tree={CM4_DTB}
[all]
"""
INITRAMFS = f"initramfs initrd.img-{VERSION},host.cpio followkernel"
EXPECTED = "expected 'initramfs host.cpio,NAME followkernel' (without an equals sign)"


def _problems(text: str = TEXT, firmware: Firmware = CM4, there: Collection[str] = THERE) -> list[str]:
    return problems(text, firmware, there, "host.cpio")


@pytest.mark.parametrize("firmware", [CM4, PI4])
def test_both_boards_boot_from_the_same_file(firmware: Firmware) -> None:
    assert _problems(firmware=firmware) == []


def test_device_tree_that_only_another_board_needs_is_not_missed() -> None:
    assert _problems(firmware=PI4, there=THERE - {CM4_DTB}) == []


def test_compute_module_sees_the_section_of_the_pi4_as_well_so_the_order_counts() -> None:
    lines = TEXT.splitlines()
    text = "\n".join([*lines[:2], *lines[4:6], *lines[2:4], "[all]"])
    assert _problems(text, there=THERE - {PI4_DTB}) == [f"kernel.txt sets device_tree to {PI4_DTB}, which is not there"]
    assert _problems(text, PI4) == []


def test_without_device_tree_the_one_that_the_firmware_asks_for_counts() -> None:
    text = "\n".join(TEXT.splitlines()[:2])
    assert _problems(text) == ["kernel.txt sets device_tree to bcm2711-rpi-cm4.dtb, which is not there"]
    assert _problems(text, there={*THERE, "bcm2711-rpi-cm4.dtb"}) == []


def test_host_cpio_may_be_the_first_in_the_list() -> None:
    assert _problems(TEXT.replace(INITRAMFS, f"initramfs host.cpio,initrd.img-{VERSION} followkernel")) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", f"kernel.txt names no initramfs; {EXPECTED}"),
        ("initramfs=initrd.img", f"kernel.txt has 'initramfs=initrd.img'; {EXPECTED}"),
        (
            f"initramfs initrd.img-{VERSION} followkernel",
            f"kernel.txt has 'initramfs initrd.img-{VERSION} followkernel'; {EXPECTED}",
        ),
        (
            f"initramfs initrd.img-{VERSION},host.cpio",
            f"kernel.txt has 'initramfs initrd.img-{VERSION},host.cpio'; {EXPECTED}",
        ),
        (
            f"initramfs initrd.img-{VERSION},start4.elf followkernel",
            f"kernel.txt has 'initramfs initrd.img-{VERSION},start4.elf followkernel'; {EXPECTED}",
        ),
        ("initramfs host.cpio followkernel", f"kernel.txt has 'initramfs host.cpio followkernel'; {EXPECTED}"),
        (
            f"initramfs host.cpio,initrd.img-{'9' * 44} followkernel",
            f"kernel.txt has 'initramfs host.cpio,initrd.img-{'9' * 44} followkernel';"
            " expected at most 64 characters between the blanks",
        ),
        (
            "initramfs initrd.img-9,host.cpio followkernel",
            "kernel.txt sets initramfs to initrd.img-9, which is not there",
        ),
    ],
)
def test_initramfs_that_the_firmware_does_not_load_is_named(line: str, problem: str) -> None:
    assert _problems(TEXT.replace(INITRAMFS, line)) == [problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("kernel=", "kernel.txt sets kernel to nothing, which is not there"),
        ("kernel=vmlinuz-9", "kernel.txt sets kernel to vmlinuz-9, which is not there"),
        ("#kernel=x", "kernel.txt sets kernel to nothing, which is not there"),
    ],
)
def test_kernel_that_is_not_there_is_named(line: str, problem: str) -> None:
    assert _problems(TEXT.replace(f"kernel=vmlinuz-{VERSION}", line)) == [problem]


@pytest.mark.parametrize("line", ["a=" + "b" * 97, "a=ä", "a=\t"])
def test_line_that_the_firmware_does_not_read_whole_is_named(line: str) -> None:
    expected = "expected at most 98 characters of printable ASCII"
    assert _problems(TEXT + line) == [f"line 8 of kernel.txt is {line!r}; {expected}"]


def test_all_that_is_missing_is_named_together() -> None:
    assert _problems("", there=set()) == [
        "no start4.elf",
        "no fixup4.dat",
        f"kernel.txt names no initramfs; {EXPECTED}",
        "kernel.txt sets kernel to nothing, which is not there",
        "kernel.txt sets device_tree to bcm2711-rpi-cm4.dtb, which is not there",
    ]
