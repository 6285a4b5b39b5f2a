# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An initramfs that would not lead to the root is noticed before it boots, whatever the file holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_survey import Wanted, survey
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_verdict import CIPHERS, FILES
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

ROLE = Path(__file__).parents[4] / "roles" / "initramfs" / "files"
VERSION = "6.1.0-57-amd64"
BOARD = ("r8169", "mdio_bcm_unimac")
MODULES = {
    "rbd": "drivers/block/rbd.ko",
    "libceph": "net/ceph/libceph.ko",
    "ext4": "fs/ext4/ext4.ko.xz",
    "r8169": "drivers/net/r8169.ko.zst",
    "mdio_bcm_unimac": "drivers/net/mdio/mdio-bcm-unimac.ko",
    "netconsole": "drivers/net/netconsole.ko",
    "gcm": "crypto/gcm.ko",
    "ghash_generic": "crypto/ghash-generic.ko",
}
BUILT_IN = "kernel/crypto/aes_generic.ko\nkernel/crypto/cbc.ko\nkernel/crypto/ctr.ko\nkernel/crypto/crc32c_generic.ko\n"
ALIASES = "alias crypto-gcm gcm\nalias crypto-ghash ghash_generic\nalias fs-ext4 ext4\n"
MICROCODE = newc([Entry("kernel", 0o755), Entry("kernel/x86/microcode.bin", 0o644, b"microcode")])


def cpio(without: tuple[str, ...] = (), version: str = VERSION, usr: str = "usr/") -> bytes:
    """An initramfs as the role makes it, unpacked, without these modules and files."""
    place = f"{usr}lib/modules/{version}"
    entries = [Entry(name, 0o755, b"#!/bin/sh\n") for name in FILES if name not in without]
    entries += [Entry(f"{place}/kernel/{path}", 0o644, b"ELF") for name, path in MODULES.items() if name not in without]
    entries += [Entry(f"{place}/modules.builtin", 0o644, BUILT_IN.encode())]
    entries += [Entry(f"{place}/modules.alias", 0o644, ALIASES.encode())]
    return newc(entries)


def zstd(data: bytes) -> bytes:
    """What the program makes of it."""
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A machine whose kernel has all modules."""
    modules = tmp_path / "lib" / "modules" / VERSION
    modules.mkdir(parents=True)
    (modules / "modules.dep").write_text("".join(f"kernel/{path}:\n" for path in MODULES.values()), encoding="utf-8")
    (modules / "modules.builtin").write_text(BUILT_IN, encoding="utf-8")
    (modules / "modules.alias").write_text(ALIASES, encoding="utf-8")
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / f"vmlinuz-{VERSION}").write_bytes(b"kernel")
    return tmp_path


def look(place: Path, data: bytes | None, root: bool = True, seconds: float = 20) -> dict[str, Any]:
    if data is not None:
        (place / "boot" / f"initrd.img-{VERSION}").write_bytes(data)
    return survey(Wanted(VERSION, str(place / "boot"), str(place) if root else None, BOARD), seconds)


def problems(found: dict[str, Any]) -> list[str]:
    assert all(problem["remedy"] for problem in found["problems"])
    return [problem["problem"] for problem in found["problems"]]


PACKED = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": zstd,
}


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("before", [b"", MICROCODE], ids=["alone", "after microcode"])
def test_complete_initramfs_has_no_problem(place: Path, compression: str, before: bytes) -> None:
    found = look(place, before + PACKED[compression](cpio()))
    assert found["problems"] == []
    assert found["missing"] == []
    assert found["complete"] is True
    assert found["compression"][-1] == compression
    assert found["versions"] == [VERSION]
    assert found["modules"] == {
        **dict.fromkeys(("rbd", "libceph", "ext4", *BOARD, "netconsole", "crypto-gcm", "crypto-ghash"), "there"),
        **dict.fromkeys((f"crypto-{name}" for name in ("aes", "cbc", "ctr", "crc32c")), "built-in"),
    }
    assert all(found["files"].values())


def test_root_without_merged_usr_and_padding_at_the_end_are_no_problem(place: Path) -> None:
    assert problems(look(place, gzip.compress(cpio(usr="")) + bytes(1000))) == []


@pytest.mark.parametrize("compression", PACKED)
def test_truncated_initramfs_is_told(place: Path, compression: str) -> None:
    data = PACKED[compression](cpio()).rstrip(b"\0")
    found = look(place, data[:-100])
    assert found["complete"] is False
    (problem,) = problems(found)
    assert problem.startswith(("is truncated: its", "is damaged: its"))
    assert "update-initramfs -u -k" in found["problems"][0]["remedy"]
    # What was not read is not said to be missing.
    assert set(found["modules"].values()) <= {"unknown", "built-in"}
    assert (found["files"], found["missing"]) == (None, [])


@pytest.mark.parametrize("compression", [name for name in PACKED if name != "none"])
def test_archive_that_was_truncated_before_it_was_compressed_is_told(place: Path, compression: str) -> None:
    whole = cpio()
    end = whole.rindex(b"070701")  # the trailer
    for part in (whole[:end], whole[: end - 50]):
        found = look(place, PACKED[compression](part))
        assert problems(found)[0].startswith("is truncated: what it unpacks to ends")
        assert found["complete"] is False


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "holds nothing but zeros"),
        (b"<html>not found</html>", "is no initramfs: it begins with the bytes"),
        (gzip.compress(b"#!/bin/sh\n" * 99), "is damaged: it unpacks to something that is no cpio archive"),
        (bz2.compress(cpio())[:50] + b"\xff" * 500, "is damaged: its bzip2 stream cannot be unpacked"),
        (b"\x5d\x00\x00" + b"\xff" * 500, "is damaged: its lzma stream cannot be unpacked"),
        (lzma.compress(cpio())[:20] + b"\xee" * 200 + b"YZ", "is damaged: its xz stream cannot be unpacked"),
        (gzip.compress(newc([])[:94] + b"0000FFFF" + newc([])[102:]), "is damaged: it holds a name of more than"),
        (newc([Entry(f"lib/modules/{VERSION}/modules.alias", 0o644, b"a" * 99)])[:180], "is truncated: its cpio"),
    ],
    ids=["empty", "other", "no cpio", "bzip2", "lzma", "xz", "name", "list"],
)
def test_what_is_no_initramfs_is_told(place: Path, data: bytes, problem: str) -> None:
    (told,) = problems(look(place, data))
    assert told.startswith(problem)


def test_damaged_zstd_is_told(place: Path) -> None:
    data = bytearray(zstd(os.urandom(1000) + cpio()))
    data[-1] ^= 0xFF  # its checksum
    (told,) = problems(look(place, bytes(data)))
    assert told.startswith("is damaged:")


@pytest.mark.parametrize("name", ["bin/huge", f"lib/modules/{VERSION}/modules.alias"])
def test_bomb_is_not_unpacked_into_memory(place: Path, name: str) -> None:
    """100 MB in 15 kB, which the archive calls the content of one file, be it one that is read."""
    archive, size = newc([Entry(name, 0o755, b"")]), 100_000_000
    member = archive[: archive.index(b"070701", 1)]
    huge = member[:54] + b"%08X" % size + member[62:]
    unpacked = lzma.LZMACompressor()
    data = unpacked.compress(huge) + b"".join(unpacked.compress(bytes(1_000_000)) for dummy in range(size // 1_000_000))
    data += unpacked.compress(newc([])) + unpacked.flush()
    tracemalloc.start()
    try:
        assert look(place, data)["complete"] is True
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_what_takes_too_long_is_told(place: Path) -> None:
    assert problems(look(place, cpio(), seconds=-1)) == ["could not be read within -1 s"]


def test_names_in_the_archive_reach_nobody_as_they_are(place: Path) -> None:
    data = newc([Entry("lib/modules/\x1b[2J<b>/kernel/rbd.ko", 0o644, b"")])
    found = look(place, data)
    assert found["versions"] == ["\\x1b[2J<b>"]
    assert "\x1b" not in str(found)


@pytest.mark.parametrize("missing", ["rbd", "r8169", "mdio_bcm_unimac", "netconsole"])
def test_module_that_the_kernel_has_and_the_initramfs_lacks_is_told(place: Path, missing: str) -> None:
    for root in (True, False):
        found = look(place, gzip.compress(cpio((missing,))), root)
        assert found["modules"][missing] == "missing"
        assert problems(found) == [f"lacks the module {missing}"]
        assert found["missing"] == [missing]


def test_module_that_the_kernel_does_not_have_is_told_with_another_remedy(place: Path) -> None:
    modules = place / "lib" / "modules" / VERSION / "modules.dep"
    modules.write_text(modules.read_text(encoding="utf-8").replace("rbd.ko", "nbd.ko"), encoding="utf-8")
    found = look(place, gzip.compress(cpio(("rbd",))))
    assert problems(found) == [f"kernel {VERSION} has no module rbd, which the host needs to reach its root"]
    assert found["problems"][0]["remedy"] == "Do not boot it; install a kernel that has it."


def test_cipher_is_missing_only_where_the_kernel_has_it_as_a_module(place: Path) -> None:
    data = gzip.compress(cpio(("gcm",)))
    assert problems(look(place, data)) == ["lacks the module crypto-gcm"]
    assert look(place, data, root=False)["modules"]["crypto-gcm"] == "unknown"
    (place / "lib" / "modules" / VERSION / "modules.alias").write_text("", encoding="utf-8")
    found = look(place, data)
    assert (found["modules"]["crypto-gcm"], problems(found)) == ("no such module", [])
    assert set(found["modules"]) >= {f"crypto-{name}" for name in CIPHERS}


def test_file_of_the_collection_that_is_missing_is_told(place: Path) -> None:
    found = look(place, gzip.compress(cpio(("lib/diskless/exitrd.sh", "scripts/rbd"))))
    assert problems(found) == ["lacks scripts/rbd, lib/diskless/exitrd.sh"]
    assert found["files"]["lib/diskless/exitrd.sh"] is False


def test_modules_of_another_kernel_are_told(place: Path) -> None:
    found = look(place, gzip.compress(cpio(version="6.1.0-50-amd64")))
    assert problems(found)[0] == f"holds modules of kernel 6.1.0-50-amd64, expected those of {VERSION}"
    assert found["modules"]["rbd"] == "missing"


def test_what_is_not_there_is_told_all_together(place: Path) -> None:
    (place / "boot" / f"vmlinuz-{VERSION}").unlink()
    shutil.rmtree(place / "lib")
    found = look(place, None)
    assert [(Path(problem["file"]).name, problem["problem"]) for problem in found["problems"]] == [
        (f"vmlinuz-{VERSION}", "is missing"),
        (f"initrd.img-{VERSION}", "is missing"),
        (VERSION, "is missing: the root has no modules of this kernel"),
    ]
    assert (found["kernel"], found["path"], found["modules_directory"]) == (None, None, None)
    shutil.rmtree(place / "boot")
    assert problems(look(place, None))[0] == "cannot be opened: No such file or directory"


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_file_is_not_opened(place: Path, kind: str) -> None:
    path = place / "boot" / f"initrd.img-{VERSION}"
    make: dict[str, Any] = {"link": lambda: path.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(path)}
    make.get(kind, path.mkdir)()
    assert problems(look(place, None)) == ["is no regular file"]


def test_machine_without_the_program_says_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zstd(cpio())
    monkeypatch.setenv("PATH", str(place))
    found = look(place, data)
    assert problems(found) == ["cannot be looked into, because this machine has no program zstd"]
    assert found["complete"] is True
    assert look(place, b"\x02\x21\x4c\x18" + bytes(50))["complete"] is None


def test_wanted_files_are_those_that_the_role_brings() -> None:
    """Each shell file of the hook's cp, each script, and no other."""
    shell = {f"lib/diskless/{path.name}" for path in (ROLE / "usr/lib/diskless").glob("*.sh")}
    scripts = {
        str(path.relative_to(ROLE / "etc/initramfs-tools"))
        for path in (ROLE / "etc/initramfs-tools/scripts").rglob("*")
        if path.is_file()
    }
    assert {*shell, *scripts, "lib/diskless/shutdown", "lib/diskless/guard", "init", "bin/busybox"} == set(FILES)
