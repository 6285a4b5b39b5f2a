# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found in a boot tree: what it lacks, what is wrong with it, and what its host has put there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_evidence import (
    FILES,
    ExpectedTree,
    TftpUser,
    nothing,
    printable,
    tree_evidence,
)
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_txt import Firmware
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root")

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
CPIO = newc(
    [
        Entry("etc/diskless/host.conf", 0o600, b"DISKLESS_HOST=udoo1\nDISKLESS_POOL=diskless\n"),
        Entry("etc/diskless/key", 0o600, KEY.encode()),
    ]
)
INITRAMFS = newc([Entry("init", 0o755, b"#!/bin/sh\n")])
GRUB_CFG, CONFIG, CMDLINE = b"source $prefix/kernel.cfg\n", b"include kernel.txt\n", b"ro\n"
KERNEL_CFG = b"set kernel=vmlinuz-6.1\nset initrd=initrd.img-6.1\n"
KERNEL_TXT = b"kernel=vmlinuz-6.1\ninitramfs initrd.img-6.1,host.cpio followkernel\n[cm4]\ndevice_tree=cm4.dtb-6.1\n"
SYSTEM = {"vmlinuz-6.1": b"kernel", "initrd.img-6.1": INITRAMFS}
PC = {".diskless": b"marker\n", "grub.cfg": GRUB_CFG, "kernel.cfg": KERNEL_CFG, **SYSTEM}
FIRMWARE = {"start4.elf": b"F", "fixup4.dat": b"f", "cm4.dtb-6.1": b"D", "kernel.txt": KERNEL_TXT}
PI = {"config.txt": CONFIG, "cmdline.txt": CMDLINE, **FIRMWARE, **SYSTEM}
TFTP = TftpUser("dnsmasq", 500, 65534)


def _digests(**files: bytes) -> dict[str, str]:
    return {name.replace("_", "."): sha256(data).hexdigest() for name, data in files.items()}


EXPECTED_PC = ExpectedTree("udoo1", "grub", _digests(grub_cfg=GRUB_CFG))
EXPECTED_PI = ExpectedTree(
    "udoo1",
    "pi",
    _digests(config_txt=CONFIG, cmdline_txt=CMDLINE),
    Firmware("cm4", "bcm2711-rpi-cm4.dtb", ("start4.elf", "fixup4.dat")),
)


def _make(tree: Path, files: dict[str, bytes]) -> Path:
    tree.mkdir()
    tree.chmod(0o755)
    for name, data in {**files, "host.cpio": CPIO}.items():
        (tree / name).write_bytes(data)
        (tree / name).chmod(0o644)
    (tree / "host.cpio").chmod(0o400)
    os.chown(tree / "host.cpio", 500, 0)
    return tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The tree of a PC with which nothing is wrong."""
    return _make(tmp_path / "udoo1", PC)


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """That of a Raspberry Pi."""
    return _make(tmp_path / "udoo1", PI)


def _evidence(tree: Path, expected: ExpectedTree = EXPECTED_PC, seconds: float = 5) -> dict[str, Any]:
    evidence, _read = tree_evidence(str(tree.parent), expected, TFTP, seconds)
    json.dumps(evidence).encode("ascii")  # it reaches the controller whatever a host has written
    return evidence


def _problems(tree: Path, expected: ExpectedTree = EXPECTED_PC) -> list[tuple[str, str]]:
    return [(problem["file"], problem["problem"]) for problem in _evidence(tree, expected)["problems"]]


def test_tree_of_a_pc_as_the_site_playbook_leaves_it(tree: Path) -> None:
    evidence = _evidence(tree)
    files = evidence.pop("files")
    assert evidence == {
        "exists": True,
        "problems": [],
        "kernel": "vmlinuz-6.1",
        "initrd": "initrd.img-6.1",
        "host_conf": {"DISKLESS_HOST": "udoo1", "DISKLESS_POOL": "diskless"},
        "key_fingerprint": sha256(KEY.encode()).hexdigest()[:16],
    }
    assert [file["path"] for file in files] == sorted([*PC, "host.cpio"])
    assert files[2] == {"path": "host.cpio", "size": len(CPIO), "mode": "0400", "owner": "dnsmasq"}
    assert files[5] == {"path": "vmlinuz-6.1", "size": 6, "mode": "0644", "owner": "root"}


def test_tree_of_a_pi_as_the_site_playbook_leaves_it(pi: Path) -> None:
    evidence = _evidence(pi, EXPECTED_PI)
    assert (evidence["problems"], evidence["kernel"], evidence["initrd"]) == ([], "vmlinuz-6.1", "initrd.img-6.1")


def test_key_is_nowhere_in_the_evidence(tree: Path) -> None:
    (tree / "grub.cfg").write_text(KEY, encoding="utf-8")
    (tree / "kernel.cfg").write_text(f"set kernel={KEY}\n", encoding="utf-8")
    (tree / KEY).touch()
    evidence = repr(_evidence(tree))
    assert KEY[:38] not in evidence
    assert "(key)" in evidence


def test_host_without_a_tree(tmp_path: Path) -> None:
    assert _evidence(tmp_path / "udoo1") == nothing(False)


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_in_the_place_of_a_tree_is_none(tmp_path: Path, what: str) -> None:
    place = tmp_path / "udoo1"
    place.touch() if what == "file" else place.symlink_to("/etc")
    assert _evidence(place) == {**nothing(False), "problems": [{"file": ".", "problem": "is no directory"}]}


Change = Callable[[Path], object]
UNREADABLE = "has mode 0600 and owner root: the TFTP service, which is dnsmasq, cannot read it"
OTHER = "is not what the inventory asks for; the site playbook writes it again"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda tree: tree.chmod(0o700), [(".", "has mode 0700 and owner root; expected 0755 and root")]),
        (lambda tree: (tree / "grub.cfg").unlink(), [("grub.cfg", "is missing")]),
        (lambda tree: (tree / "grub.cfg").write_bytes(b""), [("grub.cfg", "is empty")]),
        (lambda tree: (tree / "grub.cfg").write_bytes(b"boot\n"), [("grub.cfg", OTHER)]),
        (
            lambda tree: (tree / "grub.cfg").chmod(0o666),
            [("grub.cfg", "has mode 0666 and owner root; expected 0644 and root")],
        ),
        (
            lambda tree: os.chown(tree / "grub.cfg", 1000, 0),
            [("grub.cfg", "has mode 0644 and owner 1000; expected 0644 and root")],
        ),
        (lambda tree: (tree / "kernel.cfg").unlink(), [("kernel.cfg", "is missing")]),
        (
            lambda tree: (tree / "kernel.cfg").write_bytes(b"#" * 5000),
            [("kernel.cfg", "has more than 4096 bytes, so it is none that the collection has written")],
        ),
        (
            lambda tree: (tree / "vmlinuz-6.1").unlink(),
            [("kernel.cfg", "sets kernel to vmlinuz-6.1, which is not there")],
        ),
        (lambda tree: (tree / "vmlinuz-6.1").write_bytes(b""), [("vmlinuz-6.1", "is empty")]),
        (lambda tree: (tree / "vmlinuz-6.1").chmod(0o600), [("vmlinuz-6.1", UNREADABLE)]),
        (lambda tree: (tree / "initrd.img-6.1").write_bytes(b""), [("initrd.img-6.1", "is empty")]),
        (
            lambda tree: (tree / "initrd.img-6.1").write_bytes(INITRAMFS[:200]),
            [("initrd.img-6.1", "is truncated: its cpio archive goes on beyond the end of the file")],
        ),
        (
            lambda tree: (
                (tree / "kernel.cfg").write_bytes(KERNEL_CFG.replace(b"img-6.1", b"img-5.10"))
                and (tree / "initrd.img-6.1").rename(tree / "initrd.img-5.10")
            ),
            [
                (
                    "kernel.cfg",
                    "names a kernel and an initramfs of different versions: vmlinuz-6.1, initrd.img-5.10",
                )
            ],
        ),
        (lambda tree: (tree / "host.cpio").unlink(), [("host.cpio", "is missing")]),
        (lambda tree: (tree / "host.cpio").write_bytes(b""), [("host.cpio", "is empty")]),
        (
            lambda tree: (tree / "host.cpio").chmod(0o444),
            [("host.cpio", "has mode 0444 and owner dnsmasq; expected 0400 and dnsmasq")],
        ),
        (
            lambda tree: os.chown(tree / "host.cpio", 0, 0),
            [("host.cpio", "has mode 0400 and owner root; expected 0400 and dnsmasq")],
        ),
        (
            lambda tree: (tree / "host.cpio").write_bytes(b"garbage"),
            [("host.cpio", "it is no cpio archive in the newc format")],
        ),
        (lambda tree: (tree / "host.cpio").write_bytes(CPIO[:150]), [("host.cpio", "it is not complete")]),
        (
            lambda tree: (tree / "host.cpio").write_bytes(newc([])),
            [("host.cpio", f"it lacks etc/diskless/{name}") for name in ("host.conf", "key")],
        ),
    ],
)
def test_what_keeps_a_pc_from_booting(tree: Path, change: Change, problems: list[tuple[str, str]]) -> None:
    change(tree)
    assert _problems(tree) == problems


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda tree: (tree / "config.txt").unlink(), [("config.txt", "is missing")]),
        (lambda tree: (tree / "cmdline.txt").write_bytes(b"rw\n"), [("cmdline.txt", OTHER)]),
        (lambda tree: (tree / "start4.elf").unlink(), [("start4.elf", "is missing")]),
        (lambda tree: (tree / "fixup4.dat").write_bytes(b""), [("fixup4.dat", "is empty")]),
        (lambda tree: (tree / "kernel.txt").unlink(), [("kernel.txt", "is missing")]),
        (
            lambda tree: (tree / "cm4.dtb-6.1").unlink(),
            [("kernel.txt", "sets device_tree to cm4.dtb-6.1, which is not there")],
        ),
        (lambda tree: (tree / "cm4.dtb-6.1").write_bytes(b""), [("cm4.dtb-6.1", "is empty")]),
        (
            lambda tree: (tree / "initrd.img-6.1").unlink(),
            [("kernel.txt", "sets initramfs to initrd.img-6.1, which is not there")],
        ),
        (
            lambda tree: (tree / "kernel.txt").write_bytes(KERNEL_TXT.replace(b",host.cpio", b"")),
            [
                (
                    "kernel.txt",
                    "has 'initramfs initrd.img-6.1 followkernel'; expected 'initramfs host.cpio,NAME followkernel'"
                    " (without an equals sign)",
                )
            ],
        ),
        (
            lambda tree: (tree / "initrd.img-6.1").write_bytes(INITRAMFS[:50]),
            [("initrd.img-6.1", "is truncated: its cpio archive goes on beyond the end of the file")],
        ),
    ],
)
def test_what_keeps_a_pi_from_booting(pi: Path, change: Change, problems: list[tuple[str, str]]) -> None:
    change(pi)
    assert _problems(pi, EXPECTED_PI) == problems


def test_all_problems_are_told_together(tree: Path) -> None:
    for name in PC:
        (tree / name).unlink()
    (tree / "host.cpio").unlink()
    assert _problems(tree) == [(name, "is missing") for name in ("grub.cfg", "host.cpio", "kernel.cfg")]


@pytest.mark.parametrize("name", ["grub.cfg", "kernel.cfg", "host.cpio", "vmlinuz-6.1", "initrd.img-6.1"])
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: path.symlink_to("../udoo2/secret"), "is a symbolic link, which TFTP does not follow"),
        (os.mkfifo, "is a named pipe, for which TFTP waits and serves nobody meanwhile"),
        (Path.mkdir, "is a directory"),
    ],
    ids=["link", "pipe", "directory"],
)
def test_whatever_stands_in_the_place_of_a_file_is_named_and_not_read(
    tree: Path, name: str, make: Change, text: str
) -> None:
    (tree.parent / "udoo2").mkdir()
    (tree.parent / "udoo2" / "secret").write_bytes(CPIO)
    (tree / name).unlink()
    make(tree / name)
    began = time.monotonic()
    assert (name, text) in _problems(tree)
    assert time.monotonic() - began < 2
    if name == "host.cpio":
        assert _evidence(tree)["key_fingerprint"] is None


def test_kernel_cfg_leads_to_nothing_outside_of_the_tree(tree: Path) -> None:
    (tree.parent / "vmlinuz").write_bytes(b"another's")
    (tree / "kernel.cfg").write_bytes(KERNEL_CFG.replace(b"vmlinuz-6.1", b"../vmlinuz"))
    assert _problems(tree) == [("kernel.cfg", "sets kernel to ../vmlinuz, which is not there")]


def test_named_pipe_of_any_name_is_told_because_tftp_waits_for_it(tree: Path) -> None:
    os.mkfifo(tree / "planted")
    assert _problems(tree) == [("planted", "is a named pipe, for which TFTP waits and serves nobody meanwhile")]


def test_names_are_printable_and_not_too_many(tree: Path) -> None:
    for number in range(FILES + 50):
        (tree / f"{number:04}").touch()
    (tree / "initrd.img-6.1").rename(tree / "zzz")
    (tree / "kernel.cfg").write_bytes(KERNEL_CFG.replace(b"initrd.img-6.1", b"zzz"))
    evidence = _evidence(tree)
    assert {"zzz", "vmlinuz-6.1", "host.cpio"} <= {file["path"] for file in evidence["files"]}
    assert len(evidence["files"]) <= FILES + 6
    assert evidence["problems"] == [
        {"file": ".", "problem": f"holds more than {FILES} files, of which only so many were looked at"}
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"\x1b[31mred\n", r"\x1b[31mred\x0a"),
        (b"\xff\xfe", r"\udcff\udcfe"),
        ("\u202egpj.exe".encode(), r"\u202egpj.exe"),
        (b"{{ lookup('file') }}", "{{ lookup('file') }}"),
        (b"x" * 255, "x" * 255),
    ],
)
def test_name_of_a_host_harms_nobody_who_reads_it(tree: Path, name: bytes, shown: str) -> None:
    (Path(os.fsdecode(os.fsencode(tree) + b"/" + name))).write_bytes(b"x")
    assert shown in [file["path"] for file in _evidence(tree)["files"]]


def test_text_of_a_host_is_cut() -> None:
    assert printable("x" * 1000, 10) == "xxxxxxxxxx..."


def test_huge_files_are_not_read(tree: Path) -> None:
    for name in ("grub.cfg", "host.cpio", "kernel.cfg"):
        os.truncate(tree / name, 2**40)
    began = time.monotonic()
    problems = _problems(tree)
    assert time.monotonic() - began < 2
    assert [file for file, problem in problems if problem.startswith("has more than")] == [
        "grub.cfg",
        "host.cpio",
        "kernel.cfg",
    ]


def test_host_conf_of_a_host_is_bounded_and_printable(tree: Path) -> None:
    conf = "".join(f"DISKLESS_{letter * 9}='\x1b{'x' * 2000}'\n" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    archive = newc([Entry("etc/diskless/host.conf", 0o600, conf.encode()), Entry("etc/diskless/key", 0o600, b"key")])
    (tree / "host.cpio").write_bytes(archive)
    settings = _evidence(tree)["host_conf"]
    assert len(settings) == 26
    assert all(len(value) < 1100 and value.startswith(r"\x1bxx") for value in settings.values())


def test_kernel_txt_of_a_host_is_read_in_time_and_its_problems_are_bounded(pi: Path) -> None:
    (pi / "kernel.txt").write_bytes(b"".join(b"[x%d]\n\xff\n" % number for number in range(400)))
    began = time.monotonic()
    problems = _problems(pi, EXPECTED_PI)
    assert time.monotonic() - began < 5
    assert len(problems) == 50
    assert all(len(text) < 400 for dummy, text in problems)


def test_initramfs_that_takes_too_long_is_not_judged(tree: Path) -> None:
    os.truncate(tree / "initrd.img-6.1", 2**43)
    evidence, initramfs_read = tree_evidence(str(tree.parent), EXPECTED_PC, TFTP, 0.2)
    assert (evidence["problems"], initramfs_read) == ([], False)
