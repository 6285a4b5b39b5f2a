# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as role netconsole installs it: its own files and those of the module, in one package."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "netconsole"


@pytest.fixture(scope="session", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("installed")
    installed = directory / "diskless_netconsole"
    source = ROLE / "files/usr/lib/diskless/diskless_netconsole"
    shutil.copytree(source, installed, ignore=shutil.ignore_patterns("__pycache__"))
    for name in yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["netconsole_shared"]:
        shutil.copy2(ROOT / f"plugins/module_utils/_netconsole_{name}.py", installed)
    sys.path.insert(0, str(directory))
    yield installed
    sys.path.remove(str(directory))
