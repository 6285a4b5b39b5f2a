# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any PC with a 64-bit processor that boots by BIOS or by UEFI PXE."""

from __future__ import annotations

from .._board import Board

BOARD = Board(
    name="pxe",
    arch="amd64",
    loader="grub",
    console=("ttyS0,115200n8", "tty0"),
    # The wired cards of PCs and of virtual machines that Debian's kernel drives without further firmware files.
    modules=(
        *("e1000", "e1000e", "igb", "igc", "ixgbe", "i40e"),
        *("r8169", "realtek", "tg3", "bnxt_en", "alx", "atl1c", "atlantic", "sky2"),
        *("virtio_net", "virtio_pci", "vmxnet3"),
    ),
)
