# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the role as a user does, against what listens on this machine's loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Power = dict[str, Any]
PLAY = {
    "hosts": "diskless_hosts",
    "gather_facts": False,
    "tasks": [
        {"ansible.builtin.include_role": {"name": "diskless.ceph.power"}},
        {
            "ansible.builtin.debug": {
                "msg": "{{ 'ANSWER ' ~ ([inventory_hostname, power_state, power_proven, power_reason] | to_json) }}"
            }
        },
    ],
}


@dataclass(frozen=True)
class Run:
    """A run of the role. ``answers`` are (state, proven, reason) by host, of the hosts for which it did not fail."""

    succeeded: bool
    output: str
    answers: dict[str, tuple[str, bool, str]]

    @property
    def state(self) -> str:
        """The state of the only host."""
        ((state, _proven, _reason),) = self.answers.values()
        return state

    def changed(self, host: str) -> bool:
        """Whether the play says that it changed something for the host."""
        (recap,) = (line for line in self.output.splitlines() if line.startswith(f"{host} ") and "changed=" in line)
        return "changed=0" not in recap


@dataclass(frozen=True)
class Role:
    """The role in a directory of its own."""

    directory: Path

    def __call__(
        self, action: str, powers: dict[str, Power] | Power, *words: str, machines: dict[str, Power] | None = None
    ) -> Run:
        """Run it for hosts with these ``diskless_power``, or for one.

        :param machines: other hosts of the inventory, with their variables.
        """
        given = {"udoo1": powers} if "driver" in powers else powers
        # The groups' variables are as in a real inventory: they say how hosts are reached, not how the controller is.
        hosts = {
            name: {"diskless_power": power, "diskless_mac": f"52:54:00:77:00:{11 + number}"}
            for number, (name, power) in enumerate(given.items())
        }
        inventory = {
            "all": {
                "children": {"diskless_hosts": {"hosts": hosts}, "others": {"hosts": machines or {}}},
                "vars": {"diskless_boot_network": "127.0.0.0/8", "ansible_python_interpreter": "/nowhere/python3"},
            }
        }
        (self.directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        (self.directory / "play.json").write_text(json.dumps([PLAY]), encoding="utf-8")
        (self.directory / "ansible.cfg").touch()  # nobody's own settings
        playbook = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [playbook, "-i", "inventory.json", "play.json", "-e", f"power_action={action}", *words],
            cwd=self.directory,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": "ansible.cfg"},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        output = done.stdout + done.stderr
        answers = {}
        for line in done.stdout.splitlines():
            if '"msg": "ANSWER ' in line:
                name, *answer = json.loads(json.loads("{" + line.strip() + "}")["msg"].removeprefix("ANSWER "))
                answers[name] = tuple(answer)
        return Run(done.returncode == 0, output, answers)


@pytest.fixture
def role(tmp_path: Path) -> Role:
    """The role."""
    return Role(tmp_path)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a Python program and return its path."""

    def write(name: str, text: str) -> str:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return write
