# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mount unit that systemd has for a path (systemd.mount(5), systemd-escape(1)), without touching the path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Sequence

# Where units come from, those that systemd makes of /etc/fstab in the generators' directories (systemd.unit(5)).
DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
_PLAIN = re.compile(r"[A-Za-z0-9:_.]")


def unit_name(path: str) -> str:
    """Return the name of the unit of an absolute path."""
    parts = [part for part in path.split("/") if part]
    escaped = "-".join("".join(_escaped(character) for character in part) for part in parts)
    if escaped.startswith("."):
        escaped = f"\\x2e{escaped[1:]}"
    return f"{escaped or '-'}.mount"


def defined_unit(path: str, directories: Sequence[str] = DIRECTORIES) -> str | None:
    """Return the unit of a path if a file or a line of /etc/fstab defines it: systemd can mount it again."""
    name = unit_name(path)
    return name if any(Path(directory, name).is_file() for directory in directories) else None


def _escaped(character: str) -> str:
    if _PLAIN.match(character):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
