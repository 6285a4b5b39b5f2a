# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wants of the session policy, and what is said of daemons that do not go by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import (
    ConfigValue,
    Daemon,
    Target,
    parse_config_dump,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import EffectiveValue
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import plan, planned_rows
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import parse_option_help
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import options_of_release
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_plan import (
    PolicyState,
    PolicyWish,
    configured,
    drift,
    missing_in,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]
MDS = Target("mds")
TIMEOUT = "mds_reconnect_timeout"


def state_of(recorded: Recorded, release: str = "18") -> PolicyState:
    """The recorded cluster: evict is false for mds, the reconnect timeout 90 for mds.a, which works with both."""
    dialect = Dialect(int(release))
    helps = {answer["name"]: parse_option_help(answer) for answer in recorded("mds_config_help", release)}
    evict = dialect.option("mds_session_blocklist_on_evict")
    return PolicyState(
        dialect=dialect,
        options={name: helps[option] for name, option in options_of_release(dialect, helps).items()},
        rows=parse_config_dump(recorded("mds_config_dump", release)),
        daemons=[Daemon("mds", "a"), Daemon("mds", "b"), Daemon("mon", "a")],
        effective={
            "mds.a": {evict: EffectiveValue("false", "mon"), TIMEOUT: EffectiveValue("90.000000", "mon")},
            "mds.b": {evict: EffectiveValue("false", "mon")},
            "mon.a": {},
        },
    )


@pytest.fixture
def state(recorded: Recorded) -> PolicyState:
    """The state of release 18."""
    return state_of(recorded)


def with_effective(state: PolicyState, daemon: str, option: str, value: str, source: str) -> PolicyState:
    values = {**state.effective[daemon], option: EffectiveValue(value, source)}
    return replace(state, effective={**state.effective, daemon: values})


def commands(state: PolicyState, wish: PolicyWish) -> list[tuple[str, ...]]:
    return [command.args for change in plan(state.rows, wish.wishes(state)) for command in change.commands()]


def missing(state: PolicyState, wish: PolicyWish) -> list[str]:
    wishes = wish.wishes(state)
    return [str(one) for one in missing_in(state, wishes, planned_rows(state.rows, plan(state.rows, wishes)))]


@pytest.mark.parametrize("release", RELEASES)
def test_cluster_is_given_its_own_names_in_the_right_sections(recorded: Recorded, release: str) -> None:
    wish = PolicyWish(
        MDS,
        {"session_blocklist_on_timeout": True, "client_blocklist_duration": 7200.0},
        reset=["mds_session_blacklist_on_evict"],
    )
    state = state_of(recorded, release)
    word = state.dialect.word
    assert wish.problems(state) == []
    assert commands(state, wish) == [
        ("config", "set", "mds", f"mds_session_{word}_on_timeout", "true"),
        ("config", "rm", "mds", f"mds_session_{word}_on_evict"),
        ("config", "set", "mon", f"mon_osd_{word}_default_expire", "7200.000000"),
    ]


def test_what_is_so_already_is_left(state: PolicyState) -> None:
    assert commands(state, PolicyWish(MDS, {"session_blocklist_on_evict": False}, reset=["reconnect_timeout"])) == []


def test_value_under_the_other_spelling_is_moved(recorded: Recorded) -> None:
    state = state_of(recorded, "14")
    left = ConfigValue("mds", "", "mds_session_blocklist_on_timeout", "true", "unknown")
    state = replace(state, rows=[*state.rows, left])
    assert commands(state, PolicyWish(MDS, {"session_blocklist_on_timeout": True})) == [
        ("config", "set", "mds", "mds_session_blacklist_on_timeout", "true"),
        ("config", "rm", "mds", "mds_session_blocklist_on_timeout"),
    ]
    shown = configured(state)["session_blocklist_on_timeout"]
    assert (shown["configured"], shown["left_under_old_name"]) == ({}, {"mds": True})


def test_monitors_get_theirs_in_the_global_section_when_that_is_meant(state: PolicyState) -> None:
    wish = PolicyWish(Target("global"), {"blocklist_interval": 7200.0})
    assert commands(state, wish)[0][2] == "global"


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (
            PolicyWish(MDS, {}, ["reconect_timeout"]),
            "reset: no part of the session policy is called reconect_timeout; ",
        ),
        (PolicyWish(Target("osd"), {}), "section osd has no MDS: expected mds, mds.NAME, mds/MASK or global"),
        (PolicyWish(MDS, {"reconnect_timeout": 1.0}, [TIMEOUT]), "reconnect_timeout is to be set and to be reset"),
        (PolicyWish(MDS, {"reconnect_timeout": -1.0}), "reconnect_timeout is -1.0: expected 0 seconds or more"),
        (PolicyWish(MDS, {"max_caps_per_client": -1}), "option mds_max_caps_per_client (uint): expected"),
        (PolicyWish(MDS, {"blocklist_interval": 60.0}), "option mon_mds_blocklist_interval (float): expected at least"),
    ],
)
def test_wish_that_cannot_be_is_refused(state: PolicyState, wish: PolicyWish, problem: str) -> None:
    (found,) = wish.problems(state)
    assert found.startswith(problem)


def test_option_that_the_release_has_not_is_refused(recorded: Recorded) -> None:
    assert PolicyWish(MDS, {"deny_all_reconnect": True}).problems(state_of(recorded, "14")) == [
        "Ceph 14 has no option mds_deny_all_reconnect (deny_all_reconnect); leave it out"
    ]


def test_every_daemon_that_has_not_taken_it_over_is_named(state: PolicyState) -> None:
    wish = PolicyWish(MDS, {"max_caps_per_client": 5000, "blocklist_interval": 7200.0})
    pending = "it has not taken over what is configured"
    assert missing(state, wish) == [
        f"mds.a has mds_max_caps_per_client 1048576 instead of 5000: {pending}",
        f"mds.b has mds_max_caps_per_client 1048576 instead of 5000: {pending}",
        f"mon.a has mon_mds_blocklist_interval 86400.000000 instead of 7200.000000: {pending}",
    ]
    assert missing(state, PolicyWish(MDS, {"session_blocklist_on_evict": False})) == []


def test_section_of_one_mds_concerns_no_other(state: PolicyState) -> None:
    assert [text.split()[0] for text in missing(state, PolicyWish(Target("mds.b"), {"reconnect_timeout": 80.0}))] == [
        "mds.b"
    ]


def test_more_specific_section_is_named_with_the_remedy(state: PolicyState) -> None:
    first, second = missing(state, PolicyWish(MDS, {"reconnect_timeout": 80.0}))
    assert first == (
        "mds.a has mds_reconnect_timeout 90.000000 instead of 80.000000: that is in section mds.a, which goes "
        "before mds; reset it there"
    )
    assert second.startswith("mds.b has mds_reconnect_timeout 45.000000 instead of 80.000000: it has not taken over")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("file", "that is in ceph.conf on its host, which goes before the configuration database; remove it there and"),
        ("override", "that was set at run time, which goes before the configuration database; take it back with ceph "),
        ("cmdline", "that is from cmdline, which goes before the configuration database"),
    ],
)
def test_where_an_overriding_value_comes_from_is_said(state: PolicyState, source: str, reason: str) -> None:
    state = with_effective(state, "mds.b", "mds_max_caps_per_client", "7", source)
    wishes = PolicyWish(MDS, {"max_caps_per_client": 5000}).wishes(state)
    found = [one for one in missing_in(state, wishes, state.rows) if one.overridden]
    assert [one.daemon for one in found] == ["mds.b"]
    assert str(found[0]).startswith(f"mds.b has mds_max_caps_per_client 7 instead of 5000: {reason}")


def test_daemon_that_does_not_answer_is_no_proof(state: PolicyState) -> None:
    state = replace(state, effective={name: values for name, values in state.effective.items() if name != "mds.b"})
    assert missing(state, PolicyWish(MDS, {"session_blocklist_on_evict": False})) == [
        "mds.b does not answer: what mds_session_blocklist_on_evict it works with is not known"
    ]
    assert configured(state)["reconnect_timeout"]["effective"]["mds.b"] is None
    assert {(one["daemon"], one["effective"]) for one in drift(state)} == {("mds.b", None)}


@pytest.mark.parametrize("release", RELEASES)
def test_policy_is_shown_typed(recorded: Recorded, release: str) -> None:
    state = state_of(recorded, release)
    shown = configured(state)
    assert list(shown) == list(state.options)
    assert shown["reconnect_timeout"] == {
        "option": TIMEOUT,
        "default": 45.0,
        "configured": {"mds.a": 90.0},
        "left_under_old_name": {},
        "effective": {"mds.a": {"value": 90.0, "source": "mon"}, "mds.b": {"value": 45.0, "source": "default"}},
    }
    assert shown["client_blocklist_duration"]["effective"] == {"mon.a": {"value": 3600.0, "source": "default"}}
    assert drift(state) == []


def test_drift_is_between_what_is_configured_and_what_runs(state: PolicyState) -> None:
    assert drift(with_effective(state, "mds.a", TIMEOUT, "11.000000", "override")) == [
        {"name": "reconnect_timeout", "daemon": "mds.a", "configured": 90.0, "effective": 11.0, "source": "override"}
    ]
