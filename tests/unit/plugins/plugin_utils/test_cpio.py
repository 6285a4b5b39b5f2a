# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""newc archives, read back by programs that know the format."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

ENTRIES = [
    Entry("etc", 0o755),
    Entry("etc/diskless", 0o700),
    Entry("etc/diskless/key", 0o600, b"odd"),
    Entry("e", 0o644, b""),
]


def _members(archive: bytes) -> list[tuple[str, int, bytes]]:
    """Path, mode with file type, and content, as the kernel's init/initramfs.c parses them."""
    members: list[tuple[str, int, bytes]] = []
    position = 0
    while True:
        assert position % 4 == 0
        assert archive[position : position + 6] == b"070701"
        fields = [int(archive[position + at : position + at + 8], 16) for at in range(6, 110, 8)]
        mode, uid, gid, mtime, size, name_size = (fields[index] for index in (1, 2, 3, 5, 6, 11))
        name = archive[position + 110 : position + 110 + name_size]
        assert name.endswith(b"\0")
        if name == b"TRAILER!!!\0":
            return members
        assert (uid, gid, mtime) == (0, 0, 0)
        start = position + 110 + name_size
        start += -start % 4
        members.append((name[:-1].decode(), mode, archive[start : start + size]))
        position = start + size
        position += -position % 4


def test_members_have_type_mode_and_content() -> None:
    assert _members(newc(ENTRIES)) == [
        ("etc", 0o040755, b""),
        ("etc/diskless", 0o040700, b""),
        ("etc/diskless/key", 0o100600, b"odd"),
        ("e", 0o100644, b""),
    ]


def test_equal_entries_give_equal_bytes_in_whole_blocks() -> None:
    assert newc(ENTRIES) == newc(ENTRIES)
    assert len(newc(ENTRIES)) % 512 == 0


@pytest.mark.parametrize("command", [["cpio", "--list", "--quiet"], ["bsdtar", "-tf", "-"]])
def test_other_programs_list_the_same_members(command: list[str]) -> None:
    listed = subprocess.run(command, input=newc(ENTRIES), capture_output=True, check=True)
    assert [name.rstrip("/") for name in listed.stdout.decode().split()] == [entry.path for entry in ENTRIES]
