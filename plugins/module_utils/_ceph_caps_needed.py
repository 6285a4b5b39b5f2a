# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which caps a refused command asks for."""

from __future__ import annotations

from typing import Sequence

# Commands of three words among those that the modules run; all others have two. A monitor matches whole prefixes only.
_THREE_WORDS = (
    ("config", "generate-minimal-conf"),
    ("fs", "set", "default"),
    ("osd", "pool", "create"),
    ("osd", "pool", "ls"),
    ("osd", "pool", "application"),
)


def caps_needed(words: Sequence[str]) -> str:
    """Return the caps that allow the command ``ceph WORDS`` or ``rbd WORDS``, as ``ceph auth caps`` takes them.

    The narrowest that is sure to be enough: for a monitor command the command itself (Ceph documentation, user
    management, "allow command").
    """
    tool, *args = words
    if tool == "rbd":
        return "mon 'profile rbd' osd 'profile rbd'"
    if args[:1] == ["tell"]:
        service = args[1].split(".", maxsplit=1)[0]
        return f"mon 'allow r' {service} 'allow *'"
    count = 3 if tuple(args[:3]) in _THREE_WORDS else 2
    return f"mon 'allow r, allow command \"{' '.join(args[:count])}\"'"
