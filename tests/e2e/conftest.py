# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab with two diskless hosts, brought up once by the site playbook that users run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.api import Lab
from tests.e2e.diskless_host import DisklessHost


def _say(line: str) -> None:
    print(line, flush=True)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab of its own; ``LAB_KEEP=1`` leaves it up, for a look afterwards and a quick second run."""
    lab = Lab("e2e", _say)
    keep = bool(os.environ.get("LAB_KEEP"))
    if not keep:
        lab.down()
    try:
        lab.up()
        lab.add("udoo1", "udoo2")
        lab.site()
        yield lab
    finally:
        if not keep:
            lab.down()


@pytest.fixture
def host(lab: Lab) -> DisklessHost:
    """The first host, booted."""
    host = DisklessHost(lab, "udoo1")
    host.ensure_ready()
    return host


@pytest.fixture
def neighbour(lab: Lab) -> Iterator[DisklessHost]:
    """The second host, switched off before and after."""
    neighbour = DisklessHost(lab, "udoo2")
    lab.power("off", "udoo2")
    yield neighbour
    lab.power("off", "udoo2")
