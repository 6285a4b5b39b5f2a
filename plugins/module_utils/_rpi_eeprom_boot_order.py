# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BOOT_ORDER of the Pi's bootloader: one hexadecimal digit for each boot mode, tried from right to left. No I/O."""

from __future__ import annotations

import re
from typing import Any, Hashable

from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_kinds import WORD_MAXIMUM, Kind, parse_number

DETECT, NETWORK, RPIBOOT, NVME, STOP, RESTART = 0x0, 0x2, 0x3, 0x6, 0xE, 0xF
NAMES = {
    DETECT: "SD CARD DETECT",
    0x1: "SD CARD",
    NETWORK: "NETWORK",
    RPIBOOT: "RPIBOOT",
    0x4: "USB-MSD",
    0x5: "BCM-USB-MSD",
    NVME: "NVME",
    0x7: "HTTP",
    STOP: "STOP",
    RESTART: "RESTART",
}
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")
_BITS = 4


class BootOrder(Kind):
    """The value of BOOT_ORDER."""

    expected = "0x and up to eight digits, each of them a boot mode (0 to 7, e or f), such as 0xf21"

    def meaning(self, text: str) -> Hashable:
        """Return the number, or the text if it is none."""
        number = parse_number(text)
        return text if number is None else number

    def render(self, value: Any) -> str:
        """Return how the value is written: YAML makes a number of an unquoted 0xf21."""
        try:
            return super().render(value)
        except ValueError as error:
            modes = [f"{mode:x}" for mode in boot_modes(str(value)) if mode not in NAMES]
            nobody = f"; there is no boot mode {', '.join(dict.fromkeys(modes))}" if modes else ""
            raise ValueError(f"{error}{nobody}") from None

    def _spell(self, number: int) -> str:
        return f"{number:#x}"

    def _fits(self, text: str) -> bool:
        number = parse_number(text) if _HEXADECIMAL.fullmatch(text) else None
        return number is not None and number <= WORD_MAXIMUM and all(mode in NAMES for mode in boot_modes(text))


def boot_modes(text: str) -> list[int]:
    """Return the boot modes in the order in which they are tried; none if the text is no number."""
    number = parse_number(text)
    if number is None or number < 0:
        return []
    return [int(digit, 16) for digit in reversed(f"{number:x}")]


def advice(text: str, board: str) -> list[str]:
    """Return what the documentation advises against, though it does not forbid it."""
    modes = boot_modes(text)
    found = []
    if DETECT in modes:
        found.append("boot mode 0 (SD CARD DETECT) is deprecated: RESTART (f) as the last mode does what it was for")
    if NVME in modes and board != "cm4":
        found.append(f"boot mode 6 (NVME) is for cm4, not for {board}")
    last = next((mode for mode in modes if mode in (RPIBOOT, STOP, RESTART)), None)
    rest = modes[modes.index(last) + 1 :] if last is not None else []
    if rest:
        names = ", ".join(f"{mode:x} ({NAMES.get(mode, 'unknown')})" for mode in rest)
        found.append(f"{NAMES[last or 0]} ({last:x}) comes before {names}, which is therefore never tried")
    if last is None:
        found.append("without RESTART (f) at the left, the board gives up when all its boot modes have failed")
    if last == STOP:
        found.append("with STOP (e) the board needs a power cycle when all its boot modes have failed")
    return found
