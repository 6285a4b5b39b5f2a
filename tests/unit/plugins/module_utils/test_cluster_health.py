# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster says that it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cluster_health import (
    health_checks,
    map_flags,
    monitors,
    recovering,
)

from .conftest import RELEASES

Recorded = Callable[..., Any]


def pgmap(*states: str, **counters: float) -> dict[str, Any]:
    by_state = [{"state_name": state, "count": 8} for state in states]
    return {"pgmap": {"num_pgs": 8 * len(states), "pgs_by_state": by_state, **counters}}


def check(severity: str, message: str, **other: Any) -> dict[str, Any]:
    return {"severity": severity, "summary": {"message": message, "count": 1}, **other}


def test_checks_with_errors_first_and_without_what_is_muted() -> None:
    checks = {
        "OSDMAP_FLAGS": check("HEALTH_WARN", "noout flag(s) set"),  # as Ceph 14 has it
        "POOL_FULL": check("HEALTH_ERR", "1 pool(s) full", muted=False),
        "POOL_NO_REDUNDANCY": check("HEALTH_WARN", "1 pool(s) have no replicas configured", muted=True),
    }
    assert health_checks({"health": {"checks": checks}}) == [
        {"code": "POOL_FULL", "severity": "HEALTH_ERR", "summary": "1 pool(s) full"},
        {"code": "OSDMAP_FLAGS", "severity": "HEALTH_WARN", "summary": "noout flag(s) set"},
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (pgmap("active+clean"), False),
        (pgmap("active+clean", "active+clean+scrubbing+deep"), False),
        (pgmap("active+undersized"), False),
        (pgmap("active+clean", degraded_objects=1, degraded_total=3), True),
        (pgmap("active+clean+remapped", misplaced_objects=3), True),
        (pgmap("active+clean", recovering_objects_per_sec=2), True),
        (pgmap("active+clean", unfound_objects=1), True),
        (pgmap("active+clean", "active+recovery_wait"), True),
        (pgmap("active+remapped+backfilling"), True),
        (pgmap("active+undersized+degraded"), True),
        (pgmap(), None),
    ],
)
def test_whether_objects_are_on_their_way(status: dict[str, Any], expected: bool | None) -> None:
    assert recovering(status) is expected


@pytest.mark.parametrize("release", RELEASES)
def test_flags_of_the_map_and_of_the_hosts_pools(recorded: Recorded, release: str) -> None:
    dump = recorded("osd_dump", release)
    own = dump["flags_set"]
    assert map_flags(dump, {"diskless"}) == own
    for pool in dump["pools"]:
        flag = {"diskless": "full,full_quota", "cephfs_data": "nearfull"}.get(pool["pool_name"], "nodelete")
        pool["flags_names"] += f",{flag}"
    dump["flags"] += ",pauserd,pausewr"
    assert map_flags(dump, {"diskless", "absent"}) == sorted([*own, "full", "full_quota", "pauserd", "pausewr"])


@pytest.mark.parametrize("release", RELEASES)
def test_monitor_outside_of_the_quorum(recorded: Recorded, release: str) -> None:
    dump = recorded("mon_dump", release)
    (mon,) = dump["mons"]
    dump["mons"] = [{**mon, "name": name, "rank": rank} for rank, name in enumerate("cab")]
    dump["quorum"] = [0, 2]
    assert [(found["name"], found["in_quorum"]) for found in monitors(dump)] == [("a", False), ("b", True), ("c", True)]
    assert monitors(dump)[0]["v2"] == "127.0.0.1:3300"
