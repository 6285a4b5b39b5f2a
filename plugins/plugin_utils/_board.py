# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boards: what differs between hardware models.

Each board is one file in C(_boards) that defines C(BOARD); adding a board is adding a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Board:
    """One hardware model.

    name: the value of C(diskless_board).
    arch: architecture of its operating system, in Debian's words.
    loader: what reads the boot tree, and so which configuration files the tree holds.
    console: default C(console=) values; the last one becomes /dev/console.
    """

    name: str
    arch: str
    loader: Literal["grub"]
    console: tuple[str, ...]


@cache
def boards() -> dict[str, Board]:
    """All boards by name."""
    names = sorted(file.stem for file in (Path(__file__).parent / "_boards").glob("[a-z]*.py"))
    package = __name__.rpartition(".")[0]
    found: list[Board] = [import_module(f"{package}._boards.{name}").BOARD for name in names]
    return {board.name: board for board in found}
