# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a board is, and what it knows of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.errors import LabError


@dataclass(frozen=True)
class Model:
    """A model of Raspberry Pi.

    revision: its revision code, as in /proc/cpuinfo.
    filters: the model filters of config.txt whose settings it sees.
    device_tree: the file that its firmware asks for by itself.
    upstream_device_tree: the same with ``upstream_kernel=1``.
    """

    name: str
    revision: int
    filters: frozenset[str]
    device_tree: str
    upstream_device_tree: str

    @property
    def type(self) -> int:
        """The board type, a part of the revision code: what ``[board-type=…]`` asks for."""
        return self.revision >> 4 & 0xFF


MODELS = {
    model.name: model
    for model in (
        Model("cm4", 0xC03141, frozenset({"pi4", "cm4"}), "bcm2711-rpi-cm4.dtb", "bcm2711-rpi-cm4-io.dtb"),
        Model("pi4", 0xC03115, frozenset({"pi4"}), "bcm2711-rpi-4-b.dtb", "bcm2711-rpi-4-b.dtb"),
    )
}


@dataclass(frozen=True)
class Board:
    """One board.

    mac: its MAC address, such as ``dc:a6:32:01:36:c2``.
    serial: its serial number in 8 lower-case hexadecimal digits.
    """

    model: Model
    mac: str
    serial: str

    @property
    def mac_bytes(self) -> bytes:
        """The MAC address in 6 bytes."""
        return bytes.fromhex(self.mac.replace(":", ""))


def board(model: str, mac: str, serial: str) -> Board:
    """Return a board; the serial number may have the 16 digits of /proc/cpuinfo, of which its firmware uses the last 8.

    :raises LabError: for a model, MAC address or serial number that there cannot be.
    """
    if model not in MODELS:
        raise LabError(f"board {model!r}: expected one of {', '.join(MODELS)}")
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac.lower()):
        raise LabError(f"MAC address {mac!r}: expected six pairs of hexadecimal digits with colons between them")
    if not re.fullmatch(r"([0-9a-f]{8})?[0-9a-f]{8}", serial.lower()):
        raise LabError(f"serial number {serial!r}: expected 8 or 16 hexadecimal digits")
    return Board(MODELS[model], mac.lower(), serial.lower()[-8:])
