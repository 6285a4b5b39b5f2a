# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration database: targets, rows, and the row that a daemon gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import (
    ConfigValue,
    Daemon,
    Target,
    find_row,
    parse_config_dump,
    parse_target,
    row_for,
    set_command,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]
MDS = Daemon("mds", "a", {"root": "default"})


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("global", Target("global")),
        ("mds.a", Target("mds.a")),
        ("client.rgw.one", Target("client.rgw.one")),
        ("osd/host:x", Target("osd", "host:x")),
        ("osd/class:ssd/host:x", Target("osd", "host:x/class:ssd")),
        ("mds.a/rack:r1", Target("mds.a", "rack:r1")),
    ],
)
def test_target(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "mdz", "mds.", "mds/foo", "mds/host:", "mds/nosuchtype:x", "/host:x", "mds a"])
def test_target_that_ceph_would_refuse_or_never_apply(text: str) -> None:
    with pytest.raises(ValueError, match=r"^section "):
        parse_target(text)


def test_mask_of_a_type_that_only_this_crush_map_has() -> None:
    assert parse_target("osd/shelf:s1", ["osd", "shelf"]) == Target("osd", "shelf:s1")


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_rows(recorded: Recorded, release: str) -> None:
    rows = parse_config_dump(recorded("config_dump", release))
    masked = find_row(rows, Target("osd", "host:ceph/class:ssd"), "osd_recovery_sleep")
    assert masked is not None
    assert (masked.value, masked.level) == ("0.500000", "advanced")
    assert find_row(rows, Target("osd"), "osd_recovery_sleep") is None
    assert find_row(rows, Target("mds"), "mds_cache_memory_limit") is not None


@pytest.mark.parametrize("release", RELEASES)
def test_daemon_gets_the_row_that_the_recorded_one_got(recorded: Recorded, release: str) -> None:
    rows = parse_config_dump(recorded("config_dump", release))
    runs = {entry["name"]: entry for entry in recorded("config_show_mds", release)}
    compared = 0
    for name in {row.name for row in rows}:
        row = row_for(rows, MDS, name)
        if name in runs and runs[name]["source"] == "mon":
            assert row is not None
            assert row.value == runs[name]["value"], name
            compared += 1
    assert compared >= 2
    limit = row_for(rows, MDS, "mds_cache_memory_limit")
    assert limit is not None
    assert limit.target == Target("mds", "root:default")


def row(who: str, value: str = "1", name: str = "x") -> ConfigValue:
    target = parse_target(who)
    return ConfigValue(target.section, target.mask, name, value, "advanced")


@pytest.mark.parametrize(
    ("rows", "wins"),
    [
        (["global", "mds"], "mds"),
        (["mds.a", "mds", "global"], "mds.a"),
        (["mds.b"], None),
        (["osd"], None),
        (["mds", "mds/rack:r1"], "mds/rack:r1"),
        (["mds/rack:r1", "mds"], "mds/rack:r1"),
        (["mds/rack:r2", "mds"], "mds"),
        (["mds/rack:r1", "mds/root:default"], "mds/rack:r1"),
        (["mds/rack:r1", "mds.a"], "mds/rack:r1"),
        (["mds/class:ssd", "mds"], "mds"),
    ],
)
def test_precedence(rows: list[str], wins: str | None) -> None:
    daemon = Daemon("mds", "a", {"rack": "r1", "root": "default"})
    found = row_for([row(who) for who in rows], daemon, "x")
    assert (found.target.who if found else None) == wins


def test_mask_loses_to_a_more_specific_section_with_an_option_between() -> None:
    daemon = Daemon("mds", "a", {"rack": "r1"})
    rows = [row("mds/rack:r1"), row("mds.a", name="other"), row("mds.a")]
    found = row_for(rows, daemon, "x")
    assert found is not None
    assert found.target.who == "mds.a"


def test_part_of_a_dotted_name_is_a_section() -> None:
    found = row_for([row("client"), row("client.rgw")], Daemon("client", "rgw.one"), "x")
    assert found is not None
    assert found.target.who == "client.rgw"


def test_device_class() -> None:
    found = row_for([row("osd"), row("osd/class:ssd")], Daemon("osd", "0", {}, "ssd"), "x")
    assert found is not None
    assert found.target.who == "osd/class:ssd"


def test_value_with_dashes_is_not_taken_for_an_option() -> None:
    assert set_command(Target("mds"), "x", "--y").args == ("config", "set", "mds", "x", "--value=--y")
    assert set_command(Target("mds"), "x", "-1").args == ("config", "set", "mds", "x", "-1")
