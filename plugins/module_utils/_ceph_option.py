# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph's options: what ``ceph config help`` says of one, and what that means for a value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option_value import (
    as_text,
    canonical,
    canonical_features,
    canonical_verbosity,
    same_address,
)

_NUMBERS = ("int", "uint", "size", "float", "secs", "millisecs")


@dataclass(frozen=True)
class CephOption:
    """An option of Ceph; ``min`` and ``max`` are texts in its own type, None where there is no limit."""

    name: str
    type: str
    default: str
    level: str
    services: tuple[str, ...]
    can_update_at_runtime: bool
    enum_values: tuple[str, ...] = ()
    min: str | None = None
    max: str | None = None
    flags: tuple[str, ...] = ()


def parse_option_help(answer: Mapping[str, Any]) -> CephOption:
    """Parse ``ceph config help NAME -f json``.

    ``default`` is that of daemons where they have one of their own.
    """
    option = CephOption(
        name=answer["name"],
        type=answer["type"],
        default=as_text(answer["default"] if answer["daemon_default"] == "" else answer["daemon_default"]),
        level=answer["level"],
        services=tuple(answer["services"]),
        can_update_at_runtime=answer["can_update_at_runtime"],
        enum_values=tuple(answer.get("enum_values", ())),
        min=None if answer["min"] == "" else as_text(answer["min"]),
        max=None if answer["max"] == "" else as_text(answer["max"]),
        flags=tuple(answer["flags"]),
    )
    return replace(option, default=shown(option, option.default))


def shown(option: CephOption, value: Any) -> str:
    """Return a value that Ceph gave as its monitors would store it: in some answers 15 stands for 15.000000."""
    text = as_text(value)
    try:
        return _canonical(option, text)
    except ValueError:
        return text


def normalise(option: CephOption, value: Any) -> str:
    """Return the value, as YAML has it, as the monitors store it. Raises ValueError for what Ceph would refuse."""
    text = _canonical(option, as_text(value))
    if option.enum_values and option.type == "str" and text not in option.enum_values:
        raise ValueError(f"expected one of {', '.join(option.enum_values)}")
    if option.type in _NUMBERS:
        if option.min is not None and _number(option, text) < _number(option, option.min):
            raise ValueError(f"expected at least {option.min}")
        if option.max is not None and _number(option, text) > _number(option, option.max):
            raise ValueError(f"expected at most {option.max}")
    return text


def same_value(option: CephOption, one: Any, other: Any) -> bool:
    """Tell whether two values of the option mean the same to Ceph; limits do not matter."""
    try:
        first, second = (_canonical(option, as_text(value)) for value in (one, other))
    except ValueError:
        return bool(one == other)
    return same_address(first, second) if option.type in ("addr", "addrvec") else first == second


def problem(option: CephOption, value: Any) -> str | None:
    """Return why Ceph would not take this value, None if it would."""
    try:
        normalise(option, value)
    except ValueError as error:
        return f"option {option.name} ({option.type}): {error}, got {value!r}"
    if "no_mon_update" in option.flags:
        return f"option {option.name} cannot be in the monitors' configuration database: set it in ceph.conf"
    return None


def _canonical(option: CephOption, text: str) -> str:
    if option.type == "str" and option.name.startswith("debug_") and re.fullmatch(r"\d+/\d+", option.default):
        return canonical_verbosity(text)
    if option.name == "rbd_default_features":
        return canonical_features(text)
    return canonical(option.type, text)


def _number(option: CephOption, text: str) -> float:
    number = canonical(option.type, text)
    return float(number) if option.type == "float" else int(number)
