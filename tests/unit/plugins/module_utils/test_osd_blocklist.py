# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocklist as four releases print it, and the commands that change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import (
    add_command,
    add_range_command,
    format_until,
    parse_blocklist,
    parse_until,
    remove_command,
    remove_range_command,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

HOSTS_AND_CLIENTS = [
    ("10.0.0.1:0/4137", "client"),
    ("10.0.0.2:0/0", "host"),
    ("10.0.0.3:0/0", "host"),
    ("[fd00::1]:0/4138", "client"),
    ("[fd00::2]:0/0", "host"),
]
RANGES = [("10.6.1.2/16", "range"), ("10.7.0.0/16", "range"), ("fd00:7::/64", "range")]


@pytest.mark.parametrize("release", RELEASES)
def test_entries_of_every_release(recorded: Callable[..., Any], release: str) -> None:
    entries = parse_blocklist(recorded("blocklist_osd_dump", release)).entries
    expected = HOSTS_AND_CLIENTS + ([] if release == "14" else RANGES)
    assert [(entry.address, entry.kind) for entry in entries] == expected
    assert {entry.until.tzinfo for entry in entries} == {UTC}
    assert max(entry.until for entry in entries) > datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "hit_by"),
    [
        ("10.0.0.1:0/4137", ["10.0.0.1:0/4137"]),
        ("v1:10.0.0.1:0/4137", ["10.0.0.1:0/4137"]),
        ("10.0.0.1:0/1", []),
        ("10.0.0.1", ["10.0.0.1:0/4137"]),
        ("10.0.0.2:0/1", ["10.0.0.2:0/0"]),
        ("[fd00::2]:0/1", ["[fd00::2]:0/0"]),
        ("fd00::1", ["[fd00::1]:0/4138"]),
        ("10.7.9.9:0/1", ["10.7.0.0/16"]),
        ("10.6.200.1", ["10.6.1.2/16"]),
        ("[fd00:7::9]:0/1", ["fd00:7::/64"]),
        ("fd00:8::9", []),
    ],
)
def test_who_is_hit_by_what(recorded: Callable[..., Any], asked: str, hit_by: list[str]) -> None:
    blocklist = parse_blocklist(recorded("blocklist_osd_dump"))
    assert [entry.address for entry in blocklist.entries_for(asked)] == hit_by


def test_nothing_is_asked_for_a_range(recorded: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="is no IP address"):
        parse_blocklist(recorded("blocklist_osd_dump")).entries_for("10.7.0.0/16")


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2026-11-21 14:04:33.799589", "2026-11-21T14:04:33Z"),
        ("2026-11-21T14:04:33.799589+0000", "2026-11-21T14:04:33Z"),
        ("2026-11-21T14:04:33.799589+0130", "2026-11-21T12:34:33Z"),
    ],
)
def test_times_are_in_utc(text: str, until: str) -> None:
    assert format_until(parse_until(text)) == until


def test_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon': expected a time as Ceph prints it"):
        parse_until("soon")


def test_commands_speak_the_dialect_of_the_cluster() -> None:
    old, new = Dialect(14), Dialect(16)
    commands = [
        add_command(old, "10.0.0.1", 60),
        add_command(new, "v1:[fd00::1]:0/1"),
        remove_command(old, "10.0.0.1:0/1"),
        add_range_command(new, "10.6.1.2/16", 60),
        remove_range_command(new, "fd00::/64"),
    ]
    assert [" ".join(command.args) for command in commands] == [
        "osd blacklist add 10.0.0.1:0/0 60",
        "osd blocklist add [fd00::1]:0/1",
        "osd blacklist rm 10.0.0.1:0/1",
        "osd blocklist range add 10.6.1.2/16 60",
        "osd blocklist range rm fd00::/64",
    ]


def test_range_is_never_added_as_an_instance() -> None:
    with pytest.raises(ValueError, match="is no IP address"):
        add_command(Dialect(16), "10.8.0.0/16")
