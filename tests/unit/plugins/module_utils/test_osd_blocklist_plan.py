# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for entries of the blocklist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_daemons import own_daemons
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_plan import (
    BlocklistPlan,
    WantedEntry,
    danger_problems,
    expected,
    fence_warnings,
    parse_wanted,
    plan_blocklist,
    plan_clear,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def wanted(address: str, extend: bool = False, min_remaining: str | None = None, **item: str) -> WantedEntry:
    defaults = {"state": "present", "expire": "1h", "instances": "all"}
    return parse_wanted({"address": address, **defaults, **item}, extend, min_remaining)


def blocklist(*addresses: str, seconds_left: int = 600) -> Blocklist:
    until = (NOW + timedelta(seconds=seconds_left)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    ranges = {address: until for address in addresses if address.startswith("cidr:")}
    return parse_blocklist({
        "blocklist": {address: until for address in addresses if address not in ranges},
        "range_blocklist": ranges,
    })  # fmt: skip


def commands(plan: BlocklistPlan, release: int = 16) -> list[str]:
    dialect = Dialect(release)
    return [" ".join(command.args) for command in (*plan.removals(dialect), *plan.additions(dialect))]


@pytest.mark.parametrize(
    ("found", "item", "run"),
    [
        ([], wanted("10.0.0.1"), ["osd blocklist add 10.0.0.1:0/0 3600"]),
        (["10.0.0.1:0/5"], wanted("10.0.0.1"), ["osd blocklist add 10.0.0.1:0/0 3600"]),
        (["10.0.0.1:0/0"], wanted("10.0.0.1", expire="2h"), []),
        (["10.0.0.1:0/0"], wanted("10.0.0.1:0/5"), ["osd blocklist add 10.0.0.1:0/5 3600"]),
        ([], wanted("10.7.0.0/16", expire="60"), ["osd blocklist range add 10.7.0.0/16 60"]),
        (["cidr:10.7.0.0:0/16"], wanted("10.7.0.0/16"), []),
        (["cidr:10.7.1.2:0/16"], wanted("10.7.0.0/16"), []),
        (["cidr:10.7.0.0:0/16"], wanted("10.7.0.0/17"), ["osd blocklist range add 10.7.0.0/17 3600"]),
        ([], wanted("10.0.0.1", state="absent"), []),
        (["10.0.0.1:0/5"], wanted("10.0.0.1:0/5", state="absent"), ["osd blocklist rm 10.0.0.1:0/5"]),
        (
            ["10.0.0.1:0/0", "10.0.0.1:0/5", "10.0.0.10:0/5", "cidr:10.0.0.0:0/24"],
            wanted("10.0.0.1", state="absent"),
            ["osd blocklist rm 10.0.0.1:0/0", "osd blocklist rm 10.0.0.1:0/5"],
        ),
        (
            ["10.0.0.1:0/0", "10.0.0.1:0/5"],
            wanted("10.0.0.1", state="absent", instances="exact"),
            ["osd blocklist rm 10.0.0.1:0/0"],
        ),
        (
            ["10.0.0.1:0/0", "10.0.0.1:0/5"],
            wanted("10.0.0.1:0/0", state="absent"),
            ["osd blocklist rm 10.0.0.1:0/0"],
        ),
        (["cidr:10.7.1.2:0/16"], wanted("10.7.0.0/16", state="absent"), ["osd blocklist range rm 10.7.1.2/16"]),
        (["10.7.0.0:0/16"], wanted("10.7.0.0/16", state="absent"), []),
    ],
)
def test_commands(found: list[str], item: WantedEntry, run: list[str]) -> None:
    plan = plan_blocklist(blocklist(*found), [item], 16, NOW)
    assert commands(plan) == run
    assert plan.changed is bool(run)
    assert (plan.before != plan.after) is bool(run)
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("seconds_left", "item", "release", "renewed"),
    [
        (1799, wanted("10.0.0.1:0/5", extend=True), 16, True),
        (1800, wanted("10.0.0.1:0/5", extend=True), 16, False),
        (299, wanted("10.0.0.1:0/5", min_remaining="5m"), 16, True),
        (300, wanted("10.0.0.1:0/5", min_remaining="5m"), 16, False),
        (1, wanted("10.0.0.1:0/5"), 16, False),
        # Ended, though still listed.
        (-1, wanted("10.0.0.1:0/5"), 16, True),
        # Without a zone, a time in the past may be one in the future.
        (-1, wanted("10.0.0.1:0/5"), 14, False),
        (-1, wanted("10.0.0.1:0/5", extend=True), 14, True),
    ],
)
def test_entry_with_too_little_time_left_is_renewed(
    seconds_left: int, item: WantedEntry, release: int, renewed: bool
) -> None:
    plan = plan_blocklist(blocklist("10.0.0.1:0/5", seconds_left=seconds_left), [item], release, NOW)
    word = Dialect(release).word
    both = [f"osd {word} rm 10.0.0.1:0/5", f"osd {word} add 10.0.0.1:0/5 3600"]
    assert commands(plan, release) == (both if renewed else [])
    assert (plan.new, plan.removed) == ([], ())
    assert plan.before == {"10.0.0.1:0/5": "client, about to expire" if renewed else "client"}
    assert plan.after == {"10.0.0.1:0/5": "client"}


@pytest.mark.parametrize(
    ("address", "options", "problem"),
    [
        ("10.8.0.5/16", {}, "the range is 10.8.0.0/16, the instance with that nonce is 10.8.0.5:0/16"),
        ("10.0.0.1", {"expire": "soon"}, "'10.0.0.1': expire and min_remaining: 'soon': expected seconds or a"),
        ("10.0.0.1", {"min_remaining": "1h"}, "'10.0.0.1': min_remaining (3600 s) has to be less than expire (3600 s)"),
    ],
)
def test_what_cannot_be_meant_is_refused(address: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        wanted(address, **options)
    assert problem in str(refused.value)


def test_items_that_contradict_each_other_are_refused() -> None:
    items = [
        wanted("10.0.0.1:0/5"),
        wanted("10.0.0.1", state="absent"),
        wanted("10.0.0.2"),
        wanted("10.0.0.2:0/0", expire="2h"),
    ]
    assert plan_blocklist(blocklist(), items, 16, NOW).problems == (
        "10.0.0.1:0/5 is to be present, and by 10.0.0.1 to be absent",
        "10.0.0.2:0/0 is named twice, to expire in 3600 and in 7200 s",
    )


def test_entry_named_twice_is_added_once() -> None:
    plan = plan_blocklist(blocklist(), [wanted("10.0.0.2"), wanted("10.0.0.2:0/0")], 16, NOW)
    assert commands(plan) == ["osd blocklist add 10.0.0.2:0/0 3600"]


def test_release_without_ranges() -> None:
    assert plan_blocklist(blocklist(), [wanted("10.7.0.0/16"), wanted("10.0.0.1")], 14, NOW).problems == (
        "10.7.0.0/16 is a range, which the blocklist of Ceph 14 does not have (it came with 16): name the hosts one by "
        "one",
    )


def test_clearing_removes_each_entry_as_it_is_written() -> None:
    plan = plan_clear(blocklist("10.0.0.1:0/0", "[fd00::1]:0/7", "cidr:10.7.1.2:0/16"))
    assert commands(plan) == [
        "osd blocklist rm 10.0.0.1:0/0",
        "osd blocklist rm [fd00::1]:0/7",
        "osd blocklist range rm 10.7.1.2/16",
    ]
    assert plan.after == {}


def test_own_host_and_daemons_are_in_danger_of_what_covers_them() -> None:
    daemons = own_daemons(["10.0.0.4"])
    problems = danger_problems([wanted("10.0.0.0/24"), wanted("10.0.0.4"), wanted("10.0.0.5")], daemons)
    assert [problem.partition(" covers ")[0] for problem in problems] == ["10.0.0.0/24", "10.0.0.4"]
    assert problems[1] == (
        "10.0.0.4 covers the host of this task's commands (10.0.0.4): the cluster would cut itself off; choose a "
        "narrower address, or set force=true if that is meant"
    )


@pytest.mark.parametrize(
    ("address", "endangers"),
    [("10.0.0.4", True), ("10.0.0.0/24", True), ("10.0.0.4:6789/0", True), ("10.0.0.4:0/5", False)],
)
def test_instance_of_a_client_endangers_nobody(address: str, endangers: bool) -> None:
    assert wanted(address).endangers is endangers


def test_fence_that_stays_is_said_and_one_that_goes_is_not() -> None:
    found = blocklist("10.0.0.1:0/0", "10.0.0.1:0/5", "cidr:10.0.0.0:0/24")
    items = [wanted("10.0.0.1", state="absent")]
    plan = plan_blocklist(found, items, 16, NOW)
    assert fence_warnings(plan, items, expected(found, plan, NOW)) == [
        "10.0.0.1 is still blocked, by 10.0.0.0/24 (range), which is not to be removed"
    ]
    items = [wanted("10.0.0.0/28", state="absent")]
    plan = plan_blocklist(found, items, 16, NOW)
    assert fence_warnings(plan, items, expected(found, plan, NOW)) == [
        "10.0.0.0/28 is still blocked, by 10.0.0.0/24 (range), which is not to be removed"
    ]


def test_new_fence_is_said() -> None:
    items = [wanted("10.0.0.1"), wanted("10.0.0.2:0/5")]
    plan = plan_blocklist(blocklist(), items, 16, NOW)
    assert fence_warnings(plan, items, expected(blocklist(), plan, NOW)) == [
        "10.0.0.1 is a fence for a whole host: every client there is shut out, also one that starts later, until it is "
        "removed or expires"
    ]


def test_networks_of_two_ip_versions_are_strangers() -> None:
    assert not wanted("fd00::/64").hit_by(blocklist("cidr:0.0.0.0:0/0").entries[0])


def test_what_the_cluster_does_not_show_is_reported() -> None:
    found = blocklist("10.0.0.1:0/5")
    plan = plan_blocklist(found, [wanted("10.0.0.1:0/5", state="absent"), wanted("10.0.0.2")], 16, NOW)
    assert plan.unproven(found) == ["10.0.0.2:0/0 is not listed", "10.0.0.1:0/5 is still listed"]
    assert plan.unproven(expected(found, plan, NOW)) == []
