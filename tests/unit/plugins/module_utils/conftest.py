# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded answers of real clusters, for the tests of all that reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[3] / "fixtures"
RELEASES = ("14", "16", "18", "20")


@pytest.fixture
def recorded() -> Callable[..., Any]:
    """Return a function that returns one recorded answer, of Ceph 16 if no release is named."""

    def read(name: str, release: str = "16") -> Any:
        return json.loads((FIXTURES / release / f"{name}.json").read_text(encoding="utf-8"))

    return read
