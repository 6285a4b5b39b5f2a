# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kernels show of a target, as recorded by tests/kernel/record.py, and what a plan makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_plan import (
    Step,
    Wanted,
    expected,
    plan,
    unproven,
)
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import (
    DEFAULTS,
    Target,
    kernel_features,
    lacking,
)

FIXTURES = Path(__file__).parents[3] / "fixtures" / "netconsole"
SETTINGS = {"extended": "1", "dev_name": "eth0", "remote_ip": "10.0.0.3", "remote_mac": "52:54:00:AA:00:03"}


def recorded(kernel: str) -> tuple[str, Target]:
    content = json.loads((FIXTURES / f"configfs-{kernel}.json").read_text(encoding="utf-8"))
    return content["kernel"], Target.parse("t", content["files"])


@pytest.mark.parametrize("kernel", ["6.1", "7.3"])
def test_new_target_of_a_kernel_has_the_documented_defaults(kernel: str) -> None:
    release, target = recorded(kernel)
    assert target.enabled is False
    assert target.settings == {name: value for name, value in DEFAULTS.items() if name in target.settings}
    assert target.features == kernel_features(release)


def test_old_kernel_shows_what_it_cannot() -> None:
    _dummy, target = recorded("6.1")
    shown = target.described()
    assert (shown["release"], shown["userdata"], shown["sysdata"], shown["transmit_errors"]) == (None, None, [], None)


@pytest.mark.parametrize(
    ("release", "features"),
    [
        ("5.10.0-30-amd64", {"extended"}),
        ("6.6.51", {"extended", "release"}),
        ("6.12.107+deb13-amd64", {"extended", "release", "userdata"}),
        ("6.15-rc1", {"extended", "release", "userdata", "sysdata cpu_nr", "sysdata taskname", "sysdata release"}),
    ],
)
def test_features_follow_the_release_where_no_target_shows_them(release: str, features: set[str]) -> None:
    assert kernel_features(release) == features


def test_lacking_feature_is_named_with_its_version() -> None:
    assert lacking("sysdata msgid") == "this kernel's netconsole has no sysdata msgid, which came with Linux 6.17"


def test_new_target_is_made_written_and_enabled_last() -> None:
    steps = plan(None, Wanted("t", settings={"remote_ip": "10.0.0.3"}))
    assert steps == [Step("mkdir", "t"), Step("write", "t/remote_ip", "10.0.0.3"), Step("write", "t/enabled", "1")]


def test_target_that_is_right_stays_untouched() -> None:
    """Also where the kernel writes a value in another way."""
    _dummy, target = recorded("7.3")
    wanted = Wanted(
        "t", settings={**SETTINGS, "local_ip": "FD00:0::11"}, userdata={"a": "b"}, sysdata=frozenset(["msgid"])
    )
    right = expected(target, wanted)
    assert right is not None
    assert plan(right, wanted) == []
    assert right.settings["remote_mac"] == "52:54:00:aa:00:03"
    assert unproven(right, wanted) == []


def test_target_is_disabled_while_a_setting_changes_and_for_nothing_else() -> None:
    _dummy, target = recorded("7.3")
    enabled = replace(target, enabled=True)
    assert plan(enabled, Wanted("t", settings={"remote_port": "514"})) == [
        Step("write", "t/enabled", "0"),
        Step("write", "t/remote_port", "514"),
        Step("write", "t/enabled", "1"),
    ]
    assert plan(enabled, Wanted("t", userdata={"host": "pi3"})) == [
        Step("mkdir", "t/userdata/host"),
        Step("write", "t/userdata/host/value", "pi3"),
    ]


def test_target_that_the_kernel_disabled_is_enabled_again() -> None:
    _dummy, target = recorded("6.1")
    assert plan(target, Wanted("t")) == [Step("write", "t/enabled", "1")]
    assert plan(target, Wanted("t", enabled=False)) == []


def test_named_data_is_all_there_is() -> None:
    _dummy, target = recorded("7.3")
    found = replace(target, enabled=True, userdata={"old": "x", "kept": "y"}, sysdata={"cpu_nr": True, "msgid": False})
    assert plan(found, Wanted("t", userdata={"kept": "z"}, sysdata=frozenset(["msgid"]))) == [
        Step("rmdir", "t/userdata/old"),
        Step("write", "t/userdata/kept/value", "z"),
        Step("write", "t/userdata/cpu_nr_enabled", "0"),
        Step("write", "t/userdata/msgid_enabled", "1"),
    ]
    assert plan(found, Wanted("t")) == []


def test_removal_takes_the_data_first() -> None:
    _dummy, target = recorded("7.3")
    found = replace(target, enabled=True, userdata={"host": "pi3"})
    assert plan(found, Wanted("t", present=False)) == [
        Step("write", "t/enabled", "0"),
        Step("rmdir", "t/userdata/host"),
        Step("rmdir", "t"),
    ]
    assert plan(None, Wanted("t", present=False)) == []
    assert unproven(found, Wanted("t", present=False)) == ["t is still there"]


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Wanted("a/b"), "name 'a/b': expected the name of a directory"),
        (Wanted("t", userdata={"k" * 54: "v"}), "expected a name of at most 53 bytes without a slash"),
        (Wanted("t", userdata={"k": "v" * 200}), "t: userdata k: expected a value of 1 to 199 bytes in one line"),
        (Wanted("t", userdata={"k": "a\nb"}), "t: userdata k: expected a value of 1 to 199 bytes in one line"),
        (Wanted("t", userdata={str(n): "v" for n in range(257)}), "t: userdata: expected at most 256 entries"),
    ],
)
def test_what_the_kernel_would_refuse_is_said_before(wanted: Wanted, problem: str) -> None:
    (found,) = wanted.problems()
    assert problem in found
