# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cpio archives of strangers."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._newc import NewcError, members
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

ARCHIVE = newc([Entry("etc", 0o755), Entry("etc/a", 0o600, b"12345"), Entry("etc/b", 0o600, b"")])


def test_what_the_controller_writes_is_read_back() -> None:
    assert list(members(ARCHIVE)) == [("etc", b""), ("etc/a", b"12345"), ("etc/b", b"")]


def test_every_beginning_of_an_archive_is_known_to_be_one() -> None:
    whole = ARCHIVE.index(b"TRAILER!!!") + 14  # with the zero that ends the name, up to a multiple of 4
    for size in range(whole):
        with pytest.raises(NewcError, match=r"^it is (no cpio archive in the newc format|not complete)$"):
            list(members(ARCHIVE[:size]))
    assert len(list(members(ARCHIVE[:whole]))) == 3


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"not an archive",
        ARCHIVE.replace(b"070701", b"070707"),  # the old portable format
        b"070701" + b"F" * 104 + b"name\0",  # larger than anything
        b"070701" + b"0" * 104 + b"name\0" * 100,  # a name of no bytes
        b"070701" + b"-1234567" * 13 + b"name\0",
    ],
)
def test_what_is_none_is_refused(archive: bytes) -> None:
    with pytest.raises(NewcError):
        list(members(archive))


def test_name_may_be_anything() -> None:
    assert [name for name, dummy in members(ARCHIVE.replace(b"etc/a", b"\xff\x1b/\n!"))][1] == "\ufffd\x1b/\n!"
