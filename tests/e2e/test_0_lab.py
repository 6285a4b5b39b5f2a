# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab cleans up after itself, also after a crash."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from lab.api import Lab
from lab.patience import patience
from lab.podman import labelled
from lab.processes import run
from lab.state import REPOSITORY

NAME = "crash"


def leftovers() -> list[str]:
    """Return what is there of the lab: namespaces, containers, mounts, its state directory."""
    found = [line for line in run(["ip", "netns", "list"]).stdout.splitlines() if line.startswith(f"dl-{NAME}-")]
    found += labelled(NAME)
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if f"/dl-{NAME}-" in line]
    directory = Lab(NAME).directory.path
    return found + ([str(directory)] if directory.exists() else [])


@pytest.mark.parametrize("seconds", [pytest.param(1, marks=pytest.mark.full), 4])
def test_down_leaves_nothing_of_a_lab_that_was_killed_on_its_way_up(seconds: int) -> None:
    """Whatever it was doing at that moment."""
    lab = Lab(NAME, print)
    lab.down()
    try:
        up = subprocess.Popen([REPOSITORY / "lab/lab", "--name", NAME, "up", "--objectstore", "memstore"])
        time.sleep(seconds * patience())
        up.kill()
        up.wait()
        assert leftovers(), "it was killed before it made anything: nothing is tested"
    finally:
        lab.down()
    assert leftovers() == []
