# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kinds of machine a host can be, and the QEMU that each of them is."""

from __future__ import annotations

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
    system: the architecture in QEMU's words.
    cpu: what is emulated; a PC has the machine's own where KVM works.
    machine: QEMU's words for what no other kind has; UEFI's variables are in the working directory.
    card: the same for its network card.
    """

    board: str
    console: str
    memory: int
    system: str
    cpu: str
    machine: tuple[str, ...]
    card: str = ""

    @property
    def is_pc(self) -> bool:
        """Whether it boots by its own firmware; a Pi is run by lab.pi_board."""
        return self.system == "x86_64"


PC_CPU = "qemu64"  # a boot takes a quarter less than with all that can be emulated
# A boot loader without a processor for half a minute is given up by the TFTP server; what manages the hosts can wait.
PRECEDENCE = ("nice", "-n", "-10")
WATCHDOG = ("-device", "i6300esb")
# No boot ROM on the card: the firmware has network boot of its own, as in a PC.
NO_ROM = ",romfile="
KINDS: dict[str, Kind] = {
    # ms: SeaBIOS tries again when nobody answered.
    "bios": Kind(
        "udoo_x86",
        "ttyS0,115200",
        768,
        "x86_64",
        PC_CPU,
        ("-machine", "pc,graphics=off", "-boot", "reboot-timeout=5000", *WATCHDOG),
    ),
    "uefi": Kind(
        "udoo_x86",
        "ttyS0,115200",
        1024,
        "x86_64",
        PC_CPU,
        (
            *("-machine", "q35,smm=on,graphics=off", "-global", "driver=cfi.pflash01,property=secure,value=on"),
            *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={UEFI_CODE}"),
            *("-drive", "if=pflash,format=raw,unit=1,file=uefi-variables.fd", *WATCHDOG),
        ),
        NO_ROM,
    ),
    # QEMU emulates neither its firmware nor its network card.
    "cm4": Kind("cm4", "ttyAMA0,115200", 1024, "aarch64", "cortex-a72", ("-machine", "virt", "-no-reboot"), NO_ROM),
}
