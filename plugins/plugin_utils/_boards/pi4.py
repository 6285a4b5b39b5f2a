# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raspberry Pi 4 Model B."""

from __future__ import annotations

from .._board import Board, PiFirmware

BOARD = Board(
    name="pi4",
    arch="arm64",
    loader="pi",
    # The UART on GPIO 14 and 15, as a kernel with the device trees of Linux itself names it.
    console=("ttyS1,115200n8", "tty0"),
    # The card, its MDIO bus and the driver of its PHY, a BCM54213PE.
    modules=("genet", "mdio_bcm_unimac", "broadcom"),
    firmware=PiFirmware(model="pi4", dtb="bcm2711-rpi-4-b.dtb"),
)
