# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot.tar: which archives seed a boot tree, and which are refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._golden_boot import GoldenBoot, GoldenBootError
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_txt import Firmware

KERNEL_CFG = b"set kernel=vmlinuz-6.1\nset initrd=initrd.img-6.1\n"
CONTENT = {"./kernel.cfg": KERNEL_CFG, "./vmlinuz-6.1": b"kernel", "./initrd.img-6.1": b"initramfs"}
KERNEL_TXT = b"kernel=vmlinuz-6.1\ninitramfs host.cpio,initrd.img-6.1 followkernel\ndevice_tree=cm4.dtb-6.1\n"
PI_CONTENT = {
    **CONTENT,
    "./kernel.txt": KERNEL_TXT,
    "./start4.elf": b"firmware",
    "./fixup4.dat": b"firmware",
    "./cm4.dtb-6.1": b"device tree",
}
CM4 = Firmware("cm4", "bcm2711-rpi-cm4.dtb", ("start4.elf", "fixup4.dat"))


def _archive(path: Path, content: dict[str, bytes], mode: str = "w:") -> str:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        directory = tarfile.TarInfo(".")
        directory.type = tarfile.DIRTYPE
        archive.addfile(directory)
        link = tarfile.TarInfo("./vmlinuz.old")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        archive.addfile(link)
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return str(path)


def test_kernel_cfg_is_last_and_only_regular_files_count(tmp_path: Path) -> None:
    golden = GoldenBoot(_archive(tmp_path / "boot.tar", CONTENT))
    assert [(name, source.read()) for name, source in golden.files()] == [
        ("initrd.img-6.1", b"initramfs"),
        ("vmlinuz-6.1", b"kernel"),
        ("kernel.cfg", KERNEL_CFG),
    ]
    golden.close()


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "grub/grub.cfg", ".hidden", "host.cpio", "grub.cfg", "config.txt", "cmdline.txt"]
)
def test_name_that_does_not_belong_into_a_tree_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(GoldenBootError, match=f"member '{name}' does not belong into a boot tree"):
        GoldenBoot(_archive(tmp_path / "boot.tar", {**CONTENT, name: b""}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no kernel.cfg, which names the kernel and the initramfs to boot"),
        ({"kernel.cfg": b""}, "kernel.cfg sets kernel to None, which is not there"),
        (
            {"kernel.cfg": KERNEL_CFG, "vmlinuz-6.1": b""},
            "kernel.cfg sets initrd to initrd.img-6.1, which is not there",
        ),
    ],
)
def test_archive_that_cannot_boot_is_refused(tmp_path: Path, content: dict[str, bytes], message: str) -> None:
    with pytest.raises(GoldenBootError, match=message):
        GoldenBoot(_archive(tmp_path / "boot.tar", content))


def test_compressed_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldenBootError, match="is no uncompressed tar archive"):
        GoldenBoot(_archive(tmp_path / "boot.tar", CONTENT, "w:gz"))


def test_what_names_the_other_files_is_last(tmp_path: Path) -> None:
    golden = GoldenBoot(_archive(tmp_path / "boot.tar", {**PI_CONTENT, "./zz": b""}))
    assert golden.names == [
        *("cm4.dtb-6.1", "fixup4.dat", "initrd.img-6.1", "start4.elf", "vmlinuz-6.1", "zz"),
        *("kernel.cfg", "kernel.txt"),
    ]
    assert golden.problems(CM4) == []


def test_archive_for_pcs_alone_does_not_boot_a_pi(tmp_path: Path) -> None:
    golden = GoldenBoot(_archive(tmp_path / "boot.tar", CONTENT))
    assert golden.problems(CM4) == ["no start4.elf", "no fixup4.dat", "no kernel.txt"]


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("./start4.elf", "no start4.elf"),
        ("./fixup4.dat", "no fixup4.dat"),
        ("./kernel.txt", "no kernel.txt"),
        ("./cm4.dtb-6.1", "kernel.txt sets device_tree to cm4.dtb-6.1, which is not there"),
    ],
)
def test_archive_without_what_a_pi_needs_is_told(tmp_path: Path, missing: str, problem: str) -> None:
    content = {name: data for name, data in PI_CONTENT.items() if name != missing}
    assert GoldenBoot(_archive(tmp_path / "boot.tar", content)).problems(CM4) == [problem]
