# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module by Ansible itself, on a container as the managed node."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class AnsibleRun:
    """What Ansible printed, and what it says has become of the task."""

    output: str
    changed: bool


def ansible(container: str, module: str, options: dict[str, Any], *words: str) -> AnsibleRun:
    """Run one module with Ansible's podman connection; raises AssertionError with the output if it fails."""
    command = ["ansible", "all", "-i", f"{container},", "-c", "containers.podman.podman", "-m", module]
    command += ["-e", "ansible_python_interpreter=/usr/bin/python3", "-a", json.dumps(options), *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return AnsibleRun(result.stdout + result.stderr, "CHANGED" in result.stdout)
