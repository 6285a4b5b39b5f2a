# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions, from recorded answers of all releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import (
    Manager,
    Session,
    parse_manager,
    parse_sessions,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_ranks import MdsRank

RELEASES = ("14", "16", "18", "20")
RANK = MdsRank("cephfs", 0, "a", "up:active")


@pytest.fixture(params=RELEASES)
def sessions(request: pytest.FixtureRequest, recorded: Callable[..., Any]) -> list[Session]:
    """The recorded sessions of each release."""
    answer = recorded("sessions_client_ls", request.param)
    return parse_sessions(answer, RANK, parse_manager(recorded("blocklist_mgr_dump", request.param)))


def test_sessions_are_sorted_by_client(sessions: list[Session]) -> None:
    assert [session.client_id for session in sessions] == sorted(session.client_id for session in sessions)


def test_every_release_says_who_the_client_is(sessions: list[Session]) -> None:
    web1 = next(session for session in sessions if session.entity == "client.web1").as_dict()
    assert {
        key: web1[key]
        for key in ("kind", "kernel_version", "hostname", "root", "mount_point", "ip", "state", "caps", "rank", "mds")
    } == {
        "kind": "fuse",
        "kernel_version": None,
        "hostname": "ceph",
        "root": "/web1",
        "mount_point": "/mnt/web1",
        "ip": "127.0.0.1",
        "state": "open",
        "caps": 2,
        "rank": 0,
        "mds": "a",
    }
    assert web1["instance"] == f"client.{web1['client_id']} {web1['address']}"
    assert web1["pid"] > 0
    assert int(web1["features"], 16) & 0x1FFF == 0x1FFF
    assert web1["ceph_version"].partition(".")[0] in RELEASES


def test_manager_is_told_from_a_client_on_every_release(sessions: list[Session]) -> None:
    assert {(session.entity, session.kind, session.of_manager) for session in sessions} == {
        ("client.web1", "fuse", False),
        ("client.admin", "fuse", False),
        ("mgr.a", "libcephfs", True),
    }


def entry(**said: str) -> dict[str, Any]:
    return {
        "id": 4303,
        "entity": {"addr": {"type": "v1", "addr": "[fd00::13]:0", "nonce": 99}},
        "state": "stale",
        "num_caps": 7,
        "uptime": 12.9,
        "requests_in_flight": 1,
        "client_metadata": said,
    }


def test_kernel_client() -> None:
    answer = [entry(kernel_version="6.1.0", hostname="pi3", entity_id="pi3", root="/", features="0xff")]
    (session,) = parse_sessions(answer, RANK, Manager("pi3", frozenset(["fd00::13"])))
    assert (session.kind, session.kernel_version, session.ceph_version) == ("kernel", "6.1.0", None)
    assert (session.entity, session.pid, session.mount_point) == ("client.pi3", None, None)
    assert (session.instance, session.as_dict()["ip"]) == ("client.4303 [fd00::13]:0/99", "fd00::13")
    assert session.as_dict()["uptime_seconds"] == 12


def test_client_that_says_nothing_of_itself() -> None:
    (session,) = parse_sessions([entry()], RANK, Manager("a", frozenset()))
    assert (session.hostname, session.root, session.features, session.entity) == (None, None, None, "client.")
    assert str(session) == "client.4303 [fd00::13]:0/99 (client. on an unnamed host)"


def test_cephx_name_that_the_mds_knows_counts_more_than_what_the_client_says() -> None:
    answer = {**entry(entity_id="admin"), "auth_name": {"type": 8, "type_str": "client", "id": "web1"}}
    (session,) = parse_sessions([answer], RANK, Manager("a", frozenset()))
    assert session.entity == "client.web1"


def test_program_at_another_address_is_no_manager() -> None:
    (session,) = parse_sessions([entry(entity_id="a")], RANK, Manager("a", frozenset(["fd00::1"])))
    assert session.entity == "client.a"


def test_cluster_without_an_active_manager() -> None:
    assert parse_manager({"active_name": "", "active_addrs": {"addrvec": []}}) == Manager("", frozenset())
