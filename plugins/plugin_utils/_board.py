# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boards: what differs between hardware models.

Each board is one file in C(_boards) that defines C(BOARD); adding a board is adding a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

Arch = Literal["amd64", "arm64"]
Loader = Literal["grub", "pi"]

_WORD = re.compile(r"[A-Za-z0-9_,-]+")


@dataclass(frozen=True)
class PiFirmware:
    """What the firmware of a Raspberry Pi reads from a boot tree, besides the files that config.txt names.

    model: the model filter of config.txt that names this board, such as C(cm4) for C([cm4]).
    dtb: the device tree that it asks for unless C(device_tree) in config.txt names another.
    files: the firmware itself, which the boot loader in the EEPROM fetches.
    """

    model: str
    dtb: str
    files: tuple[str, ...] = ("start4.elf", "fixup4.dat")


@dataclass(frozen=True)
class Board:
    """One hardware model.

    name: the value of C(diskless_board).
    arch: architecture of its operating system, in Debian's words.
    loader: what reads the boot tree, and so which configuration files the tree holds.
    console: default C(console=) values; the last one becomes /dev/console.
    modules: kernel modules of its network cards, for the initramfs; modules that these depend on come by themselves.
    firmware: for the loader C(pi) alone.
    """

    name: str
    arch: Arch
    loader: Loader
    console: tuple[str, ...]
    modules: tuple[str, ...]
    firmware: PiFirmware | None = None

    def problems(self) -> list[str]:
        """What is wrong with the board."""
        found = [
            f"{what} is {value!r}; expected one of {', '.join(known)}"
            for what, value, known in (("arch", self.arch, get_args(Arch)), ("loader", self.loader, get_args(Loader)))
            if value not in known
        ]
        for what, words in (("console", self.console), ("modules", self.modules)):
            if not isinstance(words, tuple) or not words or not all(_WORD.fullmatch(word) for word in words):
                found.append(f"{what} is {words!r}; expected a tuple of words")
        if self.loader == "pi" and not self.firmware:
            found.append("firmware is missing; expected PiFirmware, because the loader is pi")
        if self.loader != "pi" and self.firmware:
            found.append(f"firmware is there; expected none, because the loader is {self.loader}")
        return found


@cache
def boards() -> dict[str, Board]:
    """All boards by name. Raises ValueError with all that is wrong with any of them."""
    names = sorted(file.stem for file in (Path(__file__).parent / "_boards").glob("[a-z]*.py"))
    package = __name__.rpartition(".")[0]
    found: dict[str, Board] = {name: import_module(f"{package}._boards.{name}").BOARD for name in names}
    problems = [f"{name}.py: {problem}" for name, board in found.items() for problem in board.problems()]
    problems += [
        f"{name}.py: name is {board.name!r}; expected that of the file"
        for name, board in found.items()
        if board.name != name
    ]
    if problems:
        raise ValueError("\n  ".join(["Boards in plugin_utils/_boards are not right:", *problems]))
    return found
