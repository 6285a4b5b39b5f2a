# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role does what its documentation says: the two places that hold a default agree. No linter compares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())


def _load(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def _options(role: str) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {}
    for entry in _load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"].values():
        options.update(entry.get("options", {}))
    return options


@pytest.mark.parametrize("role", ROLES)
def test_documented_defaults_are_the_defaults(role: str) -> None:
    """meta/argument_specs.yml and defaults/main.yml hold the same variables with the same values."""
    documented = {name: option["default"] for name, option in _options(role).items() if "default" in option}
    assert documented == _load(ROOT / "roles" / role / "defaults" / "main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_variables_carry_the_name_of_their_role(role: str) -> None:
    """A role owns what starts with its name, and what all roles share starts with ``diskless_``."""
    assert [name for name in _options(role) if not name.startswith((f"{role}_", "diskless_"))] == []


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_molecule_scenario(role: str) -> None:
    """Every role is converged twice and inspected in a container."""
    assert (ROOT / "molecule" / role / "molecule.yml").is_file()
