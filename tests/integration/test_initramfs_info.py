# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""initramfs_info as Ansible runs it, on what the programs make that mkinitramfs uses. It asks no cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_verdict import FILES, MODULES

from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")

VERSION = "6.1.0-57-amd64"
PROGRAMS = {
    "zstd": ["zstd", "-q", "-19", "-T0"],
    "gzip": ["gzip", "-n"],
    "xz": ["xz", "--check=crc32"],
    "lz4": ["lz4", "-9", "-l"],
    "bzip2": ["bzip2"],
    "lzma": ["lzma"],
    "none": ["cat"],
}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """An initramfs that is not packed yet."""
    place = tmp_path / "content"
    for name in [
        *FILES,
        *(f"lib/modules/{VERSION}/kernel/{module}.ko" for module in (*MODULES, "netconsole", "r8169")),
    ]:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name * 2000, encoding="utf-8")
    return place


def pack(content: Path, boot: Path, program: list[str]) -> Path:
    """Do what the end of mkinitramfs does."""
    boot.mkdir()
    (boot / f"vmlinuz-{VERSION}").write_text("kernel", encoding="utf-8")
    initramfs = boot / f"initrd.img-{VERSION}"
    names = "\n".join(str(path.relative_to(content)) for path in sorted(content.rglob("*")))
    command = ["cpio", "--quiet", "-o", "-H", "newc"]
    archive = subprocess.run(command, input=names.encode(), cwd=content, capture_output=True, check=True).stdout
    with initramfs.open("wb") as file:
        subprocess.run(program, input=archive, stdout=file, check=True)
    return initramfs


def look(boot: Path, **options: Any) -> dict[str, Any]:
    return ModuleRun([])("initramfs_info", version=VERSION, boot=str(boot), modules=["r8169"], root="", **options)


@pytest.mark.parametrize("compression", PROGRAMS)
def test_complete_and_truncated_initramfs_of_each_program(content: Path, tmp_path: Path, compression: str) -> None:
    initramfs = pack(content, tmp_path / "boot", PROGRAMS[compression])
    found = look(initramfs.parent)
    assert (found["changed"], found["problems"], found["missing"]) == (False, [], [])
    assert (found["compression"], found["complete"], found["versions"]) == ([compression], True, [VERSION])
    assert (found["path"], found["size"]) == (str(initramfs), initramfs.stat().st_size)
    assert found["modules"]["rbd"] == "there"
    assert found["modules"]["crypto-gcm"] == "unknown"
    initramfs.write_bytes(initramfs.read_bytes()[: initramfs.stat().st_size // 2])
    found = look(initramfs.parent)
    (problem,) = found["problems"]
    assert problem["problem"].startswith(("is truncated", "is damaged"))
    assert found["complete"] is False


def test_version_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleFailed, match="expected what uname -r says"):
        ModuleRun([])("initramfs_info", version="../../etc/passwd", boot=str(tmp_path))
