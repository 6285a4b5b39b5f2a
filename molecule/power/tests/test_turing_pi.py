# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turing Pi 2: against a server that speaks the documented API, since there is no hardware."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[1] / "turing_pi.py"
SHORT = {"timeout": 3, "pause": 0}
WRONG = "wrong-geheim"


@dataclass(frozen=True)
class Bmc:
    """The server, and what it has written down."""

    url: str
    file: Path

    def power(self, node: int, **more: Any) -> dict[str, Any]:
        """The diskless_power of a slot."""
        return {"driver": "turing_pi", "url": self.url, "node": node, "password": "turing-secret", **SHORT, **more}

    def state(self, **changes: Any) -> dict[str, Any]:
        """What it is, after some changes."""
        state: dict[str, Any] = {**json.loads(self.file.read_text(encoding="utf-8")), **changes}
        self.file.write_text(json.dumps(state), encoding="utf-8")
        return state


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[Bmc]:
    """A BMC with four slots that are off."""
    file = tmp_path / "bmc.json"
    with subprocess.Popen([sys.executable, str(SERVER), str(file)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield Bmc(f"http://127.0.0.1:{server.stdout.readline().strip()}", file)
        finally:
            server.kill()


def test_slots_are_switched_one_by_one(role: Any, bmc: Bmc) -> None:
    assert role("on", {"cm1": bmc.power(1), "cm3": bmc.power(3)}).succeeded
    assert sorted(bmc.state()["powered"]) == ["node1", "node3"]
    done = role("off", {"cm3": bmc.power(3)})
    assert (done.state, done.changed("cm3"), bmc.state()["powered"]) == ("off", True, ["node1"])
    again = role("on", {"cm1": bmc.power(1)})
    assert (again.state, again.changed("cm1")) == ("on", False)


@pytest.mark.full
def test_cycle_takes_the_power_away_first(role: Any, bmc: Bmc) -> None:
    bmc.state(said=["node2"], powered=["node2"])
    assert role("cycle", bmc.power(2)).succeeded
    power = [request for request in bmc.state()["requests"] if "opt=set" in request]
    assert power == ["/api/bmc?opt=set&type=power&node2=0", "/api/bmc?opt=set&type=power&node2=1"]


def test_slot_that_cannot_be_switched_off_is_not_off_whatever_the_bmc_says(role: Any, bmc: Bmc) -> None:
    """Its firmware writes down what it wants before it tries, and tells what it has written down."""
    bmc.state(said=["node2"], powered=["node2"], broken="node2")
    for _ in range(2):  # the second time it says "off" before anything is switched
        done = role("off", bmc.power(2))
        assert not done.succeeded
        assert "udoo1: not proven to be off within 3 s: slot 2 of the Turing Pi at http://127.0.0.1:" in done.output
        assert "do not touch its lock" in done.output
    assert bmc.state()["powered"] == ["node2"]


@pytest.mark.full
def test_wrong_password_is_an_unknown_state_with_its_reason_and_is_not_shown(role: Any, bmc: Bmc) -> None:
    done = role("status", bmc.power(1, password=WRONG), "-vvvv")
    assert done.succeeded
    (state, proven, reason) = done.answers["udoo1"]
    assert (state, proven) == ("unknown", False)
    assert "401" in reason
    assert WRONG not in done.output
    assert not role("on", bmc.power(1, password=WRONG)).succeeded


def test_check_mode_asks_and_switches_nothing(role: Any, bmc: Bmc) -> None:
    done = role("on", bmc.power(1), "--check")
    assert "udoo1 is off; its power would be switched on" in done.output
    assert (done.state, done.changed("udoo1")) == ("off", True)
    assert bmc.state()["requests"] == ["/api/bmc?opt=get&type=power"]
