# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot a board from the network interface of this network namespace, and leave what it fetched in a directory.

    python -m lab.pi_firmware --interface eth0 --mac 52:54:00:77:00:12 --serial 77a00012 --out fetched

Writes ``kernel``, ``initrd`` (unless there is none), ``dtb``, ``cmdline.txt``, ``overlays/`` and, whatever happens,
``requests.log``: outcome, size and name of every file that was asked for.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lab.errors import LabError
from lab.patience import patience
from lab.pi_firmware.board import MODELS, board
from lab.pi_firmware.boot import PowerOn
from lab.pi_firmware.eeprom import Eeprom, parse
from lab.pi_firmware.link import Link
from lab.pi_firmware.operating_system import OperatingSystem
from lab.pi_firmware.tftp import Request


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = _parser().parse_args(words)
    out: Path = options.out
    shutil.rmtree(out, ignore_errors=True)  # nothing of the boot before may be started
    out.mkdir(parents=True)
    try:
        this = board(options.board, options.mac, options.serial)
        eeprom = parse(options.eeprom.read_text(encoding="utf-8"), this) if options.eeprom else Eeprom()
        with (
            (out / "requests.log").open("w", encoding="utf-8", buffering=1) as log,
            closing(Link(options.interface, this.mac_bytes)) as link,
        ):

            def note(request: Request) -> None:
                log.write(f"{request}\n")

            eeprom = eeprom.scaled(options.scale * patience())
            _save(out, PowerOn(link, this, eeprom, options.tryboot, _say, note).boot())
    except (LabError, OSError) as error:
        _say(f"boot failed: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab.pi_firmware", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--interface", required=True, help="the network card; it is given the MAC address")
    parser.add_argument("--mac", required=True, help="the board's MAC address")
    parser.add_argument("--serial", required=True, help="the board's serial number, 8 or 16 hexadecimal digits")
    parser.add_argument("--out", required=True, type=Path, help="directory for what is fetched; emptied first")
    parser.add_argument("--board", choices=list(MODELS), default="cm4", help="its model (%(default)s)")
    parser.add_argument(
        "--eeprom", type=Path, help="output of rpi-eeprom-config (default: the bootloader's defaults, one try)"
    )
    parser.add_argument("--tryboot", action="store_true", help="the board was rebooted with the tryboot flag")
    parser.add_argument("--scale", type=float, default=1, help="factor on every time-out, times LAB_PATIENCE")
    return parser


def _say(line: str) -> None:
    print(f"firmware: {line}", flush=True)


def _save(out: Path, system: OperatingSystem) -> None:
    (out / "kernel").write_bytes(system.kernel)
    if system.initramfs is not None:
        (out / "initrd").write_bytes(system.initramfs)
    (out / "dtb").write_bytes(system.device_tree)
    (out / "cmdline.txt").write_text(system.command_line + "\n", encoding="latin-1")
    for name, content in system.overlays.items():
        path = out / "overlays" / f"{Path(name).name}.dtbo"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
