# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host and its boots as the receiver has recorded them, and what follows from that. No I/O."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass, field
from typing import Any

from ..stages import next_stage

# How urgent: hosts are shown in this order.
STATES = ("failed", "late", "booting", "silent", "down", "ready")
DOWN = ("shutdown", "unmapped")
# Nothing comes after these by itself.
SETTLED = (*DOWN, "ready", "failed")
LATE_FACTOR = 3
LATE_SECONDS = 60.0


@dataclass(frozen=True)
class Trouble:
    """Why a boot does not go on, and the stage that it was about to reach."""

    stage: str
    reason: str
    text: str

    def in_words(self, reached: str) -> str:
        """What is wrong with a host that has reached a stage."""
        where = f"trouble in {reached}" if reached == self.stage else f"{self.stage} not reached"
        return f"{where}: {self.reason}" if self.reason else where


@dataclass(frozen=True)
class Boot:
    """One boot. Times are seconds since the epoch; ``stages`` are (stage, time) in the order of time."""

    number: int
    boot_id: str | None
    release: str | None
    began: float
    ended: float | None
    stage: str
    since: float
    lines: int
    lost: int
    trouble: Trouble | None
    stages: tuple[tuple[str, float], ...]

    def durations(self) -> list[tuple[str, float, float | None]]:
        """(stage, time, seconds) for every stage; None for the last one, after which nothing came."""
        ends: list[float | None] = [time for _stage, time in self.stages[1:]]
        return [
            (stage, time, None if end is None else max(end - time, 0.0))
            for (stage, time), end in zip(self.stages, [*ends, None], strict=False)
        ]

    def ready_seconds(self) -> float | None:
        """From the first sign of life until the host was ready, or None."""
        for stage, time in self.stages:
            if stage == "ready":
                return max(time - self.began, 0.0)
        return None


@dataclass(frozen=True)
class Host:
    """A host with its current boot and the boots before it, latest first."""

    name: str
    address: str | None
    mac: str | None
    board: str | None
    last: tuple[float, int | None, str] | None
    received: int
    lost: int
    boot: Boot | None
    earlier: tuple[Boot, ...]
    medians: dict[str, float] = field(repr=False)

    def boots(self) -> tuple[Boot, ...]:
        """The current boot and those before it, latest first."""
        return (self.boot, *self.earlier) if self.boot else self.earlier

    def median(self) -> float | None:
        """Seconds that this host usually is in its current stage, or None when nothing follows or none is known."""
        if not self.boot or self.boot.stage in SETTLED:
            return None
        return self.medians.get(self.boot.stage)

    def boot_seconds(self) -> float | None:
        """How long the last boot that became ready took, or None."""
        return next((took for boot in self.boots() if (took := boot.ready_seconds()) is not None), None)

    def state(self, now: float) -> str:
        """One of STATES."""
        boot = self.boot
        if not boot:
            return "silent"
        # A service that takes its time is no failure; a host that waits for one is late in the end.
        if boot.stage == "failed" or (boot.trouble and boot.trouble.reason != "waiting"):
            return "failed"
        if boot.stage in DOWN:
            return "down"
        if boot.stage == "ready":
            return "ready"
        return "late" if now - boot.since > max(LATE_FACTOR * (self.median() or 0.0), LATE_SECONDS) else "booting"

    def trouble(self, now: float) -> Trouble | None:
        """Why it does not go on. A host that is late without having said why leaves only its last line."""
        boot = self.boot
        if boot is None:
            return None
        if boot.trouble or self.state(now) != "late":
            return boot.trouble
        return Trouble(next_stage(boot.stage), "silent", self.last[2] if self.last else "")

    def as_json(self, now: float) -> dict[str, Any]:
        """The host as in ``/api/hosts``."""
        boot = self.boot
        return {
            "name": self.name,
            "address": self.address,
            "mac": self.mac,
            "board": self.board,
            "state": self.state(now),
            "stage": boot and boot.stage,
            "since": boot and boot.since,
            "stage_seconds": boot and round(max(now - boot.since, 0.0), 3),
            "median_seconds": self.median(),
            "boot": boot and boot.number,
            "boot_id": boot and boot.boot_id,
            "began": boot and boot.began,
            "lost": self.lost,
            "last": self.last and dict(zip(("time", "level", "text"), self.last, strict=True)),
            "trouble": trouble_json(self.trouble(now)),
        }


def medians(boots: tuple[Boot, ...]) -> dict[str, float]:
    """Median seconds in each stage, over those of the boots that came to the next one."""
    lasted: dict[str, list[float]] = {}
    for boot in boots:
        for stage, _time, seconds in boot.durations():
            if seconds is not None:
                lasted.setdefault(stage, []).append(seconds)
    return {stage: round(statistics.median(seconds), 3) for stage, seconds in lasted.items()}


def boot_json(boot: Boot) -> dict[str, Any]:
    """A boot as in ``/api/hosts/NAME``."""
    return {
        "number": boot.number,
        "boot_id": boot.boot_id,
        "release": boot.release,
        "began": boot.began,
        "ended": boot.ended,
        "stage": boot.stage,
        "lines": boot.lines,
        "lost": boot.lost,
        "trouble": trouble_json(boot.trouble),
        "stages": [
            {"stage": stage, "time": time, "seconds": None if seconds is None else round(seconds, 3)}
            for stage, time, seconds in boot.durations()
        ],
    }


def trouble_json(trouble: Trouble | None) -> dict[str, str] | None:
    """Trouble in the types of JSON."""
    return None if trouble is None else {"stage": trouble.stage, "reason": trouble.reason, "text": trouble.text}


def natural(name: str) -> list[tuple[int, str]]:
    """Key that sorts ``udoo2`` before ``udoo10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]
