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

KERNEL_CFG = b"set kernel=vmlinuz-6.1\nset initrd=initrd.img-6.1\n"
CONTENT = {"./kernel.cfg": KERNEL_CFG, "./vmlinuz-6.1": b"kernel", "./initrd.img-6.1": b"initramfs"}


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
    "name", ["../evil", "/etc/passwd", "grub/grub.cfg", ".hidden", "host.cpio", "grub.cfg", "grub.pxe"]
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
