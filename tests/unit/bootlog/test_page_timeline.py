# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots as bars."""

from __future__ import annotations

import re

import pytest
from bootlog.page.host import Boot, Trouble
from bootlog.page.timeline import WIDTH, timeline

from tests.unit.bootlog.filled_store import path_to


def boot(stages: list[tuple[str, float]], trouble: Trouble | None = None, ended: float | None = None) -> Boot:
    return Boot(1, None, None, stages[0][1], ended, *stages[-1], 0, 0, trouble, tuple(stages))


def widths(path: str) -> list[float]:
    return [float(width) for width in re.findall(r"h([0-9.]+)v", path)]


def test_stages_are_as_long_as_they_took_and_fill_the_picture() -> None:
    picture = timeline([boot([("kernel", 0.0), ("network", 10.0), ("map", 40.0), ("ready", 50.0)])], 1000.0)
    drawn = {stage: widths(path)[0] for stage, path in picture.paths}
    assert list(drawn) == ["kernel", "network", "map"]
    assert drawn["network"] == pytest.approx(3 * drawn["kernel"], abs=0.2)
    assert drawn["map"] == drawn["kernel"]
    assert WIDTH - 2 < sum(drawn.values()) <= WIDTH


def test_current_stage_grows_and_that_of_an_ended_boot_does_not() -> None:
    now = boot([("kernel", 0.0), ("map", 10.0)])
    cut = boot([("kernel", 0.0), ("map", 10.0)], ended=5000.0)
    paths = dict(timeline([now, cut], 20.0).paths)
    assert widths(paths["map"])[0] == widths(paths["kernel"])[0]
    assert widths(paths["map"])[1] < 1


def test_boot_that_hangs_for_days_does_not_hide_those_before_it() -> None:
    usual = boot(path_to("ready", 0.0))
    hanging = boot([("dhcp", 0.0)])
    picture = timeline([hanging, usual, usual], 300000.0)
    right = max(
        float(left) + float(width) for left, width in re.findall(r"M([0-9.]+) [0-9.]+h([0-9.]+)", str(picture.paths))
    )
    assert right <= WIDTH + 0.1
    assert widths(dict(picture.paths)["loader"])[0] > 5


def test_failure_has_a_mark_and_words() -> None:
    picture = timeline([boot(path_to("network", 0.0), Trouble("map", "auth", "")), boot(path_to("ready", 0.0))], 60.0)
    assert "failed" in dict(picture.paths)
    assert picture.words == "map not reached: auth, ready in 22 s"


def test_no_boots_make_an_empty_picture() -> None:
    assert timeline([], 0.0).paths == ()
