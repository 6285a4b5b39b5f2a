# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CephFS clients in debugfs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import parse_client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client_reader import missing, read_clients

from .cephfs_fixture import FSID, clients


def test_client_that_works_and_those_of_rbd_left_out() -> None:
    (client,) = clients("6.1/healthy")
    assert (client.client, client.fsid, client.user) == ("client.4137", FSID, "web1")
    assert (client.address, client.blocklisted) == ("10.77.0.11:0/2284328471", False)
    assert (client.sessions, client.monitors) == (((0, "open"),), frozenset({"10.77.0.2:6789"}))
    assert (client.session_timeout, client.session_autoclose) == (60, 300)
    assert (client.mds_requests, client.osd_requests, client.homeless) == (0, 0, 0)
    assert (client.caps, client.caps_waiters, client.unread) == (2, 0, ())


def test_kernel_before_5_11_does_not_say_address_and_blocklisting() -> None:
    (client,) = clients("5.10/rejected")
    assert (client.client, client.address, client.blocklisted) == ("client.4137", None, None)
    assert client.session_states() == {"rejected"}


def test_what_waits_is_counted() -> None:
    (client,) = clients("6.1/stuck")
    assert (client.mds_requests, client.osd_requests, client.caps, client.caps_waiters) == (2, 1, 2, 1)
    assert client.address == "[fd00:77::11]:0/11"


@pytest.mark.parametrize("word", ["blocklisted", "blacklisted"])
def test_either_spelling(word: str) -> None:
    status = f"instance: client.9 10.0.0.1:0/7\n{word}: true\n"
    client = parse_client(f"{FSID}.client9", {"status": status})
    assert (client.blocklisted, client.address, client.sessions) == (True, "10.0.0.1:0/7", None)


def test_client_that_got_another_id_since() -> None:
    client = parse_client(f"{FSID}.client9", {"mds_sessions": 'global_id 12\nname "web1"\n'})
    assert (client.client, client.directory, client.sessions) == ("client.12", f"{FSID}.client9", ())


def test_file_whose_lock_is_held_does_not_keep_the_reader_and_the_others_are_read(tmp_path: Path) -> None:
    """A named pipe without a writer waits as the mutex of the client does."""
    directory = tmp_path / "ceph" / f"{FSID}.client{os.getpid()}"
    directory.mkdir(parents=True)
    (directory / "status").write_text("instance: client.9 (1)10.0.0.1:0/7\nblocklisted: false\n", encoding="ascii")
    os.mkfifo(directory / "mds_sessions")
    began = time.monotonic()
    (client,) = read_clients(1, str(tmp_path))
    assert time.monotonic() - began < 5
    assert (client.address, client.sessions, client.unread) == ("10.0.0.1:0/7", None, ("mds_sessions",))


def test_why_nothing_can_be_read(tmp_path: Path) -> None:
    assert read_clients(1, str(tmp_path)) == []
    assert "mount -t debugfs" in (missing(str(tmp_path)) or "")
    (tmp_path / "bdi").mkdir()
    assert missing(str(tmp_path)) is None
