# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is, by its own account: ``ceph status``, the flags of the OSD map, and who of the monitors is there."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import parse_mon_dump

# Since Luminous (12) Ceph sets these for a pool and not for all of the map.
_POOL_FLAGS = {"full", "full_quota", "backfillfull", "nearfull", "eio"}
_NOT_IN_PLACE = ("degraded_objects", "misplaced_objects", "unfound_objects", "recovering_objects_per_sec")
_BEING_REPAIRED = ("recover", "backfill", "degraded")


def health_checks(status: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the health checks of ``ceph status -f json``, errors first; without those that somebody has muted.

    Ceph itself leaves those out when it says whether it is healthy.
    """
    checks = [
        {"code": code, "severity": check["severity"], "summary": check["summary"]["message"]}
        for code, check in status["health"]["checks"].items()
        if not check.get("muted", False)
    ]
    return sorted(checks, key=lambda check: (check["severity"], check["code"]))


def recovering(status: Mapping[str, Any]) -> bool | None:
    """Tell whether objects are degraded, not where they belong or on their way; None if no placement group is known.

    A counter that is 0 is left out of the answer.
    """
    pgmap = status["pgmap"]
    if not pgmap.get("num_pgs"):
        return None
    words = {word for state in pgmap["pgs_by_state"] for word in state["state_name"].split("+")}
    return any(pgmap.get(counter) for counter in _NOT_IN_PLACE) or any(
        word.startswith(_BEING_REPAIRED) for word in words
    )


def map_flags(osd_dump: Mapping[str, Any], pools: Iterable[str]) -> list[str]:
    """Return the flags of the OSD map, and those of these pools that say how full they are or that they answer EIO."""
    wanted = set(pools)
    flags = set(osd_dump["flags"].split(","))
    for pool in osd_dump["pools"]:
        if pool["pool_name"] in wanted:
            flags |= _POOL_FLAGS.intersection(pool["flags_names"].split(","))
    return sorted(flags - {""})


def monitors(mon_dump: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the monitors with their addresses, and whether each is in the quorum, from ``ceph mon dump -f json``."""
    quorum = {mon["name"] for mon in mon_dump["mons"] if mon["rank"] in mon_dump["quorum"]}
    return [{**monitor.as_dict(), "in_quorum": monitor.name in quorum} for monitor in parse_mon_dump(mon_dump).monitors]
