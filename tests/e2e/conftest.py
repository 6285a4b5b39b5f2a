# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab with two diskless hosts, brought up once by the site playbook that users run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from lab.api import Lab
from tests.e2e.diskless_host import DisklessHost


def _say(line: str) -> None:
    print(line, flush=True)


# Neighbours by number, and so by MAC address.
BOARDS = {"udoo1": "bios", "cm41": "cm4", "udoo2": "uefi"}


class Boards:
    """A second lab with one host of every kind, none of which was ever on, beside a router.

    Its golden image for arm64 takes some ten minutes of one processor the first time: it can be begun ahead.
    """

    def __init__(self) -> None:
        self.lab = Lab("boards", _say)
        self._executor = ThreadPoolExecutor(1)
        self._made: Future[None] | None = None

    def begin(self) -> None:
        """Make it, unless that has begun."""
        self._made = self._made or self._executor.submit(self._make)

    def made(self) -> Lab:
        """Wait until it is there."""
        self.begin()
        if self._made:
            self._made.result()
        return self.lab

    def _make(self) -> None:
        self.lab.down()
        self.lab.up()
        for name, kind in BOARDS.items():
            self.lab.add(name, kind=kind)
        self.lab.route(True)
        self.lab.site(capture=True)

    def remove(self) -> None:
        """Take it down, once it is made."""
        self._executor.shutdown()
        self.lab.down()


@pytest.fixture(scope="session")
def boards() -> Iterator[Boards]:
    """The second lab, which nobody has begun to make yet."""
    boards = Boards()
    try:
        yield boards
    finally:
        boards.remove()


@pytest.fixture(scope="session")
def lab(boards: Boards, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of its own; ``LAB_KEEP=1`` leaves it up, for a look afterwards and a quick second run."""
    lab = Lab("e2e", _say)
    keep = bool(os.environ.get("LAB_KEEP"))
    if not keep:
        lab.down()
    try:
        lab.up()
        lab.add("udoo1", "udoo2")
        lab.site()
        if any("fleet" in getattr(item, "fixturenames", ()) for item in request.session.items):
            boards.begin()  # both at once would build the same golden image
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
