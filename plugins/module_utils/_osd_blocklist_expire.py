# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a client is blocked: seconds, or a duration such as ``1h30m``."""

from __future__ import annotations

import re

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:(\d+)\s*{unit})?\s*" for unit in _UNITS))
# Ceph ends every entry in 2106 at the latest.
LONGEST_SECONDS = 50 * 365 * 86400


def parse_duration(text: str) -> int:
    """Return the seconds of ``3600``, ``90s``, ``1h`` or ``1h30m``; raises ValueError for anything else."""
    text = text.strip().lower()
    found = _DURATION.fullmatch(text)
    if text.isdecimal():
        seconds = int(text)
    elif found and text:
        seconds = sum(int(number or 0) * size for number, size in zip(found.groups(), _UNITS.values()))
    else:
        raise ValueError(f"{text!r}: expected seconds or a duration such as 90s, 1h or 1h30m")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"{text!r}: expected one second to {LONGEST_SECONDS} s (50 years)")
    return seconds
