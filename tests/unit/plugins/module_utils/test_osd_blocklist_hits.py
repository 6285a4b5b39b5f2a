# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom an entry hits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_hits import (
    describe_entry,
    parse_host,
    parse_session,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
HOSTS = [parse_host({"name": f"pi{number}", "address": f"10.0.0.{number}/24"}) for number in (1, 2)]
SESSIONS = [
    parse_session({"inst": "client.4907 10.0.0.1:0/4137", "client_metadata": {"hostname": "pi1"}}),
    parse_session({"inst": "client.4908 v1:10.0.0.1:0/4138", "client_metadata": {}}),
    parse_session({"inst": "client.4909 10.0.0.2:0/1"}),
]


def described(address: str, until: str = "2026-11-21T13:00:00.500000+0000") -> dict[str, Any]:
    key = "range_blocklist" if address.startswith("cidr") else "blocklist"
    entry = parse_blocklist({"blocklist": {}, key: {address: until}}).entries[0]
    return describe_entry(entry, NOW, HOSTS, (), SESSIONS)


@pytest.mark.parametrize(
    ("address", "hosts", "clients"),
    [
        ("10.0.0.1:0/4137", ["pi1"], ["client.4907 (pi1)"]),
        ("10.0.0.1:0/1", ["pi1"], []),
        ("10.0.0.1:0/0", ["pi1"], ["client.4907 (pi1)", "client.4908"]),
        ("cidr:10.0.0.0:0/24", ["pi1", "pi2"], ["client.4907 (pi1)", "client.4908", "client.4909"]),
        ("cidr:[fd00::]:0/64", [], []),
    ],
)
def test_hosts_and_clients(address: str, hosts: list[str], clients: list[str]) -> None:
    entry = described(address)
    assert (entry["hosts"], entry["clients"], entry["daemons"]) == (hosts, clients, [])


def test_time_left_never_falls_below_nothing() -> None:
    assert described("10.0.0.1:0/1")["seconds_left"] == 3600
    assert described("10.0.0.1:0/1", "2026-11-21T11:00:00.000000+0000")["seconds_left"] == 0


def test_host_with_a_name_for_an_address_is_named() -> None:
    with pytest.raises(ValueError, match=r"host pi3: 'pi3.example.org' is no IP address"):
        parse_host({"name": "pi3", "address": "pi3.example.org"})
