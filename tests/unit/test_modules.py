# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every module, so that a new one cannot forget it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")


def _documentation(module: str) -> dict[str, Any]:
    for node in ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            documentation: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return documentation
    raise LookupError(f"{module} has no DOCUMENTATION")


def test_action_group_holds_every_module_with_the_connection_options() -> None:
    """``module_defaults: group/diskless.ceph.ceph`` reaches all modules that take these options, and no other."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    connecting = [
        module
        for module in MODULES
        if "diskless.ceph.ceph" in _documentation(module).get("extends_documentation_fragment", [])
    ]
    assert runtime["action_groups"]["ceph"] == connecting


def _converged(module: str) -> bool:
    """Tell whether a molecule scenario uses the module, or the role that it is for."""
    return any(
        f"diskless.ceph.{module}:" in tasks.read_text(encoding="utf-8")
        for scenario in (ROOT / "molecule").glob("*/molecule.yml")
        for place in (scenario.parent, ROOT / "roles" / scenario.parent.name / "tasks")
        for tasks in place.glob("*.yml")
    )


@pytest.mark.parametrize("module", MODULES)
def test_module_runs_for_real_somewhere(module: str) -> None:
    """Against a real cluster (tests/integration) or kernel (tests/kernel), or in a molecule scenario."""
    stages = ("integration", "kernel")
    assert any((ROOT / "tests" / stage / f"test_{module}.py").is_file() for stage in stages) or _converged(module)
