# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/files/preflight_machine.py: what it tells of a machine, and what it says when it cannot know."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "playbooks" / "files" / "preflight_machine.py"
UNITS = ("active", "inactive", "unknown", "active", "failed", "inactive")
CARDS = [{"addr_info": [{"local": "127.0.0.1"}, {"local": "::1"}]}, {"addr_info": [{"local": "10.77.0.3"}, {}]}, {}]


@pytest.fixture
def script() -> ModuleType:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("preflight_machine", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(directory: Path, commands: Mapping[str, str], *words: str) -> dict[str, Any]:
    """What it prints where there are no commands but these shell scripts."""
    for name, text in commands.items():
        command = directory / name
        command.write_text(f"#!/bin/sh\n{text}\n")
        command.chmod(0o755)
    done = subprocess.run(
        [sys.executable, SCRIPT, "7.5", *words],
        env={"PATH": str(directory)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def test_it_tells_what_the_machine_has(tmp_path: Path) -> None:
    (tmp_path / "diskless" / "boot" / "udoo2").mkdir(parents=True)
    commands = {
        "ip": f"echo '{json.dumps(CARDS)}'",
        "systemctl": f"printf '%s\\n' {' '.join(UNITS)}; exit 3",
        "modprobe": "exit 0",
        "systemd-detect-virt": "exit 1",
    }
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(type=socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        numbers = [taken.getsockname()[1], heard.getsockname()[1]]
        said = told(tmp_path, commands, str(tmp_path / "diskless"), *map(str, numbers))
    # Some cards have none, in some versions of ip.
    assert said["addresses"] == ["10.77.0.3"]
    assert (said["asked"], said["uid"], said["nfsd"], said["trees"]) == (7.5, os.geteuid(), True, ["udoo2"])
    assert list(said["units"].values()) == list(UNITS)
    assert said["free"] > 0
    assert {(each["protocol"], each["address"], each["port"]) for each in said["ports"]} == {
        ("tcp", "127.0.0.1", numbers[0]),
        ("udp", "127.0.0.1", numbers[1]),
    }
    mine = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    assert {each["owner"] for each in said["ports"]} == {mine}


def test_what_it_cannot_know_is_null(tmp_path: Path) -> None:
    said = told(tmp_path, {"ip": "echo no JSON", "systemctl": "echo active"}, str(tmp_path / "none" / "at" / "all"))
    assert {name for name, value in said.items() if value is None} == {"addresses", "units", "nfsd"}
    assert (said["ports"], said["trees"]) == ([], [])
    assert said["free"] > 0


def test_container_cannot_serve_nfs_by_its_kernel(tmp_path: Path) -> None:
    commands = {"modprobe": "exit 0", "systemd-detect-virt": "exit 0"}
    assert told(tmp_path, commands, str(tmp_path))["nfsd"] is False


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000000000000000000001000000", "::1"),
        ("0000000000000000FFFF00000100007F", "127.0.0.1"),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="the examples are of a little-endian machine")
def test_addresses_of_sockets_are_read(script: ModuleType, words: str, address: str) -> None:
    assert script.address_of(words) == address


def test_exports_by_hand_are_found(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "EXPORTS", tmp_path / "exports")
    assert script.exports() == []
    (tmp_path / "exports").write_text("# a comment\n\n  /home 10.0.0.0/8(rw)\n")
    assert script.exports() == ["/home 10.0.0.0/8(rw)"]
