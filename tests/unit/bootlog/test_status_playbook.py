# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/status.yml shows what the log host's ``diskless-status`` says, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
TROUBLE = {"stage": "map", "reason": "auth", "text": "{{ 7 * 7 }} refused"}


def host(name: str, state: str, **more: Any) -> dict[str, Any]:
    plain = {"name": name, "state": state, "stage": state, "stage_seconds": 75.3, "trouble": None, "last": None}
    return {**plain, **more}


READY = host("udoo1", "ready", last={"text": "hello"})
FAILED = host("udoo10", "failed", stage="network", trouble=TROUBLE)
SILENT = host("cm1", "silent", stage=None, stage_seconds=None)


def play(
    directory: Path, hosts: list[dict[str, Any]], status: int, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the playbook with a ``diskless-status`` that answers this; without hosts there is no log host either."""
    answer = directory / "answer"
    answer.write_text(json.dumps({"time": 1.0, "hosts": hosts, "unknown": []}), encoding="utf-8")
    program = directory / "diskless-status"
    program.write_text(f"#!/bin/sh\ncat {answer}\necho refused >&2\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    inventory = directory / "inventory"
    group = "log_hosts" if hosts else "others"
    inventory.write_text(f"[{group}]\nlog ansible_connection=local", encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *arguments]
    environment = {
        **os.environ,
        "PATH": f"{directory}:{os.environ['PATH']}",
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "PWD": str(directory),
    }
    playbook = str(ROOT / "playbooks" / "status.yml")
    return subprocess.run(
        [*command, playbook], env=environment, cwd=directory, capture_output=True, text=True, check=False
    )


def test_fleet_that_is_ready_is_success_and_each_host_has_a_line(tmp_path: Path) -> None:
    done = play(tmp_path, [READY], 0)
    assert done.returncode == 0, done.stdout
    assert "udoo1  ready    ready        75 s  hello" in done.stdout
    assert "changed=0" in done.stdout


def test_hosts_that_are_not_ready_are_named_and_text_from_the_wire_is_no_template(tmp_path: Path) -> None:
    kept = tmp_path / "status.json"  # relative to where the user stands
    done = play(tmp_path, [FAILED, SILENT, READY], 1, "-e", "status_file=status.json")
    assert done.returncode != 0
    assert "2 of 3 hosts are not ready: udoo10, cm1" in done.stdout
    assert "udoo10  failed   network      75 s  map: auth {{ 7 * 7 }} refused" in done.stdout
    assert [each["name"] for each in json.loads(kept.read_text(encoding="utf-8"))["hosts"]] == [
        "udoo10",
        "cm1",
        "udoo1",
    ]


def test_inventory_without_a_log_host_is_an_error(tmp_path: Path) -> None:
    done = play(tmp_path, [], 0)
    assert done.returncode != 0
    assert "no host in the group log_hosts" in done.stdout


def test_boot_log_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    done = play(tmp_path, [READY], 2)
    assert done.returncode != 0
    assert "refused" in done.stdout
    assert "are not ready" not in done.stdout
