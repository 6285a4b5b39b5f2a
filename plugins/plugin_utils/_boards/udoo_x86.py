# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Udoo x86 II, which boots by BIOS or by UEFI PXE."""

from __future__ import annotations

from .._board import Board

BOARD = Board(
    name="udoo_x86",
    arch="amd64",
    loader="grub",
    console=("ttyS0,115200n8", "tty0"),
    modules=("r8169", "realtek"),
)
