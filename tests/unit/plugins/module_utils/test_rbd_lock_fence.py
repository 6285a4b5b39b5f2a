# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to keep the owner of a lock out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_fence import OwnerFence, latest_now, plan_fence

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INSTANCE = "10.0.0.1:0/123"


def fence(entries: dict[str, int], ranges: dict[str, int] | None = None, expire_seconds: int = 3600) -> OwnerFence:
    """Plan with these entries, which end in so many seconds."""

    def until(seconds: int) -> str:
        return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")

    dump = {
        "blocklist": {address: until(seconds) for address, seconds in entries.items()},
        "range_blocklist": {f"cidr:{address}": until(seconds) for address, seconds in (ranges or {}).items()},
    }
    return plan_fence(INSTANCE, parse_blocklist(dump), expire_seconds, NOW)


def words(planned: OwnerFence, release: int = 18) -> list[str]:
    dialect = Dialect(release)
    return [" ".join(command.args) for command in (*planned.removals(dialect), *planned.additions(dialect))]


@pytest.mark.parametrize("entries", [{}, {"10.0.0.1:0/124": 9999}, {"10.0.0.11:0/123": 9999}, {"10.0.0.2:0/0": 9999}])
def test_exactly_the_instance_is_blocklisted(entries: dict[str, int]) -> None:
    planned = fence(entries)
    assert words(planned) == ["osd blocklist add 10.0.0.1:0/123 3600"]
    assert words(planned, 14) == ["osd blacklist add 10.0.0.1:0/123 3600"]
    assert planned.actions == ("blocklist 10.0.0.1:0/123 for 3600 s",)
    assert not planned.in_force


@pytest.mark.parametrize(
    "planned",
    [
        fence({INSTANCE: 3600}),
        fence({INSTANCE: 1800}),
        fence({"10.0.0.1:0/0": 7200}),
        fence({INSTANCE: 5, "10.0.0.1:0/0": 7200}),
        fence({}, {"10.0.0.0:0/24": 3600}),
    ],
)
def test_entry_that_lasts_is_enough(planned: OwnerFence) -> None:
    assert (words(planned), planned.actions, planned.in_force) == ([], (), True)


def test_short_entry_of_its_own_is_renewed() -> None:
    planned = fence({INSTANCE: 1799})
    assert words(planned) == ["osd blocklist rm 10.0.0.1:0/123", "osd blocklist add 10.0.0.1:0/123 3600"]
    assert planned.actions == ("renew the blocklist entry of 10.0.0.1:0/123 for 3600 s",)


@pytest.mark.parametrize("planned", [fence({"10.0.0.1:0/0": 5}), fence({}, {"10.0.0.0:0/24": 5})])
def test_short_entry_of_its_host_or_range_stays_beside_one_of_its_own(planned: OwnerFence) -> None:
    assert words(planned) == ["osd blocklist add 10.0.0.1:0/123 3600"]
    assert planned.in_force


def test_time_without_a_zone_is_not_trusted() -> None:
    assert latest_now(NOW, 16) == NOW
    printed_in_kiritimati = parse_blocklist({"blacklist": {INSTANCE: "2026-11-22 02:00:05.000000"}})
    assert plan_fence(INSTANCE, printed_in_kiritimati, 3600, latest_now(NOW, 14)).renew
