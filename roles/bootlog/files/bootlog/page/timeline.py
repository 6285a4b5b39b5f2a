# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots as bars: how long each stage took, as paths of an SVG picture."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .duration import duration
from .host import SETTLED, Boot

# Units of the picture's viewBox.
WIDTH = 100.0
BAR = 4.0
GAP = 2.0
_TICK = 1.2  # where a boot failed
_NARROWEST = 0.6
# A boot that hangs for hours must not squash those before it.
_LONGEST = 2.5


@dataclass(frozen=True)
class Timeline:
    """Boots as bars, one below the other, all to the same scale: an SVG path for each stage, and in words."""

    height: float
    paths: tuple[tuple[str, str], ...]
    words: str


def timeline(boots: Sequence[Boot], now: float, to_scale: float | None = None) -> Timeline:
    """The bars of boots, to their own scale by default. What comes after the stage ``ready`` is not part of a boot."""
    bars = [_segments(boot, now) for boot in boots]
    per_second = scale(boots, now) if to_scale is None else to_scale
    paths: dict[str, list[str]] = {}
    for row, (boot, segments) in enumerate(zip(boots, bars, strict=True)):
        top = row * (BAR + GAP)
        left = 0.0
        for stage, seconds in segments:
            width = min(max(seconds * per_second, _NARROWEST), WIDTH - left)
            if width > 0:
                paths.setdefault(stage, []).append(_rectangle(left, top, width))
            left += width
        if boot.trouble or boot.stage == "failed":
            paths.setdefault("failed", []).append(_rectangle(min(left, WIDTH - _TICK), top, _TICK))
    return Timeline(
        max(len(boots) * (BAR + GAP) - GAP, BAR),
        tuple((stage, "".join(path)) for stage, path in paths.items()),
        ", ".join(in_words(boot) for boot in boots),
    )


def in_words(boot: Boot) -> str:
    """How a boot ended, or where it stands."""
    ready = boot.ready_seconds()
    if ready is not None:
        return f"ready in {duration(ready)}"
    return boot.trouble.in_words(boot.stage) if boot.trouble else f"got to {boot.stage}"


def _segments(boot: Boot, now: float) -> list[tuple[str, float]]:
    """(stage, seconds) until the host was ready, failed, or now."""
    segments = []
    for stage, time, seconds in boot.durations():
        if stage in SETTLED:
            break
        if seconds is not None:
            segments.append((stage, seconds))
        else:
            segments.append((stage, max(now - time, 0.0) if boot.ended is None else 0.0))
    return segments


def scale(boots: Sequence[Boot], now: float) -> float:
    """Picture units per second at which boots of usual duration fill the picture."""
    totals = [sum(seconds for _stage, seconds in _segments(boot, now)) for boot in boots]
    longest = max(totals, default=0.0)
    usual = statistics.median_low(totals) if totals else 0.0
    if usual > 0:
        longest = min(longest, _LONGEST * usual)
    return (WIDTH - _TICK) / longest if longest > 0 else 0.0


def _rectangle(left: float, top: float, width: float) -> str:
    return f"M{left:.1f} {top:g}h{width:.1f}v{BAR:g}h-{width:.1f}z"
