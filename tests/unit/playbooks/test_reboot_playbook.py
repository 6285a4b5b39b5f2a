# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/reboot.yml: who is rebooted, in which order, and where it stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.pretended_fleet import Fleet

BOUND = ("-e", "reboot_timeout=3 reboot_settle=0 kubernetes_node_tries=1 kubernetes_node_delay=1")


def outcomes(fleet: Fleet, *words: str) -> tuple[bool, dict[str, Any], str]:
    """Whether it succeeded, the outcome of each host, and what it said."""
    done = fleet.play("reboot", *BOUND, "-e", "reboot_file=outcome.json", *words)
    said = done.stdout + done.stderr
    file = fleet.directory / "outcome.json"
    assert file.exists(), said
    told = {host["host"]: host for host in json.loads(file.read_text(encoding="utf-8"))["hosts"]}
    return done.returncode == 0, told, said


@pytest.mark.full
def test_hosts_are_rebooted_one_after_the_other_and_power_is_cycled_where_that_helps(tmp_path: Path) -> None:
    fleet = Fleet.of(tmp_path, {"trouble_at_reboot": "no-image"}, {"cordoned": True}, power=True)
    succeeded, told, said = outcomes(fleet, "-e", "reboot_kubernetes=true")
    assert succeeded, said
    assert fleet.history == [
        *("drain udoo1", "reboot udoo1", "power off udoo1", "power on udoo1", "uncordon udoo1"),
        # Somebody had cordoned it before.
        *("drain udoo2", "reboot udoo2"),
    ]
    assert [(host["result"], host["boot_id"], host["power_cycled"], host["notes"]) for host in told.values()] == [
        ("rebooted", "boot-3", True, []),
        ("rebooted", "boot-2", False, []),
    ]
    assert "Will be rebooted, 1 at a time: udoo1, udoo2" in said


def test_check_mode_tells_the_order_and_reboots_nobody(tmp_path: Path) -> None:
    fleet = Fleet.of(tmp_path, {}, {})
    succeeded, told, said = outcomes(fleet, "--check")
    assert succeeded, said
    assert fleet.history == []
    assert [host["result"] for host in told.values()] == ["would reboot", "would reboot"]
    assert "Would be rebooted, 1 at a time: udoo1, udoo2" in said


def test_everything_against_it_is_told_before_the_first_goes_down(tmp_path: Path) -> None:
    fleet = Fleet.of(tmp_path, {}, {"admitted": False}, {"runs": False, "recovering": True})
    succeeded, told, said = outcomes(fleet)
    assert (succeeded, fleet.history) == (False, [])
    assert "udoo2: not-admitted:" in said
    assert "udoo3: unreachable:" in said
    assert "udoo1, udoo2, udoo3: recovering:" in said
    assert {host["result"] for host in told.values()} == {"refused"}


def test_it_stops_at_the_first_that_does_not_come_back_and_says_why(tmp_path: Path) -> None:
    broken = {"trouble_at_reboot": "no-image", "trouble_at_cycle": "no-image"}
    fleet = Fleet.of(tmp_path, broken, {}, power=True)
    succeeded, told, said = outcomes(fleet)
    assert (succeeded, fleet.history) == (False, ["reboot udoo1", "power off udoo1", "power on udoo1"])
    assert [host["result"] for host in told.values()] == ["failed", "untouched"]
    assert (told["udoo1"]["step"], told["udoo1"]["boot_log"]["trouble"]["reason"]) == ("boot", "no-image")
    assert "map (map: no-image rbd: add failed)" in said
    assert "it has not come back within 3 s, nor after its power was cycled" in said
    assert "last line: its last words" in said
    assert "ansible-playbook diskless.ceph.diagnose --limit udoo1" in said


@pytest.mark.full
def test_others_of_a_batch_are_brought_to_an_end(tmp_path: Path) -> None:
    broken: list[dict[str, Any]] = [
        {"does_not_listen": True},
        {},
        {"loses_lock": True},
        {"cannot_be_drained": True},
    ]
    fleet = Fleet.of(tmp_path, *broken, {}, power=True)
    succeeded, told, said = outcomes(fleet, "-e", "reboot_serial=4", "-e", "reboot_kubernetes=true")
    assert not succeeded, said
    assert [host["result"] for host in told.values()] == ["failed", "rebooted", "failed", "failed", "untouched"]
    assert [told[name]["step"] for name in ("udoo1", "udoo3", "udoo4")] == ["boot", "verify", "drain"]
    # Whose power could be taken away, and is not.
    assert "it still runs" in told["udoo1"]["problem"]
    assert [line for line in fleet.history if line.startswith("power")] == []
    assert "lock: it belongs to nobody" in told["udoo3"]["problem"]
    assert "disruption budget" in told["udoo4"]["problem"]
    # What did not come back gets no pods, and what was not taken down gets them again.
    assert sorted(line for line in fleet.history if "uncordon" in line) == ["uncordon udoo2", "uncordon udoo4"]
