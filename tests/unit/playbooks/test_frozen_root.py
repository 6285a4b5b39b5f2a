# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""frozen_root.py: what freezes a root thaws it, whatever happens. A log stands in for the file system."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "playbooks" / "files" / "frozen_root.py"
SOON = 5.0


def wait_for(log: Path, last: str) -> list[str]:
    """Return what was done to the file system, as soon as it ends with that."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        said = log.read_text().split() if log.exists() else []
        if said and said[-1] == last:
            return said
        time.sleep(0.02)
    raise AssertionError(f"no {last} in {log.read_text() if log.exists() else 'nothing'}")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What is done to the file system, one word for each."""
    return tmp_path / "log"


@pytest.fixture
def script(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script with a file system that only writes down what is done to it."""
    spec = importlib.util.spec_from_file_location("frozen_root", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def note(word: str) -> None:
        with log.open("a") as file:
            file.write(f"{word}\n")

    monkeypatch.setattr(module, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(module, "freeze", lambda _descriptor: note("freeze"))
    monkeypatch.setattr(module, "thaw", lambda _descriptor: note("thaw"))
    return module


def test_root_is_frozen_until_it_is_released(script: ModuleType, log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert script.main(["hold", "30"]) == 0
    assert capfd.readouterr().out == "frozen\n"
    time.sleep(0.3)
    assert log.read_text().split() == ["freeze"]
    assert script.main(["release"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["by"] == "request"
    assert 0.2 < answer["seconds"] < SOON
    assert wait_for(log, "thaw")[:2] == ["freeze", "thaw"]


def test_root_is_thawed_when_the_time_is_over_and_that_is_told(
    script: ModuleType, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A snapshot may have been taken after it: whoever relies on it has to know."""
    assert script.main(["hold", "1"]) == 0
    assert wait_for(log, "thaw")[:2] == ["freeze", "thaw"]
    capfd.readouterr()
    time.sleep(0.2)
    assert script.main(["release"]) == 1
    assert json.loads(capfd.readouterr().out)["by"] == "time"


def test_root_is_thawed_when_who_holds_it_is_killed(
    script: ModuleType, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["hold", "30"]) == 0
    os.kill(script.recall()["pid"], signal.SIGKILL)
    assert wait_for(log, "thaw") == ["freeze", "thaw"]
    capfd.readouterr()
    time.sleep(0.2)
    assert script.main(["release"]) == 1
    assert json.loads(capfd.readouterr().out)["by"] == "guard"


def test_root_that_freezes_too_late_is_thawed_at_once(
    script: ModuleType, log: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As when Ceph does not answer: everything has to be written before."""
    quick = script.freeze

    def slow(descriptor: int) -> None:
        time.sleep(1.5)
        quick(descriptor)

    monkeypatch.setattr(script, "freeze", slow)
    assert script.main(["hold", "1"]) == 1
    assert "is not frozen after 1 s" in capfd.readouterr().out
    assert wait_for(log, "thaw")[:2] == ["freeze", "thaw"]


def test_root_that_cannot_be_frozen_is_named(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(script, "freeze", refuse)
    assert script.main(["hold", "30"]) == 1
    assert capfd.readouterr().out == "/ cannot be frozen: Operation not supported\n"


def test_second_hold_is_refused_and_the_first_can_be_released(
    script: ModuleType, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["hold", "30"]) == 0
    assert script.main(["hold", "30"]) == 1
    assert "is frozen already, by process" in capfd.readouterr().out
    assert script.main(["release"]) == 0
    assert script.main(["hold", "30"]) == 0
    assert script.main(["release"]) == 0
    assert [word for word in wait_for(log, "thaw") if word == "freeze"] == ["freeze", "freeze"]


def test_release_of_what_nobody_holds_is_no_success(script: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    assert script.main(["release"]) == 1
    assert json.loads(capfd.readouterr().out) == {"by": "nobody", "seconds": 0}


@pytest.mark.parametrize("arguments", [[], ["hold"], ["hold", "soon"], ["hold", "0"], ["hold", "600"], ["freeze", "5"]])
def test_time_without_a_bound_is_refused(script: ModuleType, log: Path, arguments: list[str]) -> None:
    assert script.main(arguments) == 2
    assert not log.exists()
