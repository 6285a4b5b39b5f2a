# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional filters: how they combine, and what they imply."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_filters import (
    MODELS,
    Filters,
    combine,
    hold,
    implied,
    model_of,
    problem,
    show,
)


@pytest.mark.parametrize(
    ("names", "filters"),
    [
        (["cm4"], ("cm4",)),
        (["pi4", "cm4"], ("cm4",)),
        (["cm4", "gpio7=0"], ("cm4", "gpio7=0")),
        (["gpio7=0", "cm4", "pi400"], ("gpio7=0", "pi400")),
        (["gpio4=1", "gpio2=0"], ("gpio2=0",)),
        (["0x1234", "0xabcd"], ("0xabcd",)),
        (["partition=62", "bootvar0=1", "partition=63"], ("bootvar0=1", "partition=63")),
        (["cm4", "gpio7=0", "all"], ()),
        (["cm4", "all", "none"], ("none",)),
    ],
)
def test_a_filter_replaces_those_of_its_type_alone(names: list[str], filters: Filters) -> None:
    found: Filters = ()
    for name in names:
        found = combine(found, name)
    assert found == filters


@pytest.mark.parametrize(
    ("filters", "board", "applies"),
    [
        ((), "cm4", True),
        (("pi4",), "cm4", True),
        (("cm4",), "pi4", False),
        (("pi400",), "cm4", False),
        (("board-type=0x14",), "cm4", True),
        (("board-type=20",), "cm4", True),
        (("board-type=0x11",), "cm4", False),
        (("cm4", "gpio7=0"), "cm4", False),
        (("none",), "cm4", False),
    ],
)
def test_what_holds_on_a_board(filters: Filters, board: str, applies: bool) -> None:
    assert hold(filters, MODELS[board]) is applies


@pytest.mark.parametrize(
    ("section", "filters", "implies"),
    [
        ("cm4", ("pi4",), True),
        ("cm4", ("board-type=0x14",), True),
        ("pi4", ("cm4",), False),
        ("pi4", ("board-type=0x11",), False),
        ("gpio7=0", ("gpio7=0",), True),
        ("gpio7=0", ("gpio7=1",), False),
        ("all", (), True),
        ("all", ("pi4",), False),
    ],
)
def test_what_holds_wherever_a_section_does(section: str, filters: Filters, implies: bool) -> None:
    assert hold(filters, implied(section)) is implies


def test_shown_as_they_are_written() -> None:
    assert [show(()), show(("cm4", "gpio7=0"))] == ["[all]", "[cm4][gpio7=0]"]


def test_what_the_model_decides() -> None:
    assert model_of(("cm4", "gpio7=0", "board-type=0x14", "none")) == ("cm4", "board-type=0x14", "none")


@pytest.mark.parametrize(
    "name", ["all", "none", "tryboot", "cm4", "pi3+", "pi02", "gpio7=0", "0x1234", "partition=62", "board-type=0x14"]
)
def test_filters_that_there_are(name: str) -> None:
    assert problem(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("EDID=VSC-TD2220", "the bootloader has no EDID filter"),
        ("gpio7", "expected gpio, a number, and =0 or =1"),
        ("gpio7=2", "expected gpio, a number, and =0 or =1"),
        ("cm-4", "is not known; did you mean cm4"),
        ("", "is not known"),
    ],
)
def test_filters_that_there_are_not(name: str, said: str) -> None:
    assert said in (problem(name) or "")
