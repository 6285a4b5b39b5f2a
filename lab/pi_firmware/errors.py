# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a board does not boot."""

from __future__ import annotations

from lab.errors import LabError


class FirmwareError(LabError):
    """The firmware gave up; the text is its reason."""


class NoOffer(FirmwareError):
    """No DHCP server answered."""


class NoBootOffer(FirmwareError):
    """DHCP servers answered, but none of them has a network boot for this board."""


class NoLease(FirmwareError):
    """The DHCP server that offered an address did not confirm it."""


class TransferFailed(FirmwareError):
    """A file is on the boot server and did not arrive whole."""


class FirmwareNotFound(FirmwareError):
    """There is no start4.elf, under the prefix or without it."""


class FirmwareUnusable(FirmwareError):
    """start4.elf or fixup4.dat is not what this board can start."""


class RecoveryFound(FirmwareError):
    """A recovery system is there, which the board would start instead."""


class ConfigInvalid(FirmwareError):
    """config.txt cannot be made sense of."""


class KernelNotFound(FirmwareError):
    """There is no kernel."""


class KernelIncompatible(FirmwareError):
    """What is there is no kernel that the firmware can start in 64-bit mode."""


class InitramfsNotFound(FirmwareError):
    """config.txt names an initramfs that is not there."""


class DeviceTreeNotFound(FirmwareError):
    """There is no device tree for this board."""


class CommandLineNotFound(FirmwareError):
    """There is no file with the kernel's command line."""
