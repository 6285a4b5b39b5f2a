# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a board is."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.pi_firmware.board import MODELS, board


def test_type_is_a_part_of_the_revision_code() -> None:
    assert {name: model.type for name, model in MODELS.items()} == {"cm4": 0x14, "pi4": 0x11}


def test_firmware_uses_the_last_eight_digits_of_the_serial_number() -> None:
    assert board("cm4", "DC:A6:32:01:36:C2", "100000009FFEFDEF").serial == "9ffefdef"


@pytest.mark.parametrize(
    ("model", "mac", "serial", "said"),
    [
        ("pi5", "dc:a6:32:01:36:c2", "9ffefdef", r"board 'pi5': expected one of cm4, pi4"),
        ("cm4", "dc-a6-32-01-36-c2", "9ffefdef", r"MAC address 'dc-a6-32-01-36-c2'"),
        ("cm4", "dc:a6:32:01:36:c2", "9ffefde", r"serial number '9ffefde'"),
    ],
)
def test_board_that_cannot_be_is_refused(model: str, mac: str, serial: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        board(model, mac, serial)
