# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditional filters of the Pi's boot configuration: ``[all]``, ``[cm4]``, ``[gpio7=0]`` and their like. No I/O.

Rules: Raspberry Pi documentation, config.txt, conditional filters. A filter holds until another of the same type
replaces it; filters of different types hold together; ``[all]`` ends them all.
"""

from __future__ import annotations

import re
from typing import Iterable, Tuple

from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

ALL = "all"
# The firmware gives what follows it to config.txt, up to the end of the text; the bootloader does not read it.
CONFIG_TXT = "config.txt"

# What the boards with a BCM2711 answer to.
MODELS = {
    "cm4": ("cm4", "pi4", "board-type=0x14"),
    "cm4s": ("cm4s", "pi4", "board-type=0x15"),
    "pi4": ("pi4", "board-type=0x11"),
    "pi400": ("pi400", "pi4", "board-type=0x13"),
}

_MODEL = re.compile(r"(?:pi|cm)\d+[+a-z]*")
_GPIO = re.compile(r"gpio\d+=[01]")
_SERIAL = re.compile(r"0x[0-9a-fA-F]+")
_BOARD_TYPE = re.compile(r"board-type=(0x[0-9a-fA-F]+|\d+)")
# An expression such as partition=62; EDID filters are for config.txt alone.
_EXPRESSION = re.compile(r"(?!EDID\b)([A-Za-z_]\w*)\s*(?:[=<>!&|:]).*")
_WORDS = (ALL, "none", "tryboot")

# Names of filters that hold together, in the order in which they began; none at all is [all].
Filters = Tuple[str, ...]


def combine(filters: Filters, name: str) -> Filters:
    """Return what holds after the line ``[name]``."""
    if name == ALL:
        return ()
    return (*(one for one in filters if _kind(one) != _kind(name)), name)


def _kind(name: str) -> str:
    for kind, pattern in (("model", _MODEL), ("gpio", _GPIO), ("serial", _SERIAL)):
        if pattern.fullmatch(name):
            return kind
    expression = _EXPRESSION.fullmatch(name)
    return expression.group(1) if expression else name


def of_section(section: str) -> Filters:
    """Return the filters under which the settings of a section stand that directly follows ``[all]``."""
    return combine((), section)


def implied(section: str) -> Filters:
    """Return the filters that hold wherever this section does: ``pi4`` where ``cm4`` does, but not the reverse."""
    # pi4 is the only one that several boards answer to.
    return of_section(section) if section == "pi4" else MODELS.get(section, of_section(section))


def hold(filters: Iterable[str], true: Iterable[str]) -> bool:
    """Tell whether all these filters hold, where those in ``true`` do, among them the model of the board."""
    names = {_plain(name) for name in true}
    return all(_plain(name) in names for name in filters)


def _plain(name: str) -> str:
    board_type = _BOARD_TYPE.fullmatch(name)
    return f"board-type={int(board_type.group(1), 0):#x}" if board_type else name


def model_of(filters: Filters) -> Filters:
    """Return those of the filters that a model decides alone, and no pin, number or state of the board."""
    return tuple(name for name in filters if _MODEL.fullmatch(name) or _BOARD_TYPE.fullmatch(name) or name == "none")


def show(filters: Filters) -> str:
    """Return the filters as they are written: ``[all]``, ``[cm4][gpio7=0]``."""
    return "".join(f"[{name}]" for name in filters or (ALL,))


def problem(name: str) -> str | None:
    """Return why the bootloader has no such filter, or None if it may have."""
    if name.startswith("EDID"):
        return f"filter [{name}]: the bootloader has no EDID filter"
    known = any(pattern.fullmatch(name) for pattern in (_MODEL, _SERIAL, _BOARD_TYPE, _EXPRESSION)) or name in _WORDS
    if name.startswith("gpio") and not _GPIO.fullmatch(name):
        return f"filter [{name}]: expected gpio, a number, and =0 or =1, such as gpio7=0"
    return None if known else f"filter [{name}] is not known{nearest(name, (*_WORDS, *MODELS, 'gpio7=0'))}"
