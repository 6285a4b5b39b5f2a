# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let testinfra reach the containers of a scenario with ``podman exec``.

Its Ansible backend starts ``ansible`` for every command (3 s each) and strips the last newline of a file's content.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml


def pytest_configure(config: pytest.Config) -> None:
    """Replace the Ansible backend by one podman host per platform."""
    scenario = os.environ.get("MOLECULE_FILE")
    if scenario:
        platforms = yaml.safe_load(Path(scenario).read_text(encoding="utf-8"))["platforms"]
        config.option.hosts = ",".join(f"podman://{platform['name']}" for platform in platforms)
