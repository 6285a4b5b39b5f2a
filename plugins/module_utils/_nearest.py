# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may have meant by a name that does not exist."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean a, b?`` for the known names that resemble this one, or nothing if none does."""
    found = get_close_matches(name, sorted(set(known)), n=3)
    return f"; did you mean {', '.join(found)}?" if found else ""
