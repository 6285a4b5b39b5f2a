# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.api import HostStatus, Lab, Status
from lab.cli import main, parser, table


@pytest.fixture(autouse=True)
def no_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISKLESS_LAB_STATE", str(tmp_path))
    monkeypatch.delenv("LAB_NAME", raising=False)


def test_status_is_a_table_without_trailing_spaces() -> None:
    hosts = [HostStatus("alpha", "10.77.0.11", "52:54:00:77:00:11", "running", "cut", "ready")]
    links = {"ceph": True, "boot": False}
    status = Status("lab", "HEALTH_OK", {"boot": "running"}, links, hosts, "inventory.yml")
    assert table(status).splitlines() == [
        "NAME   ADDRESS     LINK  STATE      STAGE",
        "ceph   10.77.0.2   up    HEALTH_OK",
        "boot   10.77.0.3   cut   running",
        "alpha  10.77.0.11  cut   running    ready",
    ]


def test_status_shows_both_boot_servers() -> None:
    status = Status("lab", "HEALTH_OK", {"boot1": "running", "boot2": "exited"}, {"boot1": True}, [], "inventory.yml")
    assert table(status).splitlines()[2:] == [
        "boot1  10.77.0.4  up    running",
        "boot2  10.77.0.5  -     exited",
    ]


def test_lab_is_named_by_option_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parser().parse_args(["down"]).name == "lab"
    monkeypatch.setenv("LAB_NAME", "ci")
    assert parser().parse_args(["down"]).name == "ci"
    assert parser().parse_args(["--name", "mine", "down"]).name == "mine"


def test_words_after_the_host_belong_to_the_host() -> None:
    assert parser().parse_args(["ssh", "alpha", "ls", "-l"]).arguments == ["ls", "-l"]


def test_lab_that_is_down_says_how_to_bring_it_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "absent", "power", "on", "alpha"]) == 1
    assert capsys.readouterr().err == "lab: lab 'absent' is not up: lab --name absent up\n"


def test_power_of_hosts_and_boot_servers_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Lab, "has_power", lambda _lab, host: host == "boot")
    assert main(["power", "status", "alpha", "boot"]) == 0
    assert capsys.readouterr().out == "alpha: off\nboot: on\n"
    assert main(["power", "status", "alpha", "boot", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"alpha": "off", "boot": "on"}


def test_name_that_is_no_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "../x", "status"]) == 1
    assert "lab: lab name '../x': expected" in capsys.readouterr().err
