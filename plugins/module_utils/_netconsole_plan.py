# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the changes that bring a netconsole target about. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping

from ._netconsole_target import DEFAULTS, USERDATA, Target, canonical

# The kernel has 256 bytes for an entry: its name, the value, and " =\n".
USERDATA_NAME = 53
USERDATA_VALUE = 199
USERDATA_ITEMS = 256


@dataclass(frozen=True)
class Wanted:
    """What a target is to be. What is not named, or None, stays as it is.

    settings: of the target module's SETTINGS, with their values as text.
    sysdata: those that are to be on; all others are to be off.
    """

    name: str
    present: bool = True
    enabled: bool = True
    settings: Mapping[str, str] | None = None
    userdata: Mapping[str, str] | None = None
    sysdata: frozenset[str] | None = None

    def needs(self) -> set[str]:
        """Return what the kernel has to know for it."""
        if not self.present:
            return set()
        wanted = {flag for flag in ("extended", "release") if (self.settings or {}).get(flag) == "1"}
        wanted |= {f"sysdata {name}" for name in self.sysdata or ()}
        return wanted | {USERDATA} if self.userdata else wanted

    def problems(self) -> list[str]:
        """Return what of it the kernel would refuse."""
        found = []
        if not self.name or "/" in self.name or self.name in (".", ".."):
            found.append(f"name {self.name!r}: expected the name of a directory")
        for key, value in sorted((self.userdata or {}).items()):
            if not key or len(key.encode()) > USERDATA_NAME or "/" in key or key in (".", ".."):
                found.append(
                    f"{self.name}: userdata {key!r}: expected a name of at most {USERDATA_NAME} bytes without a slash"
                )
            if not 0 < len(value.encode()) <= USERDATA_VALUE or not value.isprintable():
                found.append(
                    f"{self.name}: userdata {key}: expected a value of 1 to {USERDATA_VALUE} bytes in one line"
                )
        if len(self.userdata or ()) > USERDATA_ITEMS:
            found.append(f"{self.name}: userdata: expected at most {USERDATA_ITEMS} entries")
        return found


@dataclass(frozen=True)
class Step:
    """One change: ``mkdir`` or ``rmdir`` a directory, or ``write`` text to a file. Paths begin with a target's name."""

    action: str
    path: str
    text: str = ""


def plan(found: Target | None, wanted: Wanted) -> list[Step]:
    """Return the changes in their order; the target is disabled while its settings change, as the kernel demands."""
    if not wanted.present:
        return _removal(found) if found else []
    settings = {name: canonical(name, value) for name, value in (wanted.settings or {}).items()}
    have = found.settings if found else {}
    changes = [
        Step("write", f"{wanted.name}/{name}", text) for name, text in settings.items() if have.get(name) != text
    ]
    steps = [] if found else [Step("mkdir", wanted.name)]
    enabled = found.enabled if found else False
    if enabled and (changes or not wanted.enabled):
        steps.append(Step("write", f"{wanted.name}/enabled", "0"))
        enabled = False
    steps += changes
    steps += _userdata(found, wanted) + _sysdata(found, wanted)
    if wanted.enabled and not enabled:
        steps.append(Step("write", f"{wanted.name}/enabled", "1"))
    return steps


def expected(found: Target | None, wanted: Wanted) -> Target | None:
    """Return the target as it will be, or None."""
    if not wanted.present:
        return None
    target = found or Target(wanted.name, False, DEFAULTS, sysdata={})
    settings = {name: canonical(name, value) for name, value in (wanted.settings or {}).items()}
    sysdata = dict(target.sysdata)
    if wanted.sysdata is not None:
        sysdata = {**{name: False for name in sysdata}, **{name: True for name in wanted.sysdata}}
    return replace(
        target,
        enabled=wanted.enabled,
        settings={**target.settings, **settings},
        userdata=dict(wanted.userdata) if wanted.userdata is not None else target.userdata,
        sysdata=sysdata,
    )


def unproven(found: Target | None, wanted: Wanted) -> list[str]:
    """Return what the target, read again, does not show."""
    if not wanted.present:
        return [f"{wanted.name} is still there"] if found else []
    if not found:
        return [f"{wanted.name} is not there"]
    return [f"{step.path} is not {step.text or 'right'}" for step in plan(found, wanted)]


def _removal(found: Target) -> list[Step]:
    steps = [Step("write", f"{found.name}/enabled", "0")] if found.enabled else []
    steps += [Step("rmdir", f"{found.name}/{USERDATA}/{key}") for key in sorted(found.userdata or {})]
    return [*steps, Step("rmdir", found.name)]


def _userdata(found: Target | None, wanted: Wanted) -> list[Step]:
    if wanted.userdata is None:
        return []
    have = (found.userdata if found else None) or {}
    base = f"{wanted.name}/{USERDATA}"
    steps = [Step("rmdir", f"{base}/{key}") for key in sorted(set(have).difference(wanted.userdata))]
    for key, value in sorted(wanted.userdata.items()):
        if key not in have:
            steps.append(Step("mkdir", f"{base}/{key}"))
        if have.get(key) != value:
            steps.append(Step("write", f"{base}/{key}/value", value))
    return steps


def _sysdata(found: Target | None, wanted: Wanted) -> list[Step]:
    if wanted.sysdata is None:
        return []
    have = found.sysdata if found else {}
    return [
        Step("write", f"{wanted.name}/{USERDATA}/{name}_enabled", "1" if name in wanted.sysdata else "0")
        for name in sorted(set(have) | wanted.sysdata)
        if have.get(name, False) != (name in wanted.sysdata)
    ]
