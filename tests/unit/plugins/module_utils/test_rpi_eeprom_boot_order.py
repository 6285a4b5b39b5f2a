# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BOOT_ORDER: what is refused, and what is advised against."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_boot_order import (
    BootOrder,
    advice,
    boot_modes,
)


def test_modes_are_tried_from_right_to_left() -> None:
    assert boot_modes("0xf641") == [1, 4, 6, 0xF]
    assert boot_modes("network") == []


@pytest.mark.parametrize("value", [0xF2, "0xf2", "0xF25641", 0x12345672, "0xe1"])
def test_orders_that_can_be(value: str | int) -> None:
    assert BootOrder().render(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0xf28", "there is no boot mode 8"),
        (0xD9F2, "there is no boot mode 9, d"),
        ("0x1f2564123", "up to eight digits"),
        (-1, "up to eight digits"),
        ("f21", "expected 0x and"),
        ("21", "expected 0x and"),
        (True, "expected 0x and"),
    ],
)
def test_orders_that_cannot(value: str | int, said: str) -> None:
    with pytest.raises(ValueError, match="expected 0x and up to eight digits, each of them a boot mode") as raised:
        BootOrder().render(value)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0xf21", []),
        ("0xf241", []),
        ("0x3", []),
        ("0x32", []),
        ("0x21", ["without RESTART (f) at the left, the board gives up when all its boot modes have failed"]),
        ("0xe1", ["with STOP (e) the board needs a power cycle when all its boot modes have failed"]),
        ("0x2f1", ["RESTART (f) comes before 2 (NETWORK), which is therefore never tried"]),
        ("0xf32", ["RPIBOOT (3) comes before f (RESTART), which is therefore never tried"]),
        ("0xf0", ["boot mode 0 (SD CARD DETECT) is deprecated: RESTART (f) as the last mode does what it was for"]),
    ],
)
def test_orders_that_are_advised_against(value: str, said: list[str]) -> None:
    assert advice(value, "cm4") == said


def test_nvme_is_for_the_module_alone() -> None:
    assert advice("0xf6", "cm4") == []
    assert advice("0xf6", "pi4") == ["boot mode 6 (NVME) is for cm4, not for pi4"]
