# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The firmware of a Compute Module 4 or Raspberry Pi 4, as far as the wire can tell it from a real one.

It gets an address and a boot server by DHCP and fetches by TFTP what a board would fetch, in a board's order, with its
size probes and its requests for files that are usually not there. It refuses what a board refuses, for the board's
reasons. What it fetched is what the operating system would be started with.

Written from Raspberry Pi's documentation (bootloader configuration, boot flow, config.txt), and where that is silent
from what boards were seen to send and firmware says of itself; such places are marked "observed". Where a board would
go on to start a kernel that cannot get far (no initramfs, no device tree, no command line) this one stops and says why.
"""
