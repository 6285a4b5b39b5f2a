# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernel.txt: the part of config.txt in which a host's operating system names what the firmware of a Pi boots.

https://www.raspberrypi.com/documentation/computers/config_txt.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection

from ._rpi_eeprom_filters import Filters, combine, hold, implied

KERNEL_TXT = "kernel.txt"
LINE = 98
# start4.elf reads "initramfs %64s followkernel".
INITRAMFS_NAMES = 64

_PRINTABLE = re.compile(r"[ -~]*")
_FILTER = re.compile(r"\[(.*)\]")
_INITRAMFS = re.compile(r"initramfs\s+(\S+)\s+followkernel")


@dataclass(frozen=True)
class Firmware:
    """What the firmware of one board reads.

    model: its filter in config.txt, such as C(cm4).
    dtb: the device tree that it asks for when none is named.
    files: the firmware's own.
    """

    model: str
    dtb: str
    files: tuple[str, ...]


def settings(text: str, model: str) -> dict[str, str]:
    """Return what holds for a board; C(initramfs), which is written in a way of its own, is the whole line.

    model: the board's filter in config.txt.
    """
    found: dict[str, str] = {}
    filters: Filters = ()
    for line in text.splitlines():
        section = _FILTER.fullmatch(line.strip())
        if section:
            filters = combine(filters, section.group(1))
        elif hold(filters, implied(model)):
            name, value = _setting(line)
            found[name] = value
    return found


def initramfs_names(line: str) -> list[str]:
    """Return what the line names, in its order; nothing of a line that the firmware would not take."""
    found = _INITRAMFS.fullmatch(line)
    return found.group(1).split(",") if found else []


def missing(text: str, there: Collection[str], host_cpio: str) -> list[str]:
    """Return which files are named for any board at all, and are not there.

    there, host_cpio: as for problems().
    """
    named: list[tuple[str, str]] = []
    for line in text.splitlines():
        name, value = _setting(line)
        if name == "initramfs":
            named += [(name, file) for file in initramfs_names(value) if file != host_cpio]
        elif name in ("kernel", "device_tree"):
            named.append((name, value))
    return [f"{KERNEL_TXT} sets {name} to {file}, which is not there" for name, file in named if file not in there]


def problems(text: str, firmware: Firmware, there: Collection[str], host_cpio: str) -> list[str]:
    """Return why a boot tree with this kernel.txt would not boot the board; nothing if it would.

    there: names of the files in the tree.
    host_cpio: name of the archive that is always there and has to be in the list of initramfs.
    """
    found = [f"no {name}" for name in firmware.files if name not in there]
    found += [
        f"line {number} of {KERNEL_TXT} is {line!r}; expected at most {LINE} characters of printable ASCII"
        for number, line in enumerate(text.splitlines(), start=1)
        if len(line) > LINE or not _PRINTABLE.fullmatch(line)
    ]
    set_there = settings(text, firmware.model)
    found += _initramfs(set_there.get("initramfs", ""), there, host_cpio)
    for name, default in (("kernel", ""), ("device_tree", firmware.dtb)):
        value = set_there.get(name, default)
        if value not in there:
            found.append(f"{KERNEL_TXT} sets {name} to {value or 'nothing'}, which is not there")
    return found


def _setting(line: str) -> tuple[str, str]:
    """Return name and value; of C(initramfs), which is written in a way of its own, the whole line."""
    if re.match(r"\s*initramfs\b", line):
        return "initramfs", line.strip()
    name, _sign, value = line.partition("=")
    return name.strip(), value.strip()


def _initramfs(line: str, there: Collection[str], host_cpio: str) -> list[str]:
    expected = f"expected 'initramfs {host_cpio},NAME followkernel' (without an equals sign)"
    names = initramfs_names(line)
    if not names:
        return [f"{KERNEL_TXT} has {line!r}; {expected}" if line else f"{KERNEL_TXT} names no initramfs; {expected}"]
    if host_cpio not in names or len(names) == 1:
        return [f"{KERNEL_TXT} has {line!r}; {expected}"]
    if len(",".join(names)) > INITRAMFS_NAMES:
        return [f"{KERNEL_TXT} has {line!r}; expected at most {INITRAMFS_NAMES} characters between the blanks"]
    return [
        f"{KERNEL_TXT} sets initramfs to {name or 'nothing'}, which is not there"
        for name in names
        if name != host_cpio and name not in there
    ]
