# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A duration in words."""

from __future__ import annotations

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_EXACT = 10


def duration(seconds: float | None) -> str:
    """Seconds as ``4.2 s``, ``42 s``, ``3 min 20 s``, ``1 h 12 min`` or ``3 d 4 h``; an empty string for None.

    static/page.js has the same function.
    """
    if seconds is None:
        return ""
    seconds = max(seconds, 0.0)
    if seconds < _EXACT:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    for unit, below, name, lesser in ((_DAY, _HOUR, "d", "h"), (_HOUR, _MINUTE, "h", "min"), (_MINUTE, 1, "min", "s")):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name} {rest} {lesser}" if rest else f"{whole // unit} {name}"
    return ""
