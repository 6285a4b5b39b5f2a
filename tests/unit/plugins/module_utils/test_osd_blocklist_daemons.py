# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a cluster's daemons, and what would hit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import parse_address
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_daemons import (
    Daemon,
    hit_daemons,
    monitor_ips,
    own_daemons,
    parse_daemons,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

ALL = ["mds.a (127.0.0.1)", "mgr.a (127.0.0.1)", "mon.a (127.0.0.1)", "osd.0 (127.0.0.1)"]


def daemons(recorded: Callable[..., Any], release: str = "16") -> tuple[Daemon, ...]:
    dumps = ("mon_dump", "osd_dump", "fs_dump", "mgr_dump")
    return parse_daemons(*(recorded(f"blocklist_{name}", release) for name in dumps))


@pytest.mark.parametrize("release", RELEASES)
def test_all_daemons_of_every_release(recorded: Callable[..., Any], release: str) -> None:
    found = daemons(recorded, release)
    assert hit_daemons(parse_address("127.0.0.1"), found) == ALL
    # A client of each protocol version and, of an OSD, of each network.
    assert [daemon.name for daemon in found].count("osd.0") == 4
    assert monitor_ips(recorded("blocklist_mon_dump", release)) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("address", "hit"),
    [
        ("127.0.0.0/8", ALL),
        ("0.0.0.0/0", ALL),
        ("127.0.0.1:6789/0", ["mon.a (127.0.0.1)"]),
        ("127.0.0.1:0/6789", []),
        ("127.0.0.2", []),
        ("10.0.0.0/8", []),
        ("::/0", []),
    ],
)
def test_what_hits_them(recorded: Callable[..., Any], address: str, hit: list[str]) -> None:
    assert hit_daemons(parse_address(address), daemons(recorded)) == hit


def test_standby_mds_counts_and_daemon_without_address_does_not(recorded: Callable[..., Any]) -> None:
    def at(address: str) -> dict[str, Any]:
        return {"addrvec": [{"type": "v2", "addr": address, "nonce": 7}]}

    fs_dump = {"filesystems": [], "standbys": [{"name": "b", "addrs": at("10.0.0.9:6800")}]}
    osd_dump = {"osds": [{"osd": 1, "public_addrs": at("0.0.0.0:0"), "cluster_addrs": {"addrvec": []}}]}
    mgr_dump = {"active_name": "", "active_addrs": {"addrvec": [{"type": "none", "addr": ":/0", "nonce": 0}]}}
    found = parse_daemons(recorded("blocklist_mon_dump"), osd_dump, fs_dump, mgr_dump)
    assert hit_daemons(parse_address("0.0.0.0/0"), found) == ["mds.b (10.0.0.9)", "mon.a (127.0.0.1)"]


def test_own_host_is_one_of_them() -> None:
    assert hit_daemons(parse_address("10.0.0.0/24"), own_daemons(["10.0.0.4", "fd00::4"])) == [
        "the host of this task's commands (10.0.0.4)"
    ]
