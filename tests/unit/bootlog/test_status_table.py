# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal view fits the terminal, and does nothing to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bootlog.status_table import columns, one_host, overview, safe, wrapped

from tests.unit.bootlog.hostile import HOSTILE

NOW = 1000.0
TROUBLE = {"stage": "map", "reason": "auth", "text": "key refused"}


def host(name: str, state: str = "ready", said: str = "hello", **changes: Any) -> dict[str, Any]:
    plain = {"name": name, "state": state, "stage": state, "since": NOW - 70, "median_seconds": 4.0, "trouble": None}
    return {**plain, "last": {"time": NOW, "level": 6, "text": said}, **changes}


NEVER_HEARD = host("cm1", "silent", stage=None, since=None, median_seconds=None, last=None)


def test_each_host_has_a_line_with_its_stage_and_for_how_long() -> None:
    lines = overview([host("udoo1", "booting", stage="map"), host("udoo2")], NOW, 80, colour=False)
    assert lines == [
        "HOST   STATE    STAGE  FOR         USUALLY  TROUBLE OR LAST LINE",
        "udoo1  booting  map    1 min 10 s  4.0 s    hello",
        "udoo2  ready    ready  1 min 10 s  4.0 s    hello",
        "",
        "2 hosts: 1 booting, 1 ready",
    ]


def test_trouble_stands_before_the_last_line() -> None:
    lines = overview([host("udoo1", "failed", stage="network", trouble=TROUBLE)], NOW, 80, colour=False)
    assert lines[1].endswith("map: auth key refused")


def test_host_that_was_never_heard_of_and_no_hosts_at_all() -> None:
    assert overview([NEVER_HEARD], NOW, 80, colour=False)[1] == "cm1   silent"
    assert overview([], NOW, 80, colour=False) == ["The boot log knows no hosts yet."]


@pytest.mark.parametrize("width", [70, 80, 133])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    said = ["x" * 300, "漢字" * 100, "e\u0301" * 200, "short"]
    lines = overview([host("udoo1", said=text) for text in said], NOW, width, colour=False)
    assert max(map(columns, lines)) <= width
    assert lines[1].endswith("…")
    assert lines[4].endswith("short")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_does_nothing_to_the_terminal(text: str) -> None:
    evil = host(text, text, text, stage=text, trouble={"stage": text, "reason": text, "text": text})
    boot = {"number": 1, "began": 0.0, "stage": text, "release": text, "lost": 1, "trouble": evil["trouble"]}
    boot["stages"] = [{"stage": text, "seconds": 1.0}]
    for line in (*overview([evil], NOW, 200, True), *one_host({**evil, "boots": [boot]}, NOW, 200, True)):
        assert line.isprintable()
    assert "\n" not in safe(f"a\nb{text}")


def test_colour_only_where_it_is_wanted_and_never_alone() -> None:
    plain = overview([host("udoo1", "failed", trouble=TROUBLE)], NOW, 80, colour=False)
    coloured = overview([host("udoo1", "failed", trouble=TROUBLE)], NOW, 80, colour=True)
    assert "\x1b[1;31mfailed" in coloured[1]
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


def test_one_host_shows_its_trouble_whole_and_its_boots() -> None:
    stages = [{"stage": "kernel", "seconds": 2.0}, {"stage": "network", "seconds": None}]
    boot = {
        "number": 9,
        "began": 0.0,
        "stage": "network",
        "release": "6.1.0",
        "lost": 3,
        "trouble": TROUBLE,
        "stages": stages,
    }
    lines = one_host(
        host("udoo1", "failed", trouble={**TROUBLE, "text": "x" * 100}, boots=[boot]), NOW, 60, colour=False
    )
    assert "".join(lines).count("x") >= 100
    assert max(map(columns, lines)) <= 80
    assert "kernel=2.0 s network" in "\n".join(one_host(host("udoo1", boots=[boot]), NOW, 120, colour=False))


def test_text_is_wrapped_without_loss() -> None:
    text = "漢" * 10 + "x" * 25
    assert "".join(wrapped(text, 7)) == text
    assert max(map(columns, wrapped(text, 7))) <= 7
