# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kinds of machine a host can be, and the QEMU that each of them is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FIRMWARE = Path("/usr/share/OVMF")
UEFI_CODE = FIRMWARE / "OVMF_CODE_4M.ms.fd"
# With Microsoft's keys enrolled, as PCs are sold: Secure Boot is on.
UEFI_VARIABLES = FIRMWARE / "OVMF_VARS_4M.ms.fd"


@dataclass(frozen=True)
class Kind:
    """One kind of machine.

    board: what the inventory calls it.
    console: its serial console, in the words of ``console=``.
    memory: MiB.
    card: what distinguishes its network card.
    """

    board: str
    arch: str
    console: str
    memory: int
    card: str = ""

    def qemu(self, accel: str) -> list[str]:
        """Return the QEMU command up to the devices that every kind has; UEFI's variables are in the working directory.

        :param accel: ``kvm`` or ``tcg``; what the machine at hand can do for its own architecture.
        """
        raise NotImplementedError


class _Pc(Kind):
    machine: Sequence[str] = ()

    def qemu(self, accel: str) -> list[str]:
        cpu = {"kvm": "host", "tcg": "qemu64"}[accel]  # a boot takes a quarter less than with all that can be emulated
        return ["qemu-system-x86_64", *self.machine, "-accel", accel, "-cpu", cpu, "-device", "i6300esb"]


class _BiosPc(_Pc):
    # ms: SeaBIOS tries again when nobody answered.
    machine = ("-machine", "pc,graphics=off", "-boot", "reboot-timeout=5000")


class _UefiPc(_Pc):
    machine = (
        *("-machine", "q35,smm=on,graphics=off", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={UEFI_CODE}"),
        *("-drive", "if=pflash,format=raw,unit=1,file=uefi-variables.fd"),
    )


class _Pi(Kind):
    """Not a Pi: QEMU emulates neither its firmware nor its network card. See lab.pi_board."""

    def qemu(self, accel: str) -> list[str]:
        del accel  # this machine is no Arm machine
        return ["qemu-system-aarch64", "-machine", "virt", "-accel", "tcg", "-cpu", "cortex-a72", "-no-reboot"]


KINDS: dict[str, Kind] = {
    "bios": _BiosPc("udoo_x86", "amd64", "ttyS0,115200", 768),
    # No boot ROM on the card: the firmware has network boot of its own, as in a PC.
    "uefi": _UefiPc("udoo_x86", "amd64", "ttyS0,115200", 1024, ",romfile="),
    "cm4": _Pi("cm4", "arm64", "ttyAMA0,115200", 1024, ",romfile="),
}


def memory(kind: Kind) -> str:
    """Return the memory of a machine in MiB: ``LAB_MEMORY`` if set."""
    return os.environ.get("LAB_MEMORY", str(kind.memory))
