# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemctl says of units. No I/O."""

from __future__ import annotations

from typing import Sequence

# How systemctl is asked, without its path: what parse_failed and parse_units take.
FAILED = ("list-units", "--state=failed", "--all", "--plain", "--no-legend", "--no-pager")
_SHOW = ("show", "--no-pager", "--property=Id,LoadState,ActiveState")


def show(units: Sequence[str]) -> list[str]:
    """Return the words by which systemctl is asked for the states of units."""
    return [*_SHOW, "--", *units]


def parse_units(text: str) -> dict[str, str]:
    """Return the state of each unit, by its name: C(not-found) or C(masked), and else whether it is C(active)."""
    states = {}
    for paragraph in text.split("\n\n"):
        found = dict(line.split("=", 1) for line in paragraph.splitlines() if "=" in line)
        if "Id" in found:
            load = found.get("LoadState", "")
            states[found["Id"]] = load if load in ("not-found", "masked") else found.get("ActiveState") or "unknown"
    return states


def parse_failed(text: str) -> list[str]:
    """Return the names of the units in a plain list."""
    return sorted(line.split()[0] for line in text.splitlines() if line.strip())
