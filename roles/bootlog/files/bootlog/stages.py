# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a boot, and what a host says about them (the role initramfs writes it, in report.sh)."""

from __future__ import annotations

import re
from typing import NamedTuple

STAGES = (
    "dhcp",
    "loader",
    "kernel",
    "network",
    "map",
    "root",
    "userspace",
    "ready",
    "shutdown",
    "unmapped",
    "failed",
)
ORDER = {stage: number for number, stage in enumerate(STAGES)}
MARK = "diskless: "

# What was being attempted when a step failed, where the step is not called as the stage is.
_ATTEMPTED = {"config": "network", "umount": "unmapped", "unmap": "unmapped", "shutdown": "unmapped"}
_OF_USERSPACE = ("unit-failed", "waiting")  # said of systemd's units; "waiting" elsewhere names its step
_PAIR = re.compile(r'([a-z_]{1,32})=(?:"([^"]*)"|(\S*))')
_BOOT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Marker(NamedTuple):
    """A line in which a host says how its boot goes."""

    what: str  # "stage", or the word before the pairs: "retry", "waiting", "shutdown"...
    stage: str | None  # one of STAGES
    boot_id: str | None
    values: dict[str, str]

    @property
    def attempted(self) -> str | None:
        """Return the stage that the host tries to reach, where the marker is about trouble."""
        step = self.values.get("step", "userspace" if self.what in _OF_USERSPACE else "")
        stage = _ATTEMPTED.get(step, step)
        return stage if stage in ORDER else None

    @property
    def told(self) -> str:
        """Return in words what the trouble is; empty where the marker has none."""
        values = self.values
        if "jobs" in values:
            return f"systemd waits for {values['jobs']}"
        if "unit" in values:
            return f"{values['unit']} has failed: {values.get('result', '')}"
        return values.get("text") or values.get("error") or ""


def parse_marker(text: str) -> Marker | None:
    """Return what a line that begins with ``MARK`` says, or None if it is not about a stage or a step."""
    if not text.startswith(MARK):
        return None
    rest = text[len(MARK) :]
    values: dict[str, str] = {}
    for key, quoted, bare in _PAIR.findall(rest):
        values.setdefault(key, quoted or bare)
    boot_id = values.get("boot", "")
    known_id = boot_id if _BOOT_ID.fullmatch(boot_id) else None
    if rest.startswith("stage="):
        stage = values["stage"]
        return Marker("stage", stage, known_id, values) if stage in ORDER else None
    marker = Marker(rest.partition(" ")[0], None, known_id, values)
    return marker if marker.attempted else None


def next_stage(stage: str) -> str:
    """Return what a host in this stage tries to reach.

    Userspace starts for a while after it has begun, and a host that is ready stays so.
    """
    if stage in ("userspace", "ready", "unmapped", "failed"):
        return stage
    return STAGES[ORDER[stage] + 1]
