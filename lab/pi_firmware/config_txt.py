# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""config.txt as the firmware reads it: sections, included files, and lines that end where the firmware stops reading.

The bootloader's own configuration has the same syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.pi_firmware.board import Board
from lab.pi_firmware.errors import ConfigInvalid

LINE = 98  # characters; the firmware ignores the rest
NAME = 64  # characters of the file names after ``include`` and ``initramfs`` (observed: scanf's %64s)
NESTED = 8  # includes; more are taken for a file that includes itself

INITRAMFS = re.compile(r"initramfs\s+(\S+)(?:\s+(\S+))?")
INCLUDE = re.compile(r"include\s+(\S+)")
# They decide which files are fetched, and none of it is done here.
NOT_MODELLED = ("boot_ramdisk", "kernel_old")

Reader = Callable[[str], "bytes | None"]


@dataclass(frozen=True)
class Config:
    """What the settings that apply to a board come to.

    values: ``name=value``; the last one counts.
    initramfs: the files of the last ``initramfs`` line.
    overlays: the names after ``dtoverlay=``, in order.
    warnings: lines that do not do what they seem to.
    """

    values: dict[str, str] = field(default_factory=dict)
    initramfs: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def number(self, name: str, default: int = 0) -> int:
        """Return a number, decimal or with 0x; ``default`` where none is set or the value is none."""
        try:
            return int(self.values.get(name, ""), 0)
        except ValueError:
            return default


def parse(
    content: bytes, board: Board, *, name: str = "config.txt", tryboot: bool = False, read: Reader | None = None
) -> Config:
    """Return what the settings come to for this board.

    :param tryboot: whether the board was rebooted with the tryboot flag.
    :param read: returns the content of an included file; without it ``include`` is ignored, as the bootloader does.
    :raises ConfigInvalid: when a file includes itself.
    """
    parser = _Parser(board, tryboot, read)
    parser.file(name, content, 0)
    return Config(parser.values, parser.initramfs, tuple(parser.overlays), tuple(parser.warnings))


class _Parser:
    def __init__(self, board: Board, tryboot: bool, read: Reader | None) -> None:
        self.board = board
        self.tryboot = tryboot
        self.read = read
        self.filters: dict[str, bool] = {}  # by kind: one of the same kind replaces the one before
        self.values: dict[str, str] = {}
        self.initramfs: tuple[str, ...] = ()
        self.overlays: list[str] = []
        self.warnings: list[str] = []

    def file(self, name: str, content: bytes, depth: int) -> None:
        if depth > NESTED:
            raise ConfigInvalid(f"{name}: included by itself, or {depth} files deep")
        for number, line in enumerate(content.decode("latin-1").split("\n"), start=1):
            self._line(f"{name}:{number}", line.rstrip("\r"), depth)

    def _line(self, where: str, line: str, depth: int) -> None:
        if len(line) > LINE and not line.lstrip().startswith("#"):
            self._warn(where, f"only the first {LINE} characters are read, not {line[LINE:]!r}")
        line = line[:LINE].strip()
        if not line or line.startswith("#"):
            return
        if line.startswith("["):
            self._section(where, line)
        elif all(self.filters.values()):
            self._statement(where, line, depth)

    def _statement(self, where: str, line: str, depth: int) -> None:
        if included := INCLUDE.fullmatch(line):
            self._include(where, included[1], depth)
        elif initramfs := INITRAMFS.fullmatch(line):
            self._initramfs(where, *initramfs.groups())
        elif "=" in line:
            self._setting(where, *line.split("=", 1))
        else:
            self._warn(where, f"{line!r} is no setting")

    def _include(self, where: str, name: str, depth: int) -> None:
        if self.read is None:
            return
        content = self.read(self._name(where, name))
        if content is None:
            self._warn(where, f"Failed to open include file '{name}'")
        else:
            self.file(name, content, depth + 1)

    def _initramfs(self, where: str, names: str, address: str | None) -> None:
        """Without an address, as with ``followkernel``, the files go behind the kernel (observed)."""
        if address not in (None, "followkernel") and not re.fullmatch(r"0x[0-9a-fA-F]+|[0-9]+", str(address)):
            self._warn(where, f"{address!r} is neither an address nor followkernel")
        self.initramfs = tuple(self._name(where, names).split(","))

    def _setting(self, where: str, name: str, value: str) -> None:
        if name == "dtoverlay":
            self.overlays += [value.partition(",")[0]] if value else []
        elif name == "ramfsfile":
            self.initramfs = tuple(value.split(","))
        elif name in ("initramfs", "include"):
            self._warn(where, f"{name} takes no '='; the line is ignored")
        elif name != name.strip():
            self._warn(where, f"blanks before '=': there is no setting {name!r}")
        else:
            if name in NOT_MODELLED:
                self._warn(where, f"{name} is beyond this firmware")
            self.values[name] = value

    def _name(self, where: str, name: str) -> str:
        if len(name) > NAME:
            self._warn(where, f"only {NAME} characters of {name!r} are read")
        return name[:NAME]

    def _section(self, where: str, line: str) -> None:
        name = line[1:].partition("]")[0].lower()
        if not line.endswith("]"):
            self._warn(where, f"{line!r} is no section")
        if name == "all":
            self.filters.clear()
            return
        kind, passes = self._filter(name)
        if passes is None:
            self._warn(where, f"section {line} is unknown; what follows is left out")
        self.filters[kind] = bool(passes)

    def _filter(self, name: str) -> tuple[str, bool | None]:
        """Return the kind of a filter and whether the board passes it; None when nobody can tell."""
        if name in ("none", "tryboot"):
            return name, name == "tryboot" and self.tryboot
        if re.fullmatch(r"(pi|cm)[0-9]+[a-z+]*", name):
            return "model", name in self.board.model.filters
        if board_type := re.fullmatch(r"board-type=(0x[0-9a-f]+|[0-9]+)", name):
            return "model", int(board_type[1], 0) == self.board.model.type
        if serial := re.fullmatch(r"0x([0-9a-f]+)", name):
            return "serial", int(serial[1], 16) == int(self.board.serial, 16)
        # There is no display, and what is wired to the pins is not known.
        elsewhere = next((kind for kind in ("edid=", "hdmi:", "gpio") if name.startswith(kind)), None)
        return (elsewhere, False) if elsewhere else ("unknown", None)

    def _warn(self, where: str, text: str) -> None:
        self.warnings.append(f"{where}: {text}")
