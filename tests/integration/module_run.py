# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module as Ansible does: arguments as JSON on stdin, the result as JSON on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.diskless.ceph.plugins.modules"
TIMEOUT_SECONDS = 300


class ModuleFailed(Exception):
    """The module called fail_json; the text is its message."""


@dataclass(frozen=True)
class ModuleRun:
    """Runs modules against the cluster behind ``launcher``."""

    launcher: list[str]

    def __call__(self, module: str, check_mode: bool = False, **args: Any) -> dict[str, Any]:
        """Run the module once and return its result; raises ModuleFailed."""
        settings = {"check_mode": check_mode, "diff": True, "remote_tmp": "/tmp", "keep_remote_files": False}  # noqa: S108
        given = {
            "ceph_launcher": self.launcher,
            **args,
            **{f"_ansible_{key}": value for key, value in settings.items()},
        }
        result = subprocess.run(
            [sys.executable, "-m", f"{PACKAGE}.{module}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / ".ansible" / "collections")},
        )
        if not result.stdout:
            raise ModuleFailed(f"{module} died: {result.stderr}")
        answer: dict[str, Any] = json.loads(result.stdout)
        if answer.get("failed"):
            raise ModuleFailed(answer["msg"])
        return answer

    def converge(self, module: str, **args: Any) -> dict[str, Any]:
        """Check, apply, apply again, check again, and return what the first apply returned.

        The check has to announce exactly what the apply then does, and what was applied once has to stay.
        """
        announced = self(module, check_mode=True, **args)
        applied = self(module, **args)
        again = self(module, **args)
        checked = self(module, check_mode=True, **args)
        changed = [run["changed"] for run in (announced, applied, again, checked)]
        assert changed == [True, True, False, False], changed
        assert announced["diff"] == applied["diff"]
        assert applied["diff"]["before"] != applied["diff"]["after"]
        for run in (again, checked):
            assert run["diff"]["before"] == run["diff"]["after"]
        return applied
