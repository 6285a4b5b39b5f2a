# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook preflight: whom it asks, what it says and writes, and that site changes nothing before it has passed.

It runs as it is, in a copy of the collection whose modules answer what a test wants. All machines are this one.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.plugins.plugin_utils.diagnosis_evidence import NAME, changed, healthy

ROOT = Path(__file__).parents[3]
STUB = """
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={spec}, supports_check_mode=True)
with open({calls!r}, "a") as file:
    file.write({name!r} + "\\n")
answer = json.load(open({answer!r}))
if answer.pop("fail", False):
    module.fail_json(msg="it does not work")
module.exit_json(**answer)
"""
NOBODY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_retries": 0}
CONNECTING = ("ceph_launcher", "ceph_conf", "ceph_name", "ceph_keyring", "ceph_timeout")
FENCE = {"address": "10.77.0.12:0/0", "kind": "host", "until": "2026-11-23T09:00:00Z", "fence": True}
# What this machine lacks as a boot server: the address, and a monitor that answers.
HERE = ["boot-server-address", "monitors-silent"]


class Playbook:
    """A copy of the collection, and machines that answer."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.vars: dict[str, dict[str, Any]] = {name: {} for name in ("ceph1", "boot1", "log1")}
        self.collection = directory / "ansible_collections" / "diskless" / "ceph"
        for part in ("plugins/filter", "plugins/plugin_utils", "plugins/module_utils", "playbooks", "meta"):
            shutil.copytree(ROOT / part, self.collection / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "galaxy.yml", self.collection)
        (self.collection / "plugins" / "modules").mkdir()
        self.ceph(healthy()["ceph"])
        self.module("rbd_pool", {"changed": False}, "name")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.page = free.getsockname()[1]

    def ceph(self, answer: Mapping[str, Any]) -> None:
        self.module("host_storage_info", answer, "hosts")

    def module(self, name: str, answer: Mapping[str, Any], *options: str) -> None:
        file = self.directory / f"{name}.json"
        file.write_text(json.dumps(answer))
        spec = {option: {"type": "raw"} for option in (*options, *CONNECTING)}
        path = self.collection / "plugins" / "modules" / f"{name}.py"
        path.write_text(STUB.format(spec=spec, answer=str(file), name=name, calls=str(self.directory / "calls")))

    def run(self, *words: str, name: str = "preflight") -> tuple[int, str]:
        (self.directory / "inventory.yml").write_text(json.dumps(self._inventory()))
        environment = {
            **os.environ,
            "PWD": str(self.directory),
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory),
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "PYTHONPATH": "",
        }
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "inventory.yml",
            f"diskless.ceph.{name}",
        ]
        done = subprocess.run(
            [*command, *words],
            cwd=self.directory,
            env=environment,
            timeout=180,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    def report(self, *words: str) -> dict[str, Any]:
        """What it writes for programs."""
        _code, said = self.run("-e", "preflight_file=report.json", *words)
        file = self.directory / "report.json"
        assert file.exists(), said
        return dict(json.loads(file.read_text(encoding="utf-8")))

    @property
    def calls(self) -> list[str]:
        file = self.directory / "calls"
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def _inventory(self) -> dict[str, Any]:
        host = {
            **{"diskless_board": "udoo_x86", "diskless_address": "10.77.0.12/24"},
            **{"diskless_boot_network": "10.77.0.0/24", "diskless_boot_server": "10.77.0.3"},
            # A port where nobody is.
            **{"diskless_netconsole": ["10.77.0.3"], "diskless_monitors": ["127.0.0.1:1"]},
            "diskless_gateway": "10.77.0.254",
        }
        machines = {"ceph_admin": "ceph1", "boot_servers": "boot1", "log_hosts": "log1"}
        children: dict[str, Any] = {
            group: {"hosts": {name: self.vars[name]}} for group, name in machines.items() if name in self.vars
        }
        hosts = {NAME: {**host, "diskless_mac": "52:54:00:77:00:12"}}
        hosts["udoo3"] = {**host, "diskless_mac": "52:54:00:77:00:13", "diskless_address": "10.77.0.13/24"}
        children["diskless_hosts"] = {"hosts": hosts}
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        # Whatever else runs on this machine listens at ports of its own.
        own = {"bootlog_page_listen": f"127.0.0.1:{self.page}", "boot_server_nfs": "ganesha_cephfs"}
        return {"all": {"children": children, "vars": {**local, **own}}}


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """The playbook, and a Ceph that is well."""
    made = Playbook(tmp_path)
    monitors = [{"name": "a", "v1": None, "v2": "127.0.0.1:1", "in_quorum": True}]
    made.ceph(changed(healthy(), {"ceph/cluster/monitors": monitors})["ceph"])
    return made


def checks(report: Mapping[str, Any], kind: str = "problems") -> list[str]:
    """What is reported, but for ports of the machine that the tests run on."""
    return sorted({entry["check"] for entry in report[kind]} - {"port-taken"})


def test_everybody_is_asked_once_for_the_whole_fleet(playbook: Playbook) -> None:
    report = playbook.report()
    assert checks(report) == HERE
    assert playbook.calls == ["host_storage_info", "rbd_pool"]
    (silent,) = (entry for entry in report["problems"] if entry["check"] == "monitors-silent")
    assert silent["found"] == ["127.0.0.1:1 from the boot network: refused"]
    assert silent["hosts"] == [NAME, "udoo3"]


def test_report_names_host_value_expectation_and_remedy_and_fails(playbook: Playbook) -> None:
    playbook.ceph(changed(healthy(), {"ceph/me/blocklist": [FENCE]})["ceph"])
    code, said = playbook.run()
    assert code == 2, said
    assert f"fenced ({NAME}): Ceph shuts the host out" in said
    assert "| host 10.77.0.12:0/0 until 2026-11-23T09:00:00Z" in said
    assert "expected: The blocklist does not hit the host" in said
    assert f"$ ansible-playbook diskless.ceph.recover_host -i {playbook.directory}/inventory.yml --limit {NAME}" in said


def test_accepted_checks_stop_nothing(playbook: Playbook) -> None:
    accepted = "preflight_accepted=boot-server-address,monitors-silent,port-taken"
    code, said = playbook.run("-e", accepted)
    assert code == 0, said
    assert "nothing that can be known speaks against the first boot of 2 hosts" in said
    assert "Worth knowing:" in said


def test_machines_that_cannot_be_reached_are_in_the_same_report(playbook: Playbook) -> None:
    playbook.vars |= dict.fromkeys(("ceph1", "boot1", "log1"), NOBODY)
    report = playbook.report()
    assert checks(report) == ["machine-unreachable"]
    assert sorted(name for entry in report["problems"] for name in entry["machines"]) == ["boot1", "ceph1", "log1"]
    assert all("Connection refused" in entry["found"][0] for entry in report["problems"])


def test_ceph_that_cannot_be_asked_and_a_pool_of_somebody_else_are_in_the_report(playbook: Playbook) -> None:
    playbook.module("rbd_pool", {"fail": True}, "name")
    assert checks(playbook.report()) == sorted([*HERE, "pool-unusable"])
    playbook.ceph({"reached": False, "error": "timed out", "cluster": {}, "hosts": {}})
    before = len(playbook.calls)
    assert checks(playbook.report()) == ["boot-server-address", "cluster-no-answer"]
    assert playbook.calls[before:] == ["host_storage_info"]


def test_inventory_without_groups_is_told(playbook: Playbook) -> None:
    playbook.vars = {}
    assert checks(playbook.report()) == ["group-empty"]


def test_limit_reports_on_its_hosts_alone(playbook: Playbook) -> None:
    (silent,) = (each for each in playbook.report("--limit", "udoo3")["problems"] if each["check"] == "monitors-silent")
    assert silent["hosts"] == ["udoo3"]


def test_check_mode_writes_nothing(playbook: Playbook) -> None:
    before = {path.name for path in playbook.directory.iterdir()}
    playbook.run("--check", "-e", "preflight_file=report.json")
    assert {path.name for path in playbook.directory.iterdir()} - before <= {"inventory.yml", "home", "calls"}


def site(playbook: Playbook, *words: str) -> tuple[int, str]:
    """Run the site playbook, whose other plays only say that they run."""
    path = playbook.collection / "playbooks" / "site.yml"
    plays = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [play.get("ansible.builtin.import_playbook") for play in plays[:2]] == [None, "preflight.yml"]
    for play in plays[2:]:
        play["tasks"] = [{"ansible.builtin.debug": {"msg": "the site playbook goes on"}}]
        play.pop("vars", None)
    path.write_text(yaml.safe_dump(plays, sort_keys=False))
    return playbook.run(*words, name="site")


def test_site_changes_nothing_when_something_speaks_against_it(playbook: Playbook) -> None:
    code, said = site(playbook)
    assert code == 2, said
    assert "boot-server-address" in said
    assert "the site playbook goes on" not in said


@pytest.mark.parametrize(
    "way", ["preflight_skip=true", "preflight_accepted=boot-server-address,monitors-silent,port-taken"]
)
def test_site_goes_on_when_preflight_passes_or_is_skipped(playbook: Playbook, way: str) -> None:
    code, said = site(playbook, "-e", way)
    assert code == 0, said
    assert said.count("the site playbook goes on") >= 3
    assert bool(playbook.calls) == way.startswith("preflight_accepted")
