# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBD image features: their names, what they need, and which kernel can map them."""

from __future__ import annotations

from typing import Iterable

# Bit order of librbd's features.h.
_NAMES = (
    "layering",
    "striping",
    "exclusive-lock",
    "object-map",
    "fast-diff",
    "deep-flatten",
    "journaling",
    "data-pool",
    "operations",
    "migrating",
    "non-primary",
    "dirty-cache",
)
# What a user may ask for; Ceph sets and clears the others by itself.
SELECTABLE = ("layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten", "journaling")
ALL = _NAMES
# What can be enabled and disabled later, in the order in which one builds on the other.
CHANGEABLE = ("exclusive-lock", "object-map", "fast-diff", "journaling")
# Ceph enables and disables these two together, whichever of them it is asked for.
_TOGETHER = ("object-map", "fast-diff")
_NEEDS = {"object-map": "exclusive-lock", "fast-diff": "object-map", "journaling": "exclusive-lock"}
# First kernel whose drivers/block/rbd.c has the feature in RBD_FEATURES_SUPPORTED. Features that are
# missing here (journaling above all) no kernel maps.
_FIRST_KERNEL = {
    "layering": (3, 10),
    "exclusive-lock": (4, 9),
    "data-pool": (4, 11),
    "operations": (4, 16),
    "striping": (4, 17),
    "deep-flatten": (5, 1),
    "object-map": (5, 3),
    "fast-diff": (5, 3),
}


def feature_names(bits: int) -> tuple[str, ...]:
    """Return the names of a feature bit mask, in bit order; an unknown bit is named by its number."""
    names = _NAMES + tuple(f"bit-{number}" for number in range(len(_NAMES), 64))
    return tuple(name for number, name in enumerate(names) if bits >> number & 1)


def feature_bits(names: Iterable[str]) -> int:
    """Return the bit mask of these features."""
    return sum(1 << _NAMES.index(name) for name in set(names))


def selectable(features: Iterable[str]) -> tuple[str, ...]:
    """Return those features that a user chooses, in bit order: what can be compared with a wish."""
    present = set(features)
    return tuple(name for name in SELECTABLE if name in present)


def feature_problems(features: Iterable[str]) -> list[str]:
    """Return what is wrong with a wish for these features, whatever maps them.

    Ceph itself drops a feature silently when the one it builds on is missing.
    """
    wanted = list(features)
    problems = [
        f"feature {name!r} cannot be asked for; choose from {', '.join(SELECTABLE)}"
        for name in wanted
        if name not in SELECTABLE
    ]
    problems += [
        f"feature {name} needs {_NEEDS[name]}" for name in wanted if name in _NEEDS and _NEEDS[name] not in wanted
    ]
    if "object-map" in wanted and "fast-diff" not in wanted:
        problems.append("feature object-map brings fast-diff with it: ask for both")
    return problems


def with_needs(features: Iterable[str]) -> tuple[str, ...]:
    """Return these features and what comes with enabling them, first what the others build on."""
    found = set(features)
    for name in reversed(CHANGEABLE):
        if name in _TOGETHER and found.intersection(_TOGETHER):
            found.add(name)
        if name in found and name in _NEEDS:
            found.add(_NEEDS[name])
    return _in_building_order(found)


def with_dependants(features: Iterable[str]) -> tuple[str, ...]:
    """Return these features and what goes with disabling them, first what builds on the others."""
    found = set(features)
    for name in CHANGEABLE:
        if _NEEDS.get(name) in found or (name in _TOGETHER and found.intersection(_TOGETHER)):
            found.add(name)
    return _in_building_order(found)[::-1]


def _in_building_order(features: Iterable[str]) -> tuple[str, ...]:
    order = (*(name for name in _NAMES if name not in CHANGEABLE), *CHANGEABLE)
    return tuple(sorted(features, key=order.index))


def parse_kernel(version: str) -> tuple[int, int]:
    """Return (6, 1) for ``6.1`` or ``6.1.0-56-amd64``. Raises ValueError for anything else."""
    parts = version.split("-", maxsplit=1)[0].split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):  # noqa: PLR2004 -- major.minor
        raise ValueError(f"kernel {version!r}: expected a version such as 6.1")
    return int(parts[0]), int(parts[1])


def unmappable(features: Iterable[str], kernel: str) -> list[str]:
    """Return why this kernel cannot map an image with these features; empty if it can."""
    version = parse_kernel(kernel)
    reasons = []
    for name in features:
        first = _FIRST_KERNEL.get(name)
        if first is None:
            reasons.append(f"no kernel maps {name}")
        elif version < first:
            reasons.append(f"{name} needs kernel {first[0]}.{first[1]}")
    return reasons
