# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the lab waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from lab.errors import LabError


def patience() -> float:
    """Return the factor on every time limit: ``LAB_PATIENCE``, for slow or busy machines; 1 by default.

    Raises LabError when the variable is no positive number.
    """
    text = os.environ.get("LAB_PATIENCE", "1")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not factor > 0:  # so that "nan" is refused too
        raise LabError(f"LAB_PATIENCE={text!r}: expected a positive number such as 2")
    return factor


def wait_until(done: Callable[[], bool], timeout: float, interval: float = 0.2) -> bool:
    """Call ``done`` until it is true, for ``timeout`` seconds times the patience at most; return whether it is."""
    deadline = time.monotonic() + timeout * patience()
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True
