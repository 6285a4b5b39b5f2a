# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pre-flight says: problems, and what it could not find out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that will go wrong, or that is worth knowing before anything is changed.

    check: short id, by which it can be accepted. text: the same as a sentence.
    found: the values that show it. expected: what should be there. remedy: what to do. command: what to type.
    host: the diskless host that it is about, machine: the other machine; neither when it is about the cluster.
    stops: whether it is a reason to change nothing; else it is only worth knowing.
    """

    check: str
    text: str
    found: tuple[str, ...]
    expected: str
    remedy: str
    command: str = ""
    host: str = ""
    machine: str = ""
    stops: bool = True


@dataclass(frozen=True)
class NotKnown:
    """Something that could not be found out, and why."""

    check: str
    why: str


Said = Problem | NotKnown
