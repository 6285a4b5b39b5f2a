# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a client and its evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_state import STATES, judge
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import Probe, Step
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import Mount
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import parse_file
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import find_incidents

from .cephfs_fixture import FIXTURES, FSID, clients

WORKS = Probe(
    (Step("statfs", None, 0.001), Step("stat", None, 0.0), Step("mds", None, 0.002), Step("read", None, 0.0, False))
)
STICKS = Probe((Step("statfs", None, 0.001),), "stat", 4711, "D", left_behind=True)


def fails(error: str) -> Probe:
    return Probe((Step("statfs", None, 0.001), Step("stat", error, 0.001)))


def having(*states: str, **more: Any) -> Client:
    return Client("client.4137", f"{FSID}.client4137", FSID, sessions=tuple(enumerate(states)), **more)


def log(*lines: str) -> list[dict[str, Any]]:
    parsed = parse_file("\n".join(lines), datetime(2026, 11, 21, tzinfo=UTC))
    return find_incidents(parsed, [Mount("/srv/web", None, frozenset())])


STALE, CAME_BACK = (
    log("[ 1.0] ceph: mds0 caps stale"),
    log("[ 1.0] ceph: mds0 caps stale", "[ 2.0] ceph: mds0 caps renewed"),
)
BLOCKED = log("[ 1.0] ceph: mds0 session blocklisted")


@pytest.mark.parametrize(
    ("client", "probe", "findings", "state"),
    [
        (having("open"), WORKS, [], "healthy"),
        (having("open"), WORKS, STALE, "healthy"),
        (having("open", blocklisted=False), None, [], "unknown"),
        (having("rejected", blocklisted=True), STICKS, [], "blocklisted"),
        (having("open", blocklisted=True), None, [], "blocklisted"),
        (having("open"), fails("ESHUTDOWN"), [], "blocklisted"),
        (having("rejected"), fails("EACCES"), BLOCKED, "blocklisted"),
        (having("rejected"), fails("EACCES"), [], "rejected"),
        (having("rejected"), STICKS, [], "rejected"),
        (having(), fails("EACCES"), [], "rejected"),
        (having("open"), fails("EACCES"), [], "failed"),
        (having("open"), fails("EIO"), [], "failed"),
        (having("open"), STICKS, [], "stuck"),
        (having("hung"), STICKS, STALE, "stuck"),
        (having("hung"), None, [], "stale"),
        (having("open", "reconnecting"), None, [], "stale"),
        (having("open"), None, STALE, "stale"),
        (having("open"), None, CAME_BACK, "unknown"),
    ],
)
def test_state(client: Client, probe: Probe | None, findings: list[dict[str, Any]], state: str) -> None:
    assert judge([client], probe, findings)[0] == state
    assert state in STATES


def test_sessions_that_could_not_be_read_prove_nothing() -> None:
    client = Client("client.4137", f"{FSID}.client4137", FSID, unread=("mds_sessions",))
    assert judge([client], fails("EACCES"), [])[0] == "failed"


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        (having("rejected", blocklisted=True), having("rejected", blocklisted=True), "blocklisted"),
        (having("rejected", blocklisted=True), having("open", blocklisted=False), "unknown"),
        (having("rejected"), having("open"), "unknown"),
    ],
)
def test_of_a_client_that_may_be_one_of_several_counts_what_holds_for_all(
    one: Client, other: Client, state: str
) -> None:
    assert judge([one, other], None, [])[0] == state


def test_without_any_client_the_probe_decides() -> None:
    assert judge([], STICKS, []) == (
        "stuck",
        [
            "stat did not end in time (process 4711 was in state D, and is left behind)",
            "debugfs shows no client for it",
        ],
    )
    assert judge([], WORKS, [])[0] == "healthy"


def test_evidence_of_the_incident() -> None:
    text = (FIXTURES / "6.1/blocklisted/kernel.log").read_text(encoding="utf-8")
    state, evidence = judge(clients("6.1/blocklisted"), fails("EACCES"), log(*text.splitlines()))
    assert state == "blocklisted"
    assert evidence[:-1] == [
        "stat: EACCES",
        "client.4137: blocklisted: yes, session with mds.0 is rejected",
        "kernel log, once 312 s after boot: ceph: mds0 caps stale",
        "kernel log, once 642 s after boot: ceph: mds0 reconnect denied",
        "kernel log, once 653 s after boot: ceph: mds0 rejected session",
    ]
    assert "null i_snap_realm" in evidence[-1]


def test_evidence_of_one_that_waits() -> None:
    _state, evidence = judge(clients("6.1/stuck"), STICKS, [])
    assert evidence[1] == (
        "client.4201: blocklisted: no, session with mds.0 is hung, MDS requests under way: 2, "
        "OSD requests under way: 1, processes that wait for caps: 1"
    )


def test_what_was_logged_before_is_no_evidence_of_one_that_works() -> None:
    assert judge([having("open")], WORKS, BLOCKED) == (
        "healthy",
        ["answers: statfs, stat, mds", "client.4137: session with mds.0 is open"],
    )
