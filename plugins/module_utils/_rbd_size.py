# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of RBD images: bytes, or a string such as ``32GiB``."""

from __future__ import annotations

import re

_UNITS = ("", "K", "M", "G", "T", "P")
_SIZE = re.compile(r"(\d+)\s*([KMGTP]?)(?:iB)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return the bytes of ``8GiB``, ``8G`` or ``8589934592``; as in Ceph, units are powers of 1024.

    Raises ValueError for anything else, also for ``8GB``, which elsewhere means powers of 1000.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"size {text!r}: expected bytes or a string such as 32GiB")
    number, unit = match.groups()
    size: int = int(number) * 1024 ** _UNITS.index(unit.upper())
    return size


def format_size(size: int) -> str:
    """Return the size in the largest unit that divides it: 8GiB, 1536MiB, 1000 bytes."""
    power = 0
    while size and size % 1024 == 0 and power < len(_UNITS) - 1:
        size //= 1024
        power += 1
    return f"{size}{_UNITS[power]}iB" if power else f"{size} bytes"
