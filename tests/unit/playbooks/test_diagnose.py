# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook diagnose: what it makes of sources that answer, fail or cannot be reached, and what it writes.

It runs as it is, in a copy of the collection whose modules answer what a test wants. All machines are this one.
"""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.plugin_utils.diagnosis_evidence import NAME, changed, healthy, stopped, unreachable

ROOT = Path(__file__).parents[3]
# A module that answers what a file beside the inventory says.
STUB = """
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={spec}, supports_check_mode=True)
answer = json.load(open({answer!r}))
if answer.pop("fail", False):
    module.fail_json(msg="it does not work")
module.exit_json(changed=False, **answer)
"""
STATUS = """#!{python}
import json, sys
host = json.load(open({answer!r}))
print(json.dumps(host if {name!r} in sys.argv else dict(hosts=[host])))
sys.exit(0 if host["state"] == "ready" else 1)
"""
# Nobody listens there.
NOBODY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_retries": 0}
CONNECTING = ("ceph_launcher", "ceph_conf", "ceph_name", "ceph_keyring", "ceph_timeout")
HOSTILE = "\x1b]0;title\x07 <script>alert(1)</script> **bold** `x` {{ lookup('pipe', 'touch EVIL') }}"


class Playbook:
    """A copy of the collection, and machines that answer as in the evidence."""

    def __init__(self, directory: Path, monitor: str) -> None:
        self.directory = directory
        self.vars: dict[str, dict[str, Any]] = {name: {} for name in ("ceph1", "boot1", "log1", NAME)}
        self._monitor = monitor
        self.collection = directory / "ansible_collections" / "diskless" / "ceph"
        parts = ("plugins/filter", "plugins/plugin_utils", "plugins/module_utils", "playbooks", "meta", "roles/power")
        for part in parts:
            shutil.copytree(ROOT / part, self.collection / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "galaxy.yml", self.collection)
        for made in (self.collection / "plugins" / "modules", directory / "bin"):
            made.mkdir()
        self.answers(healthy())

    def answers(self, evidence: Mapping[str, Any], **parts: Mapping[str, Any]) -> None:
        """Let everybody answer what the evidence says, or what ``parts`` say instead; hosts ask the monitor."""
        given = {**changed(evidence, {"boot/me/host_conf/DISKLESS_MONITORS": self._monitor}), **parts}
        if given["host"]["reachable"]:
            given["host"]["clock"] = time.time()
        else:
            self.vars[NAME] = NOBODY
        self._module("host_storage_info", given["ceph"], ["hosts", *CONNECTING])
        self._module("boot_tree_info", given["boot"], ["hosts", "directory"])
        self._module("host_info", given["host"], [])
        self._boot_log(given["boot_log"])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        (self.directory / "inventory.yml").write_text(json.dumps(self._inventory()))
        environment = {
            **os.environ,
            "PWD": str(self.directory),
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory),
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "PYTHONPATH": "",
        }
        return subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "-i",
                "inventory.yml",
                "diskless.ceph.diagnose",
                *words,
            ],
            cwd=self.directory,
            env=environment,
            timeout=120,
            check=False,
            capture_output=True,
            text=True,
        )

    def diagnosis(self) -> dict[str, Any]:
        """Return what the playbook writes about the host."""
        said = self.run("-e", "diagnose_file=diagnosis.json")
        assert "diagnose_result" not in said.stderr, said.stderr
        (found,) = json.loads((self.directory / "diagnosis.json").read_text())
        return dict(found)

    def _module(self, name: str, answer: Mapping[str, Any], options: Iterable[str]) -> None:
        file = self.directory / f"{name}.json"
        file.write_text(json.dumps(answer))
        spec = {option: {"type": "raw"} for option in options}
        path = self.collection / "plugins" / "modules" / f"{name}.py"
        path.write_text(STUB.format(spec=spec, answer=str(file)))

    def _boot_log(self, host: Mapping[str, Any]) -> None:
        (self.directory / "boot_log.json").write_text(json.dumps(host))
        command = self.directory / "bin" / "diskless-status"
        command.write_text(
            STATUS.format(python=sys.executable, answer=str(self.directory / "boot_log.json"), name=NAME)
        )
        command.chmod(0o755)

    def _inventory(self) -> dict[str, Any]:
        host = {
            **{"diskless_board": "udoo_x86", "diskless_mac": "52:54:00:77:00:12", "diskless_address": "10.77.0.12/24"},
            **{"diskless_boot_network": "10.77.0.0/24", "diskless_boot_server": "10.77.0.3"},
            **{"diskless_netconsole": ["10.77.0.3"], "diskless_monitors": [self._monitor]},
        }
        groups = {"ceph_admin": "ceph1", "boot_servers": "boot1", "log_hosts": "log1", "diskless_hosts": NAME}
        children = {group: {"hosts": {name: self.vars[name]}} for group, name in groups.items() if name in self.vars}
        children["diskless_hosts"]["hosts"][NAME] = {**host, **self.vars[NAME]}
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        return {"all": {"children": children, "vars": local}}


@pytest.fixture(scope="module")
def monitor() -> Iterator[str]:
    """Somebody who greets as a monitor does."""

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"ceph v2\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def playbook(tmp_path: Path, monitor: str) -> Playbook:
    """The playbook, and a host that is well."""
    return Playbook(tmp_path, monitor)


def whys(diagnosis: Mapping[str, Any]) -> set[str]:
    """Why things are not known, but for the MTU of a boot network that this machine does not have."""
    return {unknown["why"] for unknown in diagnosis["unknown"] if unknown["check"] != "mtu"}


def test_healthy_host_has_no_findings_and_nothing_is_written_in_check_mode(playbook: Playbook) -> None:
    before = {path.name for path in playbook.directory.iterdir()}
    said = playbook.run("--check", "-e", "diagnose_report=report", "-e", "diagnose_file=diagnosis.json")
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{NAME}: nothing wrong was found" in said.stdout
    assert {path.name for path in playbook.directory.iterdir()} - before <= {"inventory.yml", "home"}


def test_fault_fails_the_play_names_the_host_and_is_reported(playbook: Playbook) -> None:
    playbook.answers(
        changed(
            stopped("map", "no-image", f"image diskless/udoo2/root does not exist {HOSTILE}"),
            {"ceph/me/image": {"exists": False, "problems": []}},
        )
    )
    said = playbook.run("-e", "diagnose_report=report")
    assert said.returncode == 2, said.stdout + said.stderr
    assert f"{NAME}: image-missing: The root image of the host does not exist." in said.stdout
    report = playbook.directory / "report"
    (found,) = json.loads((report / "diagnosis.json").read_text())
    assert [finding["cause"] for finding in found["findings"]] == ["image-missing", "image-not-found"]
    assert found["findings"][0]["command"].startswith(f"ansible ceph1 -i {playbook.directory}/inventory.yml -a 'rbd ls")
    assert_harmless_page((report / "diagnosis.html").read_text())
    assert_harmless_markdown((report / "diagnosis.md").read_text())
    assert not list(playbook.directory.rglob("EVIL"))
    assert "\x1b" not in said.stdout


def assert_harmless_page(page: str) -> None:
    """It has what was said as text, and nothing in it is fetched or run."""
    tags: list[str] = []
    links: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            links.extend(str(value) for name, value in attrs if name in ("src", "href") or name.startswith("on"))

    Reader().feed(page)
    assert "script" not in tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "prefers-color-scheme: dark" in page
    assert set(links) == {f"#{NAME}"}


def assert_harmless_markdown(text: str) -> None:
    """What was said is code, which Markdown leaves as it is."""
    said = [line for line in text.splitlines() if "alert(1)" in line]
    assert said
    assert all(line.startswith("    ") for line in said)


def test_machines_that_cannot_be_reached_are_unknown_and_no_failure(playbook: Playbook) -> None:
    playbook.vars |= dict.fromkeys(("ceph1", "boot1", "log1"), NOBODY)
    found = playbook.diagnosis()
    assert found["findings"] == []
    for check in ("image", "admitted", "map"):
        (why,) = (unknown["why"] for unknown in found["unknown"] if unknown["check"] == check)
        assert "Connection refused" in why, (check, why)


def test_modules_that_fail_are_unknown_and_no_failure(playbook: Playbook) -> None:
    playbook.answers(healthy(), ceph={"fail": True}, boot={"fail": True})
    found = playbook.diagnosis()
    assert found["findings"] == []
    for check in ("image", "admitted"):
        (why,) = (unknown["why"] for unknown in found["unknown"] if unknown["check"] == check)
        assert "it does not work" in why, (check, why)


def test_fleet_without_ceph_admin_boot_server_and_boot_log_is_diagnosed_all_the_same(playbook: Playbook) -> None:
    for machine in ("ceph1", "boot1", "log1"):
        del playbook.vars[machine]
    found = playbook.diagnosis()
    assert found["findings"] == []
    assert {
        "no host in the group ceph_admin",
        "no host in the group boot_servers",
        "the inventory has no host in the group log_hosts",
    } <= whys(found)
    assert "units" in {fine["check"] for fine in found["fine"]}


def test_host_that_does_not_answer_is_found_to_be_off_by_its_power_driver(playbook: Playbook) -> None:
    playbook.answers(unreachable())
    driver = {
        "driver": "command",
        "on_command": ["true"],
        "off_command": ["true"],
        "status_command": ["sh", "-c", "exit 3"],
    }
    playbook.vars[NAME] = {**NOBODY, "diskless_power": {**driver, "on_exit": 0, "off_exit": 3}}
    off, lost = playbook.diagnosis()["findings"]
    assert (off["cause"], lost["cause"], lost["explained_by"]) == ("power-off", "lost", "power-off")
    assert "Connection refused" in lost["evidence"][0]


def test_what_host_cpio_says_of_monitors_is_no_command_and_a_wrong_power_driver_no_failure(playbook: Playbook) -> None:
    conf = {"boot/me/host_conf/DISKLESS_MONITORS": "127.0.0.1:1;touch EVIL,$(touch EVIL)"}
    playbook.answers(healthy(), boot=changed(healthy(), conf)["boot"])
    playbook.vars[NAME] = {"diskless_power": {"driver": "steam"}}
    assert [finding["cause"] for finding in playbook.diagnosis()["findings"]] == ["other-monitors"]
    assert not list(playbook.directory.rglob("EVIL"))
