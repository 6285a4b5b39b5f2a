# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to evict, and what became of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import Session
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_blocklisting import option_name, parse_value
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_eviction import (
    Outcome,
    Target,
    announce,
    diff,
    evict_commands,
    objections,
    outcomes,
    plan_evictions,
    report,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import Selection
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist

ONE = Session(
    client_id=4152,
    address="10.0.0.11:0/2284328471",
    hostname="pi3",
    entity="client.web1",
    kind="fuse",
    kernel_version=None,
    ceph_version="16.2.15",
    root="/",
    mount_point="/mnt",
    pid=7,
    state="stale",
    uptime_seconds=100.0,
    caps=2,
    requests_in_flight=0,
    features=None,
    file_system="cephfs",
    rank=0,
    mds="a",
)
OTHER_RANK = replace(ONE, rank=1, mds="b")
TWO = replace(ONE, client_id=4170, address="10.0.0.12:0/5", hostname="pi4", state="open")
TARGET = Target((ONE, OTHER_RANK), blocklist_on_evict=True)
OPTION = "mds_session_blocklist_on_evict"
NOTHING = parse_blocklist({"blocklist": {}})
ENTRY = parse_blocklist({"blocklist": {ONE.address: "2026-11-21T14:04:42.684690+0000"}})


def test_client_is_evicted_from_every_rank() -> None:
    targets = plan_evictions([ONE, TWO, OTHER_RANK], Selection(client_ids=(4152,)), {"a": False, "b": True})
    assert targets == [TARGET]
    assert [command.args for command in evict_commands(targets)] == [
        ("tell", "mds.a", "client", "evict", "id=4152"),
        ("tell", "mds.b", "client", "evict", "id=4152"),
    ]


def test_manager_on_the_same_host_stays() -> None:
    manager = replace(ONE, client_id=4100, entity="mgr.a")
    targets = plan_evictions([manager, ONE], Selection(hostnames=("pi3",)), {"a": True})
    assert [target.client for target in targets] == [ONE]


def test_dead_clients_may_be_evicted() -> None:
    assert objections([TARGET], None, force=False) == []


def test_living_client_needs_force() -> None:
    targets = [TARGET, Target((TWO,), True)]
    assert objections(targets, None, force=True) == []
    assert objections(targets, None, force=False) == [
        "client.4170 10.0.0.12:0/5 (client.web1 on pi4) has an open session with rank 0 of cephfs: it was renewed "
        "within session_timeout, so the client is alive, and an eviction loses what it has not written yet; unmount "
        "there, narrow down with states=stale, or set force=true"
    ]


def test_more_clients_than_meant() -> None:
    targets = [TARGET, Target((replace(TWO, state="stale"),), True)]
    assert objections(targets, 2, force=False) == []
    assert objections(targets, 1, force=True) == [
        "2 clients match, max_clients is 1: client.4152 10.0.0.11:0/2284328471 (client.web1 on pi3), "
        "client.4170 10.0.0.12:0/5 (client.web1 on pi4); select fewer, or raise max_clients"
    ]


def test_session_that_goes_on_was_not_evicted() -> None:
    older = replace(OTHER_RANK, uptime_seconds=101.0)
    assert outcomes([TARGET], [older, TWO]) == [Outcome(TARGET, remaining=(older,), reopened=())]


def test_younger_session_of_the_same_client_is_a_new_one() -> None:
    younger = replace(ONE, uptime_seconds=0.2)
    assert outcomes([TARGET], [younger]) == [Outcome(TARGET, remaining=(), reopened=(younger,))]


def test_diff_tells_sessions_and_blocklist() -> None:
    before = {"entity": "client.web1", "hostname": "pi3", "ranks": ["cephfs:0", "cephfs:1"], "blocklisted": False}
    assert diff([TARGET]) == {
        "before": {ONE.instance: before},
        "after": {ONE.instance: {**before, "ranks": [], "blocklisted": True}},
    }
    assert diff([]) == {"before": {}, "after": {}}


def test_check_mode_says_what_will_become_of_the_client() -> None:
    assert announce(TARGET)["explanation"] == "would be evicted, and blocklisted"
    assert announce(replace(TARGET, blocklist_on_evict=False))["explanation"] == "would be evicted, and not blocklisted"
    assert announce(TARGET)["evicted"] is False


@pytest.mark.parametrize(
    ("configured", "blocklist", "reopened", "explanation"),
    [
        (True, ENTRY, (), f"blocklisted, {OPTION} is true: its calls fail until it mounts anew"),
        (False, ENTRY, (), f"blocklisted by an entry that the eviction did not make, {OPTION} is false"),
        (
            False,
            NOTHING,
            (),
            f"not blocklisted, {OPTION} is false: a client that does not reconnect by itself hangs until it mounts "
            "anew",
        ),
        (
            False,
            NOTHING,
            (ONE,),
            f"not blocklisted, {OPTION} is false; it opened a new session by itself (client_reconnect_stale)",
        ),
        (True, NOTHING, (), f"not blocklisted, although {OPTION} was true before: see the log of the MDS"),
    ],
)
def test_report_says_why(configured: bool, blocklist: Any, reopened: Any, explanation: str) -> None:
    said = report(Outcome(replace(TARGET, blocklist_on_evict=configured), (), reopened), blocklist, OPTION)
    assert said["explanation"] == explanation
    assert (said["evicted"], said["reopened"]) == (True, bool(reopened))
    assert said["blocklisted"] == (blocklist is ENTRY)


def test_report_has_the_entry() -> None:
    assert report(Outcome(TARGET, (), ()), ENTRY, OPTION)["blocklist_entries"] == [
        {"address": ONE.address, "kind": "client", "until": "2026-11-21T14:04:42Z"}
    ]


@pytest.mark.parametrize("answer", [True, "true", {OPTION: "true"}])
def test_option_in_effect(answer: Any) -> None:
    assert parse_value(answer, OPTION) is True


@pytest.mark.parametrize("answer", [False, "false", {OPTION: "false"}])
def test_option_not_in_effect(answer: Any) -> None:
    assert parse_value(answer, OPTION) is False


def test_option_has_the_name_of_the_release() -> None:
    assert [option_name(Dialect(release)) for release in (14, 16)] == ["mds_session_blacklist_on_evict", OPTION]
