# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One boot of a host: the stages it has reached, and why it does not go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from .kernel_signs import STAGE_SIGN_PREFIXES, sign, stage_sign
from .netconsole import Message
from .stages import MARK, ORDER, Marker, next_stage, parse_marker

PREFIXES = (MARK, *STAGE_SIGN_PREFIXES)  # how lines begin that can say something about a stage
WARNING = 4  # kernel signs have this level or a graver one
MAX_STAGES = 64  # that are kept of one boot; a host whose boot is retried by hand reaches stages again
PROMPT = 0.5  # seconds between saying and receiving that are no delay
DRIFT = 0.001  # by which the kernel's clock and ours may differ, more than any real ones do
_GRAVITY = {"error": 1, "retry": 2, "fatal": 3, "failed": 4}


class Trouble(NamedTuple):
    """Why a boot does not go on."""

    stage: str  # that the host tries to reach
    reason: str  # one word
    text: str  # the line that says it
    gravity: int  # a graver one is not replaced by a slighter one


@dataclass
class Reached:
    """A stage that was reached."""

    stage: str
    time: float  # when we heard of it
    uptime: float | None  # when it was, by the kernel's clock
    text: str


@dataclass
class Boot:
    """What is known about one boot of a host."""

    number: int
    host: str
    began: float  # seconds since 1970
    boot_id: str | None = None
    release: str | None = None
    reached: list[Reached] = field(default_factory=list)
    trouble: Trouble | None = None
    lines: int = 0
    lost: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    heard: float | None = None  # when the first message of its kernel came
    kernel_began: float | None = None  # seconds since 1970
    horizon: float = inf  # a message from before this says more exactly when the kernel began, see hear_clock
    stages_changed: bool = True  # since the store was committed
    since: float = 0.0  # when the current stage was reached, as of then

    @property
    def stage(self) -> str:
        """Return the stage that was reached last."""
        return self.reached[-1].stage if self.reached else "dhcp"

    @property
    def past_loader(self) -> bool:
        """Tell whether its kernel has been heard."""
        return self.heard is not None

    def reach(self, stage: str, time: float, uptime: float | None, text: str) -> None:
        """Note a stage, and that what hindered it does so no longer."""
        if len(self.reached) >= MAX_STAGES:
            del self.reached[1]
        self.reached.append(Reached(stage, time, uptime, text))
        self.stages_changed = True
        if self.trouble is not None and stage != "failed" and ORDER[stage] >= ORDER[self.trouble.stage]:
            self.trouble = None

    def hinder(self, trouble: Trouble) -> None:
        """Note a trouble, unless a graver one is known. Of several fatal ones the first says why."""
        known = self.trouble
        limit = 0 if known is None else known.gravity
        if trouble.gravity > limit or (trouble.gravity == limit and limit != _GRAVITY["fatal"]):
            self.trouble = trouble

    def stage_times(self) -> list[float]:
        """Return when each stage was reached, seconds since 1970.

        What the kernel says before its network is up arrives late and all at once: such times are computed by its
        clock.
        """
        times: list[float] = []
        for each in self.reached:
            time = each.time
            if each.uptime is not None and self.kernel_began is not None:
                said = self.kernel_began + each.uptime
                if time - said > PROMPT + DRIFT * each.uptime:
                    time = said
            times.append(max(time, times[-1]) if times else time)
        return times

    def hear_clock(self, time: float, uptime: float) -> None:
        """Note when the kernel began: no message arrives before it is said, and the least delayed one tells it best.

        To be called when ``time - (1 - DRIFT) * uptime`` is less than ``horizon``, that is, when it makes a difference.
        """
        self.kernel_began = time - uptime
        self.horizon = self.kernel_began - PROMPT
        self.stages_changed = True
        if self.reached and self.reached[0].stage not in ("dhcp", "loader"):
            self.began = min(self.began, self.kernel_began)

    def observe(self, time: float, message: Message, text: str) -> str | None:
        """Note what a line of the kernel means for the boot; return the stage that it began."""
        if text.startswith(MARK):
            marker = parse_marker(text)
            return None if marker is None else self._observe_marker(time, message, marker, text)
        stage = stage_sign(text)
        if stage is not None:
            if ORDER[stage] <= ORDER[self.stage]:
                return None
            self.reach(stage, time, message.uptime, text)
            return stage
        if message.level is None or message.level <= WARNING:
            self._observe_sign(text)
        return None

    def _observe_marker(self, time: float, message: Message, marker: Marker, text: str) -> str | None:
        values = marker.values
        self.boot_id = self.boot_id or marker.boot_id
        if marker.stage is None:
            # What systemd waits for is asked before it is said: by then it may have come.
            if marker.attempted is not None and ORDER[marker.attempted] >= ORDER[self.stage]:
                reason = values.get("reason", marker.what)
                gravity = "error" if marker.what == "unit-failed" else "retry"
                self.hinder(Trouble(marker.attempted, reason, marker.told or text, _GRAVITY[gravity]))
            return None
        if marker.stage == "kernel":
            self.release = self.release or values.get("release")
        if marker.stage == self.stage != "failed":  # a message of the kernel or of systemd has shown that already
            return None
        self.reach(marker.stage, time, message.uptime, text)
        if marker.stage == "failed":
            attempted = marker.attempted or next_stage(self.reached[-2].stage if len(self.reached) > 1 else "kernel")
            self.hinder(Trouble(attempted, values.get("reason", "unknown"), marker.told or text, _GRAVITY["failed"]))
        return marker.stage

    def _observe_sign(self, text: str) -> None:
        known = sign(text)
        # A host that is ready goes on after an error.
        if known is None or (known.severity == "error" and ORDER[self.stage] >= ORDER["ready"]):
            return
        stage = self.trouble.stage if self.trouble and self.stage == "failed" else next_stage(self.stage)
        self.hinder(Trouble(stage, known.reason, text, _GRAVITY[known.severity]))
