# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cephx key is due for replacement."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"\s*([1-9][0-9]*)\s*([hdw])\s*")


def parse_age(text: str) -> int:
    """Return the seconds of an age such as ``90d``; raises ValueError with a message for people."""
    found = _AGE.fullmatch(text)
    if not found:
        raise ValueError(f"key_max_age {text!r} is not a number with h, d or w, such as 90d")
    return int(found[1]) * _SECONDS[found[2]]


def parse_moment(text: str, now: float) -> float:
    """Return a date or a date and time (UTC unless it says otherwise) as seconds since 1970.

    Raises ValueError with a message for people, also for what has not come yet: no key could be that new.
    """
    try:
        moment = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(
            f"key_not_before {text!r} is neither a date nor a date and time, as in 2026-11-20T08:00Z"
        ) from None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    if seconds > now:
        raise ValueError(f"key_not_before {text!r} is in the future: every run would replace the keys again")
    return seconds
