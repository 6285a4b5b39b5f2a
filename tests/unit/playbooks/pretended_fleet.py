# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet that exists in a directory alone: hosts, boot log, power and Ceph, for playbooks that go through many hosts.

Each host is a JSON file. Programs and modules with the names of the real ones read and change it, so that playbooks run
as they are. What reaches a host is a Python interpreter of its own, which says who it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.plugins.plugin_utils.diagnosis_evidence import NAME, healthy

ROOT = Path(__file__).parents[3]
COLLECTION = Path("ansible_collections/diskless/ceph")

# What programs and modules share: reading and writing hosts, and what a host does at its next boot.
FLEET = """
import fcntl, json, os, pathlib, sys

PLACE = pathlib.Path(__file__).resolve().parent
ME = os.environ.get("PRETENDED_HOST")

def hosts():
    return {path.stem: json.loads(path.read_text()) for path in sorted((PLACE / "hosts").glob("*.json"))}

def change(name, **values):
    path = PLACE / "hosts" / (name + ".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

def note(*words):
    with (PLACE / "history").open("a") as history:
        print(*words, file=history)

def boots(name, trouble):
    boot = hosts()[name]["boot"] + 1
    change(name, boot=boot, stage="map" if trouble else "ready", trouble=trouble, runs=not trouble)

def client(name):
    return "10.77.0.%d:0/%d" % (hosts()[name]["number"], 1000 + hosts()[name]["boot"])
"""
PROGRAMS = {
    "systemd-run": """
note("reboot", ME)
if not hosts()[ME]["does_not_listen"]:
    boots(ME, hosts()[ME]["trouble_at_reboot"])
""",
    "diskless-status": """
name = sys.argv[sys.argv.index("--host") + 1]
host = hosts()[name]
trouble = host["trouble"] and {"stage": "map", "reason": host["trouble"], "text": "rbd: add failed"}
state = "failed" if trouble else "ready"
print(json.dumps({"name": name, "state": state, "stage": host["stage"], "boot": host["boot"], "trouble": trouble,
                  "boot_id": "boot-%d" % host["boot"], "since": 1.0, "last": {"text": "its last words"}, "boots": []}))
sys.exit(state != "ready")
""",
    "pdu": """
verb, name = sys.argv[1:]
if verb == "status":
    print(name + ": " + hosts()[name]["power"])
else:
    note("power", verb, name)
    change(name, power=verb, runs=False)
    if verb == "on":
        boots(name, hosts()[name]["trouble_at_cycle"])
""",
}
MODULES = {
    "host_info": """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={}, supports_check_mode=True)
host = hosts()[ME]
if not host["runs"]:
    module.fail_json(msg="no answer")
answer = json.loads((PLACE / "evidence.json").read_text().replace("@NAME@", ME))["host"]
answer["boot_id"] = "boot-%d" % host["boot"]
answer["root"].update(client=client(ME), client_id="client.1")
answer["failed_units"] = host["failed_units"]
module.exit_json(**answer)
""",
    "host_storage_info": """
from ansible.module_utils.basic import AnsibleModule
options = {"hosts": {"type": "list", "elements": "dict"}, "ceph_launcher": {"type": "list"}, "ceph_conf": {},
           "ceph_name": {}, "ceph_keyring": {}, "ceph_timeout": {"type": "int"}}
module = AnsibleModule(argument_spec=options, supports_check_mode=True)
answer = {"reached": True, "error": None, "hosts": {}}
for spec in module.params["hosts"]:
    name = spec["name"]
    ceph = json.loads((PLACE / "evidence.json").read_text().replace("@NAME@", name))["ceph"]
    here = [{"client": "client.1", "owner": "client.1", "cookie": 1, "address": client(name)}]
    ceph["hosts"][name].update(watchers=here, locks=[] if hosts()[name]["loses_lock"] else here)
    answer["hosts"].update(ceph["hosts"])
    answer["cluster"] = {**ceph["cluster"], "recovering": hosts()[name]["recovering"]}
module.exit_json(**answer)
""",
    "boot_tree_info": """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={"hosts": {"type": "list", "elements": "dict"}}, supports_check_mode=True)
answer = {"hosts": {}}
for spec in module.params["hosts"]:
    boot = json.loads((PLACE / "evidence.json").read_text().replace("@NAME@", spec["name"]))["boot"]
    tree = json.loads(json.dumps(boot["hosts"][spec["name"]]).replace("10.77.0.12", spec["address"]).replace(
        "52:54:00:77:00:12", spec["mac"]))
    answer["hosts"][spec["name"]] = {**tree, "admitted": hosts()[spec["name"]]["admitted"]}
    answer["services"] = boot["services"]
module.exit_json(**answer)
""",
}
# Of the collection kubernetes.core, which may not be here. A node has the name of its host.
KUBERNETES = {
    "k8s_info": """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec=dict.fromkeys(["api_version", "kind", "name", "kubeconfig", "context"], {}))
node = {"spec": {"unschedulable": True} if hosts()[module.params["name"]]["cordoned"] else {}}
module.exit_json(resources=[node])
""",
    "k8s_drain": """
from ansible.module_utils.basic import AnsibleModule
options = dict.fromkeys(["name", "state", "kubeconfig", "context"], {})
module = AnsibleModule(argument_spec={**options, "delete_options": {"type": "dict"}})
name, state = module.params["name"], module.params["state"]
if state == "drain" and hosts()[name]["cannot_be_drained"]:
    change(name, cordoned=True)
    module.fail_json(msg="a pod has a disruption budget")
note(state, name)
change(name, cordoned=state == "drain")
module.exit_json(changed=True)
""",
}
WELL: dict[str, Any] = {
    **{"boot": 1, "stage": "ready", "trouble": None, "runs": True, "power": "on", "failed_units": []},
    **{"admitted": True, "recovering": False, "loses_lock": False, "cordoned": False, "cannot_be_drained": False},
    "does_not_listen": False,
    # Why the map fails, after a reboot or after a power cycle.
    **{"trouble_at_reboot": None, "trouble_at_cycle": None},
}


@dataclass(frozen=True)
class Fleet:
    """Hosts udoo1, udoo2… in a directory, and a collection whose modules for them look there."""

    directory: Path
    power: bool = False

    @classmethod
    def of(cls, directory: Path, *hosts: dict[str, Any], power: bool = False) -> Fleet:
        """Make a fleet of hosts that are well but for this. With ``power`` they have a power driver."""
        fleet = cls(directory, power)
        for name in ("hosts", "bin"):
            (directory / name).mkdir()
        (directory / "history").touch()
        evidence = json.dumps(healthy()).replace(NAME, "@NAME@")
        (directory / "evidence.json").write_text(evidence, encoding="utf-8")
        for number, host in enumerate(hosts, start=1):
            state = json.dumps({**WELL, "number": 10 + number, **host})
            (directory / "hosts" / f"udoo{number}.json").write_text(state, encoding="utf-8")
            fleet._program(f"python-udoo{number}", f'PRETENDED_HOST=udoo{number} exec {sys.executable} "$@"', "/bin/sh")
        located = FLEET.replace("__file__", repr(str(directory / "x")))
        for name, text in PROGRAMS.items():
            fleet._program(name, located + text, sys.executable)
        fleet._collection(located)
        fleet._inventory(len(hosts))
        return fleet

    def play(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.json", *words]
        environment = {
            **os.environ,
            **{"PATH": f"{self.directory}/bin:{os.environ['PATH']}", "PWD": str(self.directory)},
            **{"ANSIBLE_COLLECTIONS_PATH": str(self.directory), "PYTHONPATH": str(self.directory)},
            **{"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.directory / "home")},
        }
        return subprocess.run(
            [*command, f"diskless.ceph.{playbook}"],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @property
    def history(self) -> list[str]:
        """What was done to hosts, in order."""
        return (self.directory / "history").read_text(encoding="utf-8").splitlines()

    def _program(self, name: str, text: str, interpreter: str) -> None:
        path = self.directory / "bin" / name
        path.write_text(f"#!{interpreter}\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def _collection(self, shared: str) -> None:
        """The collection of this repository, with other modules for what only real machines have."""
        tree = self.directory / COLLECTION
        for part in ("plugins/modules", "plugins/action"):
            (tree / part).mkdir(parents=True)
            for path in (ROOT / part).glob("*.py"):
                if path.stem not in MODULES:
                    (tree / part / path.name).symlink_to(path)
        for path in [*ROOT.glob("plugins/*"), *ROOT.glob("*")]:
            inside = tree / path.relative_to(ROOT)
            if not inside.exists() and not path.name.startswith(".") and path.name not in ("tests", "build"):
                inside.symlink_to(path)
        kubernetes = self.directory / "ansible_collections/kubernetes/core"
        (kubernetes / "plugins/modules").mkdir(parents=True)
        for collection, modules in ((tree, MODULES), (kubernetes, KUBERNETES)):
            for name, text in modules.items():
                module = collection / "plugins/modules" / f"{name}.py"
                module.write_text(f"#!/usr/bin/python\n{shared}{text}", encoding="utf-8")

    def _inventory(self, count: int) -> None:
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        power = {
            **{"driver": "command", "on_pattern": ": on$", "off_pattern": ": off$", "timeout": 5, "pause": 0},
            **{
                f"{verb}_command": [str(self.directory / "bin/pdu"), verb, "{host}"] for verb in ("on", "off", "status")
            },
        }
        hosts = {
            f"udoo{number}": {
                "diskless_address": f"10.77.0.{10 + number}/24",
                "diskless_mac": f"52:54:00:77:00:{10 + number}",
                "ansible_python_interpreter": str(self.directory / "bin" / f"python-udoo{number}"),
            }
            for number in range(1, count + 1)
        }
        shared = {
            **{"diskless_board": "udoo_x86", "diskless_boot_network": "10.77.0.0/24"},
            **{"diskless_boot_server": "10.77.0.3", "diskless_netconsole": ["10.77.0.3"]},
            **({"diskless_power": power} if self.power else {}),
        }
        groups = {
            "diskless_hosts": {"hosts": hosts, "vars": shared},
            **{group: {"hosts": {group[:4]: None}} for group in ("ceph_admin", "boot_servers", "log_hosts")},
        }
        inventory = {"all": {"children": groups, "vars": {**here, "ansible_remote_tmp": str(self.directory / "tmp")}}}
        (self.directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
