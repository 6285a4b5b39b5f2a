# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change in the configuration database, and what then stands in its way."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import ConfigValue, Daemon, Target
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import EffectiveValue
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import (
    Obstacle,
    OptionNames,
    obstacles,
    plan,
    planned_rows,
    wish_for,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption

BOOL = CephOption("session_blocklist", "bool", "true", "advanced", ("mds",), True)
LIMIT = CephOption("limit", "size", "4294967296", "basic", ("mds",), True)
ADDRESS = CephOption("limit", "size", "4294967296", "basic", ("mds",), False)
MDS = Target("mds")
A = Daemon("mds", "a", {"rack": "r1"})


def row(section: str, name: str, value: str, mask: str = "") -> ConfigValue:
    return ConfigValue(section, mask, name, value, "advanced")


@pytest.mark.parametrize(
    ("rows", "value", "commands", "after"),
    [
        ([], "4G", [("config", "set", "mds", "limit", "4294967296")], "4294967296"),
        ([row("mds", "limit", "4294967296")], "4G", [], "4294967296"),
        ([row("mds", "limit", "4G")], 4294967296, [], "4G"),
        ([row("mds", "limit", "1")], 2, [("config", "set", "mds", "limit", "2")], "2"),
        ([row("mds", "limit", "1")], None, [("config", "rm", "mds", "limit")], None),
        ([], None, [], None),
        ([row("mds.a", "limit", "2")], None, [], None),
        ([row("mds", "limit", "2", "host:x")], 2, [("config", "set", "mds", "limit", "2")], "2"),
    ],
)
def test_changes(rows: list[ConfigValue], value: Any, commands: list[tuple[str, ...]], after: str | None) -> None:
    change = plan(rows, [wish_for(MDS, LIMIT, value, None)])[0]
    assert [command.args for command in change.commands()] == commands
    assert change.changed is bool(commands)
    assert change.after == after
    again = plan(planned_rows(rows, [change]), [change.wish])[0]
    assert not again.changed


@pytest.mark.parametrize(
    ("rows", "value", "commands"),
    [
        (
            [row("mds", "session_blacklist", "true")],
            True,
            [("config", "set", "mds", "session_blocklist", "true"), ("config", "rm", "mds", "session_blacklist")],
        ),
        (
            [row("mds", "session_blocklist", "true"), row("mds", "session_blacklist", "false")],
            True,
            [("config", "rm", "mds", "session_blacklist")],
        ),
        ([row("mds", "session_blacklist", "true")], None, [("config", "rm", "mds", "session_blacklist")]),
        ([row("mds.a", "session_blacklist", "true"), row("mds", "session_blocklist", "true")], True, []),
    ],
)
def test_value_under_the_other_name_goes(rows: list[ConfigValue], value: Any, commands: list[tuple[str, ...]]) -> None:
    change = plan(rows, [wish_for(MDS, BOOL, value, "session_blacklist")])[0]
    assert [command.args for command in change.commands()] == commands
    again = plan(planned_rows(rows, [change]), [change.wish])[0]
    assert not again.changed


@pytest.mark.parametrize(
    ("found", "runs", "rows", "expected"),
    [
        (LIMIT, EffectiveValue("2", "mon"), [], []),
        (LIMIT, EffectiveValue("2", "override"), [], []),
        (LIMIT, EffectiveValue("3", "override"), [], [Obstacle("overridden", "mds.a", "3", "override")]),
        (LIMIT, EffectiveValue("3", "file"), [], [Obstacle("overridden", "mds.a", "3", "file")]),
        (LIMIT, EffectiveValue("3", "mon"), [], [Obstacle("pending", "mds.a", "3", "mon")]),
        (ADDRESS, EffectiveValue("3", "default"), [], [Obstacle("restart", "mds.a", "3", "default")]),
        (
            LIMIT,
            EffectiveValue("3", "mon"),
            [row("mds.a", "limit", "3")],
            [Obstacle("overridden", "mds.a", "3", "mon", "mds.a")],
        ),
        (LIMIT, EffectiveValue("2", "mon"), [row("mds.a", "limit", "2")], []),
        (
            LIMIT,
            EffectiveValue("2", "mon"),
            [row("mds", "limit", "3", "rack:r1")],
            [Obstacle("overridden", "mds.a", "3", "mon", "mds/rack:r1")],
        ),
        (LIMIT, EffectiveValue("2", "mon"), [row("mds", "limit", "3", "rack:r2"), row("global", "limit", "4")], []),
    ],
)
def test_what_stands_in_the_way(
    found: CephOption, runs: EffectiveValue, rows: list[ConfigValue], expected: list[Obstacle]
) -> None:
    change = plan(rows, [wish_for(MDS, found, 2, None)])[0]
    after = planned_rows(rows, [change])
    daemons = [A, Daemon("mds", "silent"), Daemon("osd", "0")]
    assert obstacles(change.wish, after, daemons, {"mds.a": {"limit": runs}, "osd.0": {}}) == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (EffectiveValue("4294967296", "default"), []),
        (EffectiveValue("2", "mon"), ["pending"]),
        (EffectiveValue("2", "override"), ["overridden"]),
    ],
)
def test_what_stands_in_the_way_of_a_removal(runs: EffectiveValue, expected: list[str]) -> None:
    wish = wish_for(MDS, LIMIT, None, None)
    assert [found.kind for found in obstacles(wish, [], [A], {"mds.a": {"limit": runs}})] == expected


def test_mask_that_does_not_match_reaches_nobody() -> None:
    wish = wish_for(Target("mds", "rack:r2"), LIMIT, 2, None)
    assert obstacles(wish, [row("mds", "limit", "2", "rack:r2")], [A], {"mds.a": {}}) == []


@pytest.mark.parametrize(
    ("given", "own", "known"),
    [
        ("mds_session_blacklist_on_evict", "mds_session_blocklist_on_evict", True),
        ("mds session-blocklist on evict", "mds_session_blocklist_on_evict", True),
        ("old_blacklist_name", "old_blacklist_name", True),
        ("mgr/dashboard/server_addr", "mgr/dashboard/server_addr", True),
        ("mgr/dashboard/x/server_addr", "mgr/dashboard/x/server_addr", True),
        ("mgr/dashboard/x", "mgr/dashboard/x", False),
        ("mds_cash", "mds_cash", False),
    ],
)
def test_names(given: str, own: str, known: bool) -> None:
    listed = {"mds_session_blocklist_on_evict", "old_blacklist_name", "mgr/dashboard/server_addr", "mds_cache"}
    names = OptionNames(Dialect(16), frozenset(listed))
    assert names.own(given) == own
    assert names.has(own) is known


def test_unknown_name_is_answered_with_the_nearest() -> None:
    names = OptionNames(Dialect(16), frozenset({"mds_cache_memory_limit", "osd_max_backfills"}))
    assert names.problem("mds_cache_memry_limit") == (
        "option mds_cache_memry_limit does not exist in Ceph 16; did you mean mds_cache_memory_limit?"
    )
