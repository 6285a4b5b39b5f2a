# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and their values, against what the monitors of every release made of the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import (
    CephOption,
    normalise,
    parse_option_help,
    problem,
    same_value,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]


def option(kind: str, **details: Any) -> CephOption:
    return CephOption("some_option", kind, "", "advanced", ("mds",), True, **details)


@pytest.mark.parametrize("release", RELEASES)
def test_values_are_taken_refused_and_written_as_by_the_monitors(recorded: Recorded, release: str) -> None:
    checked = 0
    for name, entry in recorded("config_values", release).items():
        found = parse_option_help(entry["help"])
        for text, answer in entry["values"].items():
            refused = problem(found, text)
            if "error" in answer:
                assert refused, (name, text, answer)
            else:
                assert refused is None, (name, text, refused)
                assert same_value(found, normalise(found, text), answer["stored"]), (name, text, answer)
                assert same_value(found, text, answer["stored"])
                if found.type != "addr":
                    assert normalise(found, text) == answer["stored"]
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("bool", True, "true"),
        ("bool", 1, "True"),
        ("bool", False, "0"),
        ("size", "4G", 4294967296),
        ("size", "4GiB", "4Gi"),
        ("secs", "1h", 3600),
        ("secs", "1 hour 30 min", "90m"),
        ("float", 1, "1.000000"),
        ("float", 0.1, "0.10000000000000001"),
        ("uint", "1K", 1000),
        ("addr", "10.0.0.1", "v2:10.0.0.1:0/0"),
        ("addrvec", "[v2:10.0.0.1:3300,v1:10.0.0.1:6789]", "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"),
        ("uuid", "ABCDEF00-0000-0000-0000-000000000001", "abcdef00-0000-0000-0000-000000000001"),
        ("str", 5, "5"),
    ],
)
def test_same_value_written_differently(kind: str, one: Any, other: Any) -> None:
    assert same_value(option(kind), one, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("bool", True, "false"),
        ("size", "4G", 4000000000),
        ("uint", "4G", 4294967296),
        ("secs", "1m", "1mo"),
        ("addr", "v1:10.0.0.1:0/0", "v2:10.0.0.1:0/0"),
        ("addr", "10.0.0.1", "10.0.0.2"),
        ("str", "a", "A"),
        ("str", "1", "01"),
        ("size", "rubbish", "4G"),
    ],
)
def test_different_values(kind: str, one: Any, other: Any) -> None:
    assert not same_value(option(kind), one, other)


@pytest.mark.parametrize(
    ("found", "value", "message"),
    [
        (option("bool"), "yes", "option some_option (bool): expected true or false, got 'yes'"),
        (
            option("size"),
            "3.5G",
            "option some_option (size): expected bytes, or a size such as 4G (4294967296 bytes), got '3.5G'",
        ),
        (option("size", min="4"), 3, "option some_option (size): expected at least 4, got 3"),
        (option("float", max="0.9"), "1", "option some_option (float): expected at most 0.9, got '1'"),
        (option("uint"), -1, "option some_option (uint): expected a number between 0 and 18446744073709551615, got -1"),
        (
            option("str", enum_values=("snappy", "zlib")),
            "lz",
            "option some_option (str): expected one of snappy, zlib, got 'lz'",
        ),
        (option("str"), ["a"], "option some_option (str): expected one value, got a list, got ['a']"),
        (
            option("uuid", flags=("no_mon_update",)),
            "abcdef00-0000-0000-0000-000000000001",
            "option some_option cannot be in the monitors' configuration database: set it in ceph.conf",
        ),
    ],
)
def test_refused_value(found: CephOption, value: Any, message: str) -> None:
    assert problem(found, value) == message


@pytest.mark.parametrize("release", RELEASES)
def test_default_is_written_as_the_monitors_would(recorded: Recorded, release: str) -> None:
    found = parse_option_help(recorded("config_values", release)["mds_cap_revoke_eviction_timeout"]["help"])
    assert found.default == "0.000000"
    assert found.services == ("mds",)
    assert found.can_update_at_runtime


def test_daemons_have_a_default_of_their_own() -> None:
    answer = {
        "name": "daemonize", "type": "bool", "default": False, "daemon_default": True, "level": "advanced",
        "services": [], "can_update_at_runtime": False, "min": "", "max": "", "flags": [],
    }  # fmt: skip
    assert parse_option_help(answer).default == "true"
