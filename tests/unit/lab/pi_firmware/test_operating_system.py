# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What start4.elf loads, and what makes it give up."""

from __future__ import annotations

import gzip

import pytest

from lab.pi_firmware.board import Board
from lab.pi_firmware.errors import (
    CommandLineNotFound,
    DeviceTreeNotFound,
    FirmwareError,
    InitramfsNotFound,
    KernelIncompatible,
    KernelNotFound,
)
from lab.pi_firmware.operating_system import OperatingSystem, load
from lab.pi_firmware.partition import Partition
from tests.unit.lab.pi_firmware.served import CM4, DEVICE_TREE, KERNEL, PI4, Served, tree, under

Change = dict[str, bytes | None]


def change(files: dict[str, bytes], changes: Change) -> dict[str, bytes]:
    """Return the files with some replaced, added or (None) taken away."""
    return {name: content for name, content in {**files, **changes}.items() if content is not None}


def start(changes: Change, board: Board = CM4, tryboot: bool = False) -> tuple[OperatingSystem, Served]:
    """Return what is loaded from the smallest tree with these changes."""
    served = Served(change(tree(), changes))
    return load(Partition(served, ""), board, tryboot, lambda _line: None), served


def test_everything_is_as_it_is_served() -> None:
    system, _ = start({})
    assert (system.kernel_path, system.kernel) == ("vmlinuz", KERNEL)
    assert (system.device_tree_path, system.device_tree) == ("cm4.dtb", DEVICE_TREE)
    assert system.command_line == "console=ttyAMA0 boot=diskless"
    assert (system.overlays, system.warnings) == ({}, ())


def test_requests_are_those_of_a_board() -> None:
    _, served = start({})
    config = ["peek config.txt", "get config.txt", "peek kernel.txt", "get kernel.txt"]
    assert [" ".join(each) for each in served.asked] == [
        "peek recovery.elf",
        *config,
        "get dt-blob.bin",
        "peek recovery.elf",
        *config,
        "get bootcfg.txt",
        *("peek initrd.img", "get initrd.img", "peek host.cpio", "get host.cpio"),
        *("peek cm4.dtb", "get cm4.dtb"),
        *config,
        "peek overlays/overlay_map.dtb",
        *("peek cmdline.txt", "get cmdline.txt"),
        "get armstub8-gic.bin",
        *("peek vmlinuz", "get vmlinuz"),
    ]


@pytest.mark.parametrize(
    ("first", "loaded"),
    [
        (b"1234", b"1234key of the host"),
        (b"12345", b"12345\0\0\0key of the host"),
        (b"123456", b"123456\0\0key of the host"),
        (b"1234567", b"1234567\0key of the host"),
    ],
)
def test_every_initramfs_begins_at_a_multiple_of_four_bytes_and_the_last_is_not_padded(
    first: bytes, loaded: bytes
) -> None:
    assert start({"initrd.img": first})[0].initramfs == loaded


def test_kernel_can_be_inside_gzip_and_stays_there() -> None:
    packed = gzip.compress(KERNEL + bytes(100000))
    assert start({"vmlinuz": packed})[0].kernel == packed


def test_without_a_setting_kernel_and_device_tree_have_the_names_that_the_board_knows() -> None:
    files = {"config.txt": b"arm_64bit=1", "kernel8.img": KERNEL, "bcm2711-rpi-4-b.dtb": DEVICE_TREE}
    system, served = start({**files, "vmlinuz": None}, PI4)
    assert (system.kernel_path, system.device_tree_path) == ("kernel8.img", "bcm2711-rpi-4-b.dtb")
    assert system.initramfs is None
    assert ("peek", "recovery8.img") in served.asked


def test_cm4_does_not_know_debians_name_of_its_device_tree() -> None:
    files: Change = {"kernel.txt": b"kernel=vmlinuz\n", "bcm2711-rpi-cm4-io.dtb": DEVICE_TREE}
    with pytest.raises(DeviceTreeNotFound, match=r"^Failed to load Device Tree file 'bcm2711-rpi-cm4.dtb'$"):
        start(files)
    files["kernel.txt"] = b"kernel=vmlinuz\nupstream_kernel=1\n"
    assert start(files)[0].device_tree_path == "bcm2711-rpi-cm4-io.dtb"


def test_auto_initramfs_follows_the_default_kernel_only() -> None:
    files: Change = {
        "initramfs8": b"auto",
        "kernel8.img": KERNEL,
        "kernel.txt": b"auto_initramfs=1\ndevice_tree=cm4.dtb",
    }
    assert start(files)[0].initramfs == b"auto"
    files["kernel.txt"] = b"auto_initramfs=1\nkernel=vmlinuz\ndevice_tree=cm4.dtb"
    assert start(files)[0].initramfs is None


def test_tryboot_boots_another_configuration() -> None:
    files: Change = {"tryboot.txt": b"arm_64bit=1\nos_prefix=new/\ninclude kernel.txt\n", **under("new/", tree())}
    assert start(files, tryboot=True)[0].kernel_path == "new/vmlinuz"
    assert start(files)[0].kernel_path == "vmlinuz"


def test_os_prefix_is_before_all_files_of_the_operating_system() -> None:
    changes: Change = {"config.txt": b"arm_64bit=1\nos_prefix=v2/\ninclude kernel.txt\n", **under("v2/", tree())}
    changes |= {"v2/overlays/README": b"", "v2/overlays/disable-bt.dtbo": DEVICE_TREE, "v2/cmdline.txt": b"v2"}
    changes["kernel.txt"] = tree()["kernel.txt"] + b"dtoverlay=disable-bt\n"
    system, served = start(changes)
    assert (system.kernel_path, system.command_line) == ("v2/vmlinuz", "v2")
    assert {"v2/initrd.img", "v2/host.cpio", "v2/cm4.dtb", "v2/overlays/disable-bt.dtbo"} <= set(served.fetched())


@pytest.mark.parametrize("missing", ["v2/vmlinuz", "v2/cm4.dtb"])
def test_os_prefix_without_kernel_or_device_tree_is_ignored_and_told(missing: str) -> None:
    changes: Change = {"config.txt": b"arm_64bit=1\nos_prefix=v2/\ninclude kernel.txt\n", **under("v2/", tree())}
    system, served = start({**changes, missing: None})
    assert system.kernel_path == "vmlinuz"
    assert not [name for name in served.fetched() if name.startswith("v2/")]
    assert system.warnings == ("os_prefix=v2/ is ignored, because one of these is missing: v2/vmlinuz, v2/cm4.dtb",)


def test_overlays_are_shared_where_the_prefix_has_no_readme() -> None:
    changes: Change = {"config.txt": b"arm_64bit=1\nos_prefix=v2/\ninclude kernel.txt\n", **under("v2/", tree())}
    changes["kernel.txt"] = tree()["kernel.txt"] + b"dtoverlay=a\n"
    changes |= {"overlays/a.dtbo": DEVICE_TREE + b"shared", "v2/overlays/a.dtbo": DEVICE_TREE}
    assert start(changes)[0].overlays == {"a": DEVICE_TREE + b"shared"}


def test_name_with_a_slash_in_front_goes_without_os_prefix() -> None:
    config = b"arm_64bit=1\nos_prefix=v2/\ninclude kernel.txt\ninitramfs /initrd.img,/host.cpio\n"
    changes: Change = {"config.txt": config, **under("v2/", tree()), "v2/initrd.img": None, "v2/host.cpio": None}
    assert start(changes)[0].initramfs == b"initrd\0\0key of the host"


def test_missing_overlay_does_not_stop_the_board() -> None:
    system, _ = start({"config.txt": b"arm_64bit=1\ninclude kernel.txt\noverlay_prefix=o/\ndtoverlay=a\n"})
    assert system.warnings == ("Failed to load overlay 'a' from o/a.dtbo",)


def test_only_the_first_line_is_the_command_line() -> None:
    system, _ = start({"cmdline.txt": b" a b \nc\n"})
    assert system.command_line == "a b"
    assert system.warnings == ("cmdline.txt: only the first line is the command line",)


def test_other_command_line() -> None:
    files: Change = {"config.txt": b"arm_64bit=1\ncmdline=other.txt\ninclude kernel.txt\n", "other.txt": b"other"}
    assert start(files)[0].command_line == "other"


def test_warnings_of_config_txt_are_passed_on_once() -> None:
    system, _ = start({"config.txt": b"include kernel.txt\ninitramfs=a followkernel\n"})
    assert system.warnings == (
        "config.txt:2: initramfs takes no '='; the line is ignored",
        "arm_64bit is not set: firmware from before 2023 starts a kernel in 32-bit mode then",
    )


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"vmlinuz": None}, KernelNotFound, "No compatible kernel found: there is no vmlinuz"),
        ({"kernel.txt": None, "bcm2711-rpi-cm4.dtb": DEVICE_TREE}, KernelNotFound, ".*there is no kernel8.img"),
        (
            {"vmlinuz": b"MZ" + bytes(100)},
            KernelIncompatible,
            ".*vmlinuz is neither an arm64 Image nor one inside gzip",
        ),
        ({"vmlinuz": gzip.compress(b"x86" * 100)}, KernelIncompatible, "No compatible kernel found"),
        ({"vmlinuz": b"\x1f\x8bnonsense"}, KernelIncompatible, "vmlinuz: kernel GZIP decompression failed"),
        ({"vmlinuz": b""}, KernelIncompatible, "No compatible kernel found"),
        ({"config.txt": b"arm_64bit=0\ninclude kernel.txt\n"}, KernelIncompatible, "arm_64bit=0"),
        ({"host.cpio": None}, InitramfsNotFound, "Failed to load 'host.cpio' - initramfs disabled"),
        ({"cm4.dtb": None}, DeviceTreeNotFound, "Failed to load Device Tree file 'cm4.dtb'"),
        ({"cm4.dtb": b"/dts-v1/;"}, DeviceTreeNotFound, "Failed to load Device Tree file 'cm4.dtb'"),
        ({"kernel.txt": b"device_tree=\n"}, DeviceTreeNotFound, "Device Tree loading disabled"),
        ({"cmdline.txt": None}, CommandLineNotFound, "Failed to open command line file 'cmdline.txt'"),
        ({"cmdline.txt": b"\nroot=a\n"}, CommandLineNotFound, "cmdline.txt: there is no command line in it"),
        ({"config.txt": None, "bcm2711-rpi-cm4.dtb": DEVICE_TREE}, KernelNotFound, ".*there is no kernel8.img"),
    ],
)
def test_why_the_operating_system_does_not_start(changes: Change, error: type[FirmwareError], said: str) -> None:
    with pytest.raises(error, match=f"^{said}"):
        start(changes)
