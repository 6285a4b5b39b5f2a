# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory in which somebody else is root."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._hostile_directory import Entry, HostileDirectory


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    (tmp_path / "secret").write_text("key of another\n", encoding="utf-8")
    return made


@pytest.fixture
def directory(tree: Path) -> Iterator[HostileDirectory]:
    opened = HostileDirectory(str(tree))
    yield opened
    opened.close()


def test_regular_file_is_described_and_read_up_to_a_limit(tree: Path, directory: HostileDirectory) -> None:
    (tree / "file").write_bytes(b"0123456789")
    (tree / "file").chmod(0o640)
    assert directory.entry("file") == Entry("file", 10, 0o640, os.geteuid(), os.getegid())
    assert (directory.read("file", 4), directory.read("file", 100)) == (b"0123", b"0123456789")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".", "", "a\0b", "x" * 300, "sub/file"])
def test_name_that_leads_elsewhere_leads_nowhere(tree: Path, directory: HostileDirectory, name: str) -> None:
    (tree / "sub").mkdir()
    (tree / "sub" / "file").touch()
    assert directory.entry(name) is None
    with pytest.raises(OSError, match=r"too long|^$|\S"):
        directory.read(name, 10)


def test_links_and_what_is_no_file_are_named_and_never_opened(tree: Path, directory: HostileDirectory) -> None:
    (tree / "link").symlink_to("../secret")
    os.mkfifo(tree / "pipe")
    (tree / "sub").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "socket"))
        began = time.monotonic()
        for name, kind in (("link", "link"), ("pipe", "pipe"), ("sub", "directory"), ("socket", "socket")):
            entry = directory.entry(name)
            assert entry is not None and entry.kind == kind
            with pytest.raises(OSError, match="is not a regular file"):
                directory.read(name, 10)
    assert time.monotonic() - began < 1


@pytest.mark.skipif(os.geteuid() != 0, reason="devices belong to root")
def test_device_is_not_opened(tree: Path, directory: HostileDirectory) -> None:
    try:
        os.mknod(tree / "device", 0o020666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this machine lets nobody make devices")
    entry = directory.entry("device")
    assert entry is not None and entry.kind == "device"
    with pytest.raises(OSError, match="is not a regular file"):
        directory.read("device", 10)


def test_directory_itself_must_be_none_that_a_link_leads_to(tree: Path) -> None:
    (tree.parent / "link").symlink_to("tree")
    with pytest.raises(NotADirectoryError):
        HostileDirectory(str(tree.parent / "link"))


def test_names_are_no_more_than_asked_for(tree: Path, directory: HostileDirectory) -> None:
    for number in range(20):
        (tree / f"{number:02}").touch()
    assert len(directory.names(5)) == 5
    assert directory.names(100) == [f"{number:02}" for number in range(20)]


def test_file_that_somebody_holds_makes_nobody_wait(tree: Path, directory: HostileDirectory) -> None:
    """As the kernel's NFS server does for a client with a delegation: others who open it wait for up to 45 s."""
    (tree / "file").write_bytes(b"held")
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # so the kernel asks the holder to let go
    with (tree / "file").open("r+b") as holder:
        fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        began = time.monotonic()
        with pytest.raises(BlockingIOError):
            directory.read("file", 10)
        assert time.monotonic() - began < 1
        fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    signal.signal(signal.SIGIO, before)
    assert directory.read("file", 10) == b"held"
