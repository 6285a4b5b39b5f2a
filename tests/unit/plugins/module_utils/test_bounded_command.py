# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are missing, fail, or never end."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _bounded_command
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_command import output


class Module:
    """As much of AnsibleModule as it uses."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def get_bin_path(self, program: str) -> str | None:
        path = self.directory / program
        return str(path) if path.exists() else None

    def run_command(self, argv: list[str], **_options: Any) -> tuple[int, str, str]:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(tmp_path)


def _program(module: Module, script: str) -> None:
    path = module.directory / "ask"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_what_it_prints_is_returned(module: Module) -> None:
    _program(module, "echo $1")
    assert (output(module, "ask", ["me"]), module.warnings) == ("me\n", [])


def test_missing_program_is_nothing_to_warn_of(module: Module) -> None:
    assert (output(module, "ask", []), module.warnings) == (None, [])


def test_failure_is_a_warning_unless_the_exit_status_is_expected(module: Module) -> None:
    _program(module, "echo degraded; echo sorry >&2; exit 1")
    assert (output(module, "ask", ["x"]), module.warnings) == (None, ["ask x: exit status 1: sorry"])
    assert output(module, "ask", ["x"], rcs=(0, 1)) == "degraded\n"


def test_program_that_does_not_end_is_a_warning(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bounded_command, "SECONDS", 0.3)
    _program(module, "sleep 60")
    began = time.monotonic()
    assert (output(module, "ask", []), module.warnings) == (None, ["ask : no answer within 0.3 s"])
    assert time.monotonic() - began < 5
