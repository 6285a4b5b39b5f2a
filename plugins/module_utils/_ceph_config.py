# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitors' configuration database: its rows, and which of them a daemon gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand

ENTITY_TYPES = ("mon", "mgr", "osd", "mds", "client", "auth")
# CrushWrapper's defaults, with the numbers that make a mask the more precise the lower it is.
LOCATION_TYPES: Mapping[str, int] = {
    name: number
    for number, name in enumerate(
        "osd host chassis rack row pdu pod room datacenter zone region root".split()  # noqa: SIM905
    )
}


@dataclass(frozen=True)
class Target:
    """Whom a value is for: a section such as ``global``, ``osd`` or ``mds.a``, and a mask such as ``host:x``."""

    section: str
    mask: str = ""

    @property
    def who(self) -> str:
        """The target in Ceph's words, such as ``osd/host:x``."""
        return f"{self.section}/{self.mask}" if self.mask else self.section

    @property
    def type(self) -> str:
        """The type of the daemons, or ``global``."""
        return self.section.partition(".")[0]


@dataclass(frozen=True)
class ConfigValue:
    """One row of the database."""

    section: str
    mask: str
    name: str
    value: str
    level: str

    @property
    def target(self) -> Target:
        """Whom it is for."""
        return Target(self.section, self.mask)


@dataclass(frozen=True)
class Daemon:
    """A running daemon: ``location`` is where CRUSH has it, by type (host, rack, root)."""

    type: str
    id: str
    location: Mapping[str, str] = field(default_factory=dict)
    device_class: str = ""

    @property
    def name(self) -> str:
        """The name, such as ``mds.a``."""
        return f"{self.type}.{self.id}"


def parse_target(text: str, location_types: Iterable[str] = LOCATION_TYPES) -> Target:
    """Parse ``global``, ``mds.a`` or ``osd/host:x/class:ssd``; ``location_types`` are those that the CRUSH map has.

    Raises ValueError. A mask of an unknown type Ceph would take, and never apply.
    """
    section, *masks = text.split("/")
    kind = section.partition(".")[0]
    if section != "global" and (kind not in ENTITY_TYPES or section.endswith(".")):
        raise ValueError(
            f"section {text!r}: expected global, {', '.join(ENTITY_TYPES)}, or one of them with an id, such as mds.a"
        )
    parts = {}
    for mask in masks:
        key, colon, value = mask.partition(":")
        if key not in ("class", *location_types) or not colon or not value:
            known = ", ".join(("class", *location_types))
            raise ValueError(f"section {text!r}: mask {mask!r} is not TYPE:NAME with a TYPE of {known}")
        parts["class" if key == "class" else "location"] = mask
    # In the order in which the monitors return it.
    return Target(section, "/".join(parts[key] for key in ("location", "class") if key in parts))


def parse_config_dump(answer: Iterable[Mapping[str, Any]]) -> list[ConfigValue]:
    """Parse ``ceph config dump -f json``; the order is Ceph's and has a meaning, see :func:`row_for`."""
    return [ConfigValue(row["section"], row["mask"], row["name"], row["value"], row["level"]) for row in answer]


def find_row(rows: Iterable[ConfigValue], target: Target, name: str) -> ConfigValue | None:
    """Return the row of exactly this target."""
    return next((row for row in rows if row.name == name and row.target == target), None)


def set_command(target: Target, name: str, value: str) -> CephCommand:
    """Return the command that sets a value."""
    # As a word of its own, a value with a dash in front would be taken for an option of the command.
    word = f"--value={value}" if value.startswith("--") else value
    return CephCommand(("config", "set", target.who, name, word))


def remove_command(target: Target, name: str) -> CephCommand:
    """Return the command that removes a value."""
    return CephCommand(("config", "rm", target.who, name))


def row_for(
    rows: Sequence[ConfigValue], daemon: Daemon, name: str, location_types: Mapping[str, int] = LOCATION_TYPES
) -> ConfigValue | None:
    """Return the row that the monitors give this daemon for an option, None if there is none.

    From the least to the most specific: global, the type, each dotted part of the name. Within a section the most
    precise mask wins. ConfigMap::generate_entity_map (src/mon/ConfigMap.cc), whose comparison of masks goes on
    into the next section when no other option lies between: then a mask beats a more specific section.
    """
    parts = daemon.name.split(".")
    sections = ["global", *(".".join(parts[:count]) for count in range(1, len(parts) + 1))]
    found = previous = None
    for row in (row for section in sections for row in rows if row.section == section):
        if not _applies(row.mask, daemon):
            continue
        if previous and previous.name != row.name:
            previous = None
        if previous and _precision(previous.mask, location_types) < _precision(row.mask, location_types):
            continue
        previous = row
        found = row if row.name == name else found
    return found


def _applies(mask: str, daemon: Daemon) -> bool:
    for part in filter(None, mask.split("/")):
        key, _colon, value = part.partition(":")
        if (daemon.device_class if key == "class" else daemon.location.get(key)) != value:
            return False
    return True


def _precision(mask: str, location_types: Mapping[str, int]) -> int:
    """MaskedOption::get_precision: 0 is the most precise."""
    keys = re.findall(r"(?:^|/)([^:/]+):", mask)
    for key in keys:
        if key in location_types:
            return location_types[key]
    return len(location_types) + (0 if "class" in keys else 1)
