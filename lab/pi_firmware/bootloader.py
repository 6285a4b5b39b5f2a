# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bootloader in the EEPROM: finds the directory of this board and starts start4.elf from it.

https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#eeprom-boot-flow; the order of the requests is
observed.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.pi_firmware import config_txt
from lab.pi_firmware.board import Board
from lab.pi_firmware.config_txt import Config
from lab.pi_firmware.errors import FirmwareNotFound, FirmwareUnusable, RecoveryFound
from lab.pi_firmware.partition import Partition

START, OLD_START = "start4.elf", "start.elf"
RECOVERY = ("recover4.elf", "recovery.elf")
CUT_DOWN = 16  # of gpu_mem, in MiB: the firmware without codecs
VIDEOCORE = 137  # e_machine of an ELF file: EM_VIDEOCORE3


def configuration(tryboot: bool) -> str:
    """Return the name of the configuration file."""
    return "tryboot.txt" if tryboot else "config.txt"


def load(partition: Partition, board: Board, tryboot: bool, say: Callable[[str], None]) -> Partition:
    """Load the firmware; return where it came from, which is where it will look for the operating system.

    :raises FirmwareNotFound: there is none.
    :raises FirmwareUnusable: start4.elf and fixup4.dat cannot be started.
    :raises RecoveryFound: the board would start something else.
    """
    if partition.probe(START) is None and partition.probe(OLD_START) is None:
        say(f"neither {START} nor {OLD_START} under {partition.prefix!r}: the prefix is dropped")
        partition = partition.without_prefix()
    name = configuration(tryboot)
    # 'include' is beyond the bootloader.
    config = config_txt.parse(partition.get(name) or b"", board, name=name, tryboot=tryboot)
    partition.get("pieeprom.sig")  # self-update has no effect on a Compute Module
    for recovery in RECOVERY:
        if partition.probe(recovery) is not None:
            raise RecoveryFound(f"{partition.prefix}{recovery} is there: the board would start it instead of {START}")
    start_name, fixup_name = _names(config)
    start = partition.get(start_name)
    if start is None and start_name == START:
        start_name = OLD_START
        start = partition.get(start_name)
    if start is None:
        raise FirmwareNotFound(f"Firmware not found: no {start_name} under {partition.prefix!r}")
    fixup = partition.get(fixup_name)
    _check(start_name, start, fixup_name, fixup)
    say(f"starting {partition.prefix}{start_name}")
    return partition


def _names(config: Config) -> tuple[str, str]:
    """Return start_file and fixup_file, or what the settings that stand for a pair of them mean on a Pi 4."""
    variant = ""
    if config.number("gpu_mem") == CUT_DOWN:
        variant = "cd"
    elif config.number("start_x"):
        variant = "x"
    elif config.number("start_debug"):
        variant = "db"
    values = config.values
    return values.get("start_file", f"start4{variant}.elf"), values.get("fixup_file", f"fixup4{variant}.dat")


def _check(start_name: str, start: bytes, fixup_name: str, fixup: bytes | None) -> None:
    """Refuse what a board would refuse, as far as a name and a look at the header can tell."""
    if start[:4] != b"\x7fELF" or int.from_bytes(start[18:20], "little") != VIDEOCORE:
        raise FirmwareUnusable(f"{start_name} is not compatible: {len(start)} bytes that are no VideoCore program")
    if not fixup:
        what = "is missing" if fixup is None else "is empty"
        raise FirmwareUnusable(f"{fixup_name} {what}: {start_name} would not know how much memory there is")
    pair = f"fixup{start_name.removeprefix('start').removesuffix('.elf')}.dat"
    if start_name.startswith("start") and fixup_name.startswith("fixup") and fixup_name != pair:
        raise FirmwareUnusable(f"{start_name} and {fixup_name} are not a pair: expected {pair}")
