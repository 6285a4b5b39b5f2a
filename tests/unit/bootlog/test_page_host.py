# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a host follows from what was recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bootlog.page.duration import duration
from bootlog.page.host import STATES, Boot, Host, Trouble, medians, natural

NOW = 1000.0


def boot(stages: list[tuple[str, float]], **changes: Any) -> Boot:
    stage, since = stages[-1]
    plain = Boot(7, None, None, stages[0][1], None, stage, since, 0, 0, None, tuple(stages))
    return replace(plain, **changes)


def host(current: Boot | None, earlier: tuple[Boot, ...] = ()) -> Host:
    return Host("udoo1", "10.77.0.11", None, None, None, 0, 0, current, earlier, medians(earlier))


TROUBLE = Trouble("map", "auth", "diskless: retry step=map")
WAITING = Trouble("userspace", "waiting", "systemd waits for slow.service/start")


@pytest.mark.parametrize(
    ("stages", "trouble", "state"),
    [
        ([("dhcp", 990.0)], None, "booting"),
        ([("dhcp", 990.0), ("ready", 20.0)], None, "ready"),
        ([("network", 990.0)], TROUBLE, "failed"),
        ([("ready", 10.0)], TROUBLE, "failed"),
        ([("failed", 990.0)], None, "failed"),
        ([("userspace", 990.0)], WAITING, "booting"),
        ([("userspace", 10.0)], WAITING, "late"),
        ([("shutdown", 10.0)], None, "down"),
        ([("unmapped", 10.0)], None, "down"),
    ],
)
def test_state_is_what_the_stage_and_trouble_say(
    stages: list[tuple[str, float]], trouble: Trouble | None, state: str
) -> None:
    assert host(boot(stages, trouble=trouble)).state(NOW) == state


def test_late_host_that_has_said_nothing_about_it_has_its_last_line() -> None:
    fetched = replace(host(boot([("dhcp", 900.0), ("loader", 910.0)])), last=(912.0, None, "sent host.cpio"))
    assert fetched.trouble(960.0) is None
    assert fetched.trouble(NOW) == Trouble("kernel", "silent", "sent host.cpio")
    assert fetched.as_json(NOW)["trouble"] == {"stage": "kernel", "reason": "silent", "text": "sent host.cpio"}


def test_host_that_was_never_heard_of_is_silent() -> None:
    assert host(None).state(NOW) == "silent"


@pytest.mark.parametrize(
    ("usual", "age", "state"), [(2, 59, "booting"), (2, 61, "late"), (30, 89, "booting"), (30, 91, "late")]
)
def test_host_is_late_after_three_times_its_own_median_and_a_minute(usual: float, age: float, state: str) -> None:
    earlier = boot([("map", 0.0), ("root", usual)])
    assert host(boot([("map", NOW - age)]), (earlier,)).state(NOW) == state


def test_host_without_earlier_boots_is_late_after_a_minute() -> None:
    assert host(boot([("map", NOW - 61)])).state(NOW) == "late"


def test_median_is_that_of_the_boots_which_came_further() -> None:
    took = [3.0, 100.0, 5.0]
    boots = tuple(boot([("kernel", 0.0), ("network", seconds)]) for seconds in took)
    assert medians((*boots, boot([("kernel", 0.0)]))) == {"kernel": 5.0}


def test_clock_that_was_set_back_makes_no_negative_duration() -> None:
    assert boot([("kernel", 10.0), ("network", 5.0)]).durations() == [("kernel", 10.0, 0.0), ("network", 5.0, None)]


def test_ready_host_has_no_median_to_be_measured_against() -> None:
    earlier = boot([("ready", 0.0), ("shutdown", 500.0)])
    assert host(boot([("ready", 900.0)]), (earlier,)).median() is None


def test_boot_takes_from_the_first_sign_of_life_until_ready() -> None:
    assert boot([("dhcp", 10.0), ("kernel", 12.0), ("ready", 40.0), ("shutdown", 99.0)]).ready_seconds() == 30.0


def test_json_says_what_the_contract_of_the_api_says() -> None:
    current = boot([("kernel", 900.0), ("network", 998.0)], trouble=TROUBLE, boot_id="b-1")
    heard = replace(host(current), last=(999.0, 6, "hello"), lost=3)
    assert heard.as_json(NOW) == {
        "name": "udoo1",
        "address": "10.77.0.11",
        "mac": None,
        "board": None,
        "state": "failed",
        "stage": "network",
        "since": 998.0,
        "stage_seconds": 2.0,
        "median_seconds": None,
        "boot": 7,
        "boot_id": "b-1",
        "began": 900.0,
        "lost": 3,
        "last": {"time": 999.0, "level": 6, "text": "hello"},
        "trouble": {"stage": "map", "reason": "auth", "text": "diskless: retry step=map"},
    }


@pytest.mark.parametrize(
    ("reached", "words"),
    [("network", "map not reached: auth"), ("map", "trouble in map: auth"), ("failed", "map not reached: auth")],
)
def test_trouble_in_words(reached: str, words: str) -> None:
    assert TROUBLE.in_words(reached) == words


def test_states_are_in_the_order_of_urgency() -> None:
    assert STATES == ("failed", "late", "booting", "silent", "down", "ready")


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["udoo10", "cm2", "udoo2", "7up"], key=natural) == ["7up", "cm2", "udoo2", "udoo10"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (-3, "0.0 s"),
        (4.24, "4.2 s"),
        (59.9, "59 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (4321, "1 h 12 min"),
        (273600, "3 d 4 h"),
    ],
)
def test_duration_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
