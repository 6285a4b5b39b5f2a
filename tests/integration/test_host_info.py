# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_info on this machine, which is no diskless host. It asks no cluster, so it is the same on every release."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _bounded_command
from ansible_collections.diskless.ceph.plugins.modules import host_info

from tests.integration.module_run import ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")

FENCED = "[    5.000000] rbd: rbd0: failed to reregister watch: -108"


@pytest.fixture
def read() -> ModuleRun:
    """Run the module on this machine."""
    return ModuleRun([])


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that comes first in the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def warnings(result: dict[str, Any]) -> list[str]:
    """Return the texts of a module's warnings, which newer cores wrap."""
    found = result.get("warnings", [])
    return [text if isinstance(text, str) else text["event"]["msg"] for text in found]


def test_this_machine(read: ModuleRun, programs: Path) -> None:
    program(programs / "systemctl", 'case "$*" in is-system-running) echo running;; esac')
    program(programs / "journalctl", "exit 1")
    program(programs / "dmesg", f"echo '{FENCED}'")
    before = time.time()
    found = read("host_info")
    assert (found["reachable"], found["changed"]) == (True, False)
    assert found["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert found["kernel"] == os.uname().release
    assert before - 1 < found["clock"] < time.time() + 1
    assert 0 < found["uptime"] <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert found["root"]["device"]
    assert found["root"]["image"] is None
    assert (found["boot_mounted"], found["exitrd"], found["mtu"]) == (False, False, None)
    assert (found["state"], found["failed_units"]) == ("running", [])
    assert [finding["incident"] for finding in found["kernel_log"]] == ["fenced"]
    assert found["kernel_log"][0]["first_uptime_seconds"] == 5.0


def test_failed_units_are_named(read: ModuleRun, programs: Path) -> None:
    failed = "data.mount loaded failed failed /data"
    program(programs / "systemctl", f'case "$1" in list-units) echo "{failed}";; *) echo degraded; exit 1;; esac')
    found = read("host_info", check_mode=True)
    assert (found["state"], found["failed_units"]) == ("degraded", ["data.mount"])


def test_programs_that_never_end_cost_their_own_answers_alone(
    read: ModuleRun, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_bounded_command, "SECONDS", 0.5)
    monkeypatch.setattr(host_info, "SECONDS", 0.5)
    for name in ("systemctl", "journalctl", "dmesg"):
        program(programs / name, "trap '' TERM; sleep 60")
    began = time.monotonic()
    found = read("host_info")
    assert time.monotonic() - began < 20
    assert (found["state"], found["failed_units"], found["kernel_log"]) == ("unknown", None, None)
    assert found["boot_id"]
    assert [text.partition(":")[0] for text in warnings(found)] == [
        "systemctl is-system-running",
        "systemctl list-units --state=failed --all --plain --no-legend --no-pager",
        "log",
    ]
