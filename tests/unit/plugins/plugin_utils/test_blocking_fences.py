# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries of the blocklist may go so that a host can boot."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.plugin_utils._blocking_fences import blocking_fences, parse_ranges

UNTIL = "2026-11-22T14:24:22Z"


def entry(address: str, kind: str, *hosts: str) -> dict[str, Any]:
    return {"address": address, "kind": kind, "until": UNTIL, "hosts": list(hosts)}


DEAD = entry("10.77.0.11:0/123", "client", "udoo1")
HOST = entry("10.77.0.11:0/0", "host", "udoo1")
OTHER_HOST = entry("10.77.0.12:0/0", "host", "udoo2")
ALONE = entry("10.77.0.11/32", "range", "udoo1")
RACK = entry("10.77.0.0/24", "range", "udoo1", "udoo2")
ELSEWHERE = entry("10.78.0.0/24", "range")
IPV6 = entry("fd00::/64", "range")


def fences(*entries: dict[str, Any], lift_ranges: tuple[str, ...] = (), option: str = "x") -> dict[str, Any]:
    found = blocking_fences("udoo1", "10.77.0.11", entries, parse_ranges(lift_ranges), option)
    return {"lift": found.lift, "problems": found.problems}


def test_fence_of_the_host_itself_is_lifted() -> None:
    assert fences(HOST) == {"lift": ["10.77.0.11:0/0"], "problems": []}


def test_entry_of_a_former_self_stays() -> None:
    """It keeps a client that everybody believes dead from writing once more."""
    assert fences(DEAD) == {"lift": [], "problems": []}


@pytest.mark.parametrize("other", [OTHER_HOST, ELSEWHERE, IPV6])
def test_entry_that_does_not_hit_the_host_stays(other: dict[str, Any]) -> None:
    assert fences(other, lift_ranges=("10.78.0.0/24", "fd00::/64")) == {"lift": [], "problems": []}


def test_range_of_this_one_address_is_lifted() -> None:
    assert fences(ALONE) == {"lift": ["10.77.0.11/32"], "problems": []}


def test_range_that_hits_others_is_named_and_stays() -> None:
    assert fences(RACK, HOST, option="recover_host_lift_ranges") == {
        "lift": ["10.77.0.11:0/0"],
        "problems": [
            "udoo1 is shut out by range 10.77.0.0/24 of the blocklist until 2026-11-22T14:24:22Z, and so are udoo2"
            " and all other addresses in it; if all of them may come back, lift it with"
            " recover_host_lift_ranges=10.77.0.0/24"
        ],
    }


def test_range_that_hits_nobody_known_may_hit_somebody_unknown() -> None:
    (problem,) = fences(entry("10.77.0.8/29", "range", "udoo1"))["problems"]
    assert "and so are all other addresses in it" in problem


def test_range_is_lifted_when_it_is_named() -> None:
    assert fences(RACK, lift_ranges=("10.99.0.0/24", "10.77.0.0/24")) == {"lift": ["10.77.0.0/24"], "problems": []}


def test_range_is_removed_by_the_name_that_ceph_has_for_it() -> None:
    typed = entry("10.77.0.5/24", "range", "udoo1", "udoo2")
    assert fences(typed, lift_ranges=("10.77.0.0/24",))["lift"] == ["10.77.0.5/24"]


def test_another_range_that_was_named_lifts_nothing() -> None:
    found = fences(RACK, lift_ranges=("10.77.0.0/16",))
    assert (found["lift"], len(found["problems"])) == ([], 1)


def test_everything_that_is_no_range_is_told() -> None:
    with pytest.raises(ValueError, match=r"^range 'all': expected a network .*; range '10\.77\.0\.5/24': expected"):
        parse_ranges(("all", "10.77.0.0/24", "10.77.0.5/24"))
