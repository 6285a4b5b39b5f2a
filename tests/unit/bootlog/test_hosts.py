# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bootlog.hosts import Host, HostsError, read_hosts, source_keys, source_text

UDOO = {"name": "udoo1", "address": "10.77.0.11", "mac": "52:54:00:77:00:0B", "serial": None, "board": "udoo_x86"}


def read(tmp_path: Path, hosts: Any) -> list[Host]:
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps(hosts), encoding="utf-8")
    return read_hosts(path)


def test_hosts_are_read(tmp_path: Path) -> None:
    hosts = read(tmp_path, [UDOO, {"name": "pi1", "address": "fd00::12/64", "serial": "89abcdef"}])
    assert hosts == [
        Host("udoo1", "10.77.0.11", "52:54:00:77:00:0b", None, "udoo_x86"),
        Host("pi1", "fd00::12", None, "89abcdef", None),
    ]


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    wrong = [
        *("udoo", {"name": "../etc"}, {"name": "a", "address": "10.0.0.300"}),
        *({"name": "b", "address": "10.0.0.2", "mac": "none", "board": 4}, UDOO, UDOO),
    ]
    with pytest.raises(HostsError) as error:
        read(tmp_path, wrong)
    told = str(error.value)
    for part in (
        "host 0",
        "'../etc'",
        "10.0.0.300",
        "b: mac 'none'",
        "b: board 4",
        "udoo1: address 10.77.0.11 is also",
    ):
        assert part in told
    assert all(str(tmp_path) in line for line in told.splitlines())


@pytest.mark.parametrize("content", ["", "{", "{}", "null", "[1, 2"])
def test_file_that_is_no_list_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(HostsError, match=r"hosts\.json"):
        read_hosts(path)


def test_sender_is_known_on_sockets_of_both_families() -> None:
    """An IPv6 socket sees an IPv4 sender as ::ffff:10.77.0.11."""
    keys = source_keys("10.77.0.11")
    assert [len(key) for key in keys] == [4, 16]
    assert {source_text(key) for key in keys} == {"10.77.0.11"}
    assert source_text(source_keys("fd00::12")[0]) == "fd00::12"
