# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/recover_cephfs.yml: what it does, in which order, and what it leaves alone.

The modules that touch a kernel or a cluster are replaced by ones that answer what a test says and note that they were
called; so are ``systemctl`` and ``kubectl``. Everything between them is the product's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
ADDRESS = "10.77.0.11:0/2284328471"
POD_MOUNT = "/var/lib/kubelet/pods/6d1f/volumes/kubernetes.io~csi/pvc-1/mount"

# Answers with the next of its answers, the last one for ever, and notes what it was asked.
MODULE = """\
from ansible.module_utils.basic import AnsibleModule
import fcntl, json, os
def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    with open("STATE", "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        params = module.params.items()
        asked = {key: value for key, value in params if value is not None and not key.startswith("ceph_")}
        state["calls"].append(["NAME", asked, module.check_mode])
        answers = state["answers"].setdefault("NAME", [{}])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        file.seek(0); file.truncate(); json.dump(state, file)
    module.exit_json(**{"changed": False, **answer})
main()
"""
PROGRAM = """\
#!/bin/sh
python3 - "$@" <<'EOP'
import fcntl, json, sys
with open("STATE", "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    state = json.load(file)
    state["calls"].append(["NAME", sys.argv[1:], False])
    file.seek(0); file.truncate(); json.dump(state, file)
print(state["answers"].get("NAME " + sys.argv[1], ""))
EOP
"""
CEPH = {f"ceph_{name}": {"type": "raw"} for name in ("launcher", "conf", "name", "keyring", "timeout")}
MODULES: dict[str, dict[str, Any]] = {
    "cephfs_mount_info": {"timeout": {"type": "float"}, "write": {"type": "bool"}, "paths": {"type": "list"}},
    "cephfs_mount": {"devices": {"type": "list"}, "state": {"type": "str"}, "force": {"type": "bool"}},
    "mds_session_info": CEPH,
    "osd_blocklist_info": {"daemons": {"type": "bool"}, "hosts": {"type": "list"}, **CEPH},
    "osd_blocklist": {"address": {"type": "str"}, "state": {"type": "str"}, **CEPH},
    "kubelet_orphaned_pods": {"pods": {"type": "list"}, "directory": {"type": "path"}, "state": {"type": "str"}},
}


def client(state: str, number: int, path: str = "/srv/web", **more: Any) -> dict[str, Any]:
    unit = "srv-web.mount" if path == "/srv/web" else None
    return {
        "state": state,
        "device": "0:46",
        "client": f"client.{number}",
        "candidates": [f"client.{number}"],
        "address": ADDRESS if number == 4137 else f"10.77.0.11:0/{number}",
        "ip": "10.77.0.11",
        "fsid": FSID,
        "mounts": [{"path": path, "unit": unit}],
        "evidence": [f"client.{number}: seen by the test"],
        "holders": [{"pid": 812, "name": "nginx", "by": "file"}],
        "recover_session": False,
        **more,
    }


def info(*clients: dict[str, Any]) -> dict[str, Any]:
    mounts = [{"path": mount["path"], "state": one["state"]} for one in clients for mount in one["mounts"]]
    affected = [mount["path"] for mount in mounts if mount["state"] != "healthy"]
    return {"clients": list(clients), "mounts": mounts, "affected": affected, "missing": [], "kernel": "6.1.0"}


def sessions(*numbers: int) -> dict[str, Any]:
    found = [
        {
            "client_id": number,
            "address": ADDRESS if number == 4137 else f"10.77.0.11:0/{number}",
            "state": "open",
            "mds": "a",
            "instance": f"client.{number}",
        }
        for number in numbers
    ]
    return {"sessions": found, "ranks": [{"asked": True}]}


BLOCKED = {"entries": [{"address": ADDRESS, "fence": False, "hosts": ["web1"], "until": "2026-11-21T14:24:22Z"}]}
DEAD, NEW = client("blocklisted", 4137), client("healthy", 5000)
INCIDENT = {
    "cephfs_mount_info": [info(DEAD), info(NEW)],
    "mds_session_info": [sessions(), sessions(5000)],
    "osd_blocklist_info": [BLOCKED],
}


class Play:
    """A machine web1, and a Ceph admin host; everything on this machine."""

    def __init__(self, directory: Path, answers: dict[str, Any]) -> None:
        self.directory = directory
        self.state = directory / "state.json"
        usual = {"ceph fsid": FSID, "systemctl show": "LoadState=loaded\nActiveState=inactive\nUnitFileState=enabled"}
        self.state.write_text(json.dumps({"answers": {**usual, **answers}, "calls": []}), encoding="utf-8")
        self._collection()
        for name in ("systemctl", "kubectl"):
            self._program(name, PROGRAM)
        self._program("ceph", f"#!/bin/sh\necho {FSID}\n")

    def _program(self, name: str, text: str) -> None:
        program = self.directory / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text.replace("STATE", str(self.state)).replace("NAME", name), encoding="utf-8")
        program.chmod(0o755)

    def _collection(self) -> None:
        """This collection with some modules replaced."""
        collection = self.directory / "ansible_collections/diskless/ceph"
        (collection / "plugins/modules").mkdir(parents=True)
        for part in ("meta", "roles", "galaxy.yml"):
            (collection / part).symlink_to(ROOT / part)
        for entry in (ROOT / "plugins").iterdir():
            if entry.name != "modules":
                (collection / "plugins" / entry.name).symlink_to(entry)
        for name, spec in MODULES.items():
            text = MODULE.replace("STATE", str(self.state)).replace("NAME", name).replace("SPEC", repr(spec))
            (collection / "plugins/modules" / f"{name}.py").write_text(text, encoding="utf-8")

    def run(self, *arguments: str, admin: bool = True) -> tuple[int, str, dict[str, Any]]:
        """Return exit status, output and the JSON of the result."""
        inventory = self.directory / "inventory"
        groups = "[cephfs_clients]\nweb1\n" + ("[ceph_admin]\nadmin\n" if admin else "")
        inventory.write_text(f"{groups}[all:vars]\nansible_connection=local\n", encoding="utf-8")
        kept = self.directory / "result.json"
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *arguments]
        command += ["-e", f"recover_cephfs_file={kept}", str(ROOT / "playbooks/recover_cephfs.yml")]
        environment = {
            **os.environ,
            "PATH": f"{self.directory}/bin:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory),
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        result = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        return done.returncode, done.stdout + done.stderr, result

    @property
    def calls(self) -> list[Any]:
        """What was called, with its arguments and whether in check mode, in this order."""
        return list(json.loads(self.state.read_text(encoding="utf-8"))["calls"])

    def changing(self) -> list[str]:
        """The calls that change something, in their order."""
        found = []
        for name, asked, check_mode in self.calls:
            if name in ("cephfs_mount", "osd_blocklist", "kubelet_orphaned_pods"):
                found.append(name + (" (check mode)" if check_mode else ""))
            elif name == "kubectl" and asked[0] != "get":
                found.append(f"kubectl {asked[0]}")
            elif name == "systemctl" and asked[0] != "show":
                found.append(f"systemctl {' '.join(asked)}")
        return found


def test_incident_is_healed_in_the_order_that_it_taught(tmp_path: Path) -> None:
    play = Play(tmp_path, INCIDENT)
    status, said, result = play.run()
    assert status == 0, said
    assert play.changing() == ["cephfs_mount", "systemctl start srv-web.mount", "osd_blocklist"]
    detached, lifted = (asked for name, asked, _mode in play.calls if name in ("cephfs_mount", "osd_blocklist"))
    assert (detached["devices"], detached["force"]) == (["0:46"], True)
    assert (lifted["address"], lifted["state"]) == (ADDRESS, "absent")
    assert [asked.get("write") for name, asked, _mode in play.calls if name == "cephfs_mount_info"] == [None, True]
    assert "web1: healed" in said
    assert "nginx (812, file) holds it: to be restarted" in said
    (host,) = result["hosts"]
    assert (host["state"], host["lifted"], host["remedies"]) == ("healed", [ADDRESS], [])
    asked = next(asked for name, asked, _mode in play.calls if name == "osd_blocklist_info")
    assert asked["hosts"] == [{"name": "web1", "address": "10.77.0.11"}]


def test_check_mode_says_what_it_would_do(tmp_path: Path) -> None:
    play = Play(tmp_path, INCIDENT)
    status, said, result = play.run("--check")
    assert status == 0, said
    assert play.changing() == ["cephfs_mount (check mode)"]
    assert "/srv/web: blocklisted; taken away and made anew: blocklisted, as its kernel says" in said
    assert result["hosts"][0]["state"] == "would_be_healed"


@pytest.mark.parametrize("admin", [True, False])
def test_client_that_may_come_back_is_left_alone(tmp_path: Path, admin: bool) -> None:
    play = Play(
        tmp_path, {**INCIDENT, "cephfs_mount_info": [info(client("stuck", 4137))], "mds_session_info": [sessions(4137)]}
    )
    status, said, result = play.run(admin=admin)
    assert status != 0
    assert play.changing() == []
    reason = "it still has a session, open with mds.a" if admin else "not every MDS could be asked"
    assert f"web1: /srv/web: {reason}" in said.replace("\\n", "")
    assert result["hosts"][0]["state"] == "not_healed"


def test_mount_that_comes_back_by_itself_is_not_taken_away(tmp_path: Path) -> None:
    waiting = client("blocklisted", 4137, recover_session=True)
    play = Play(tmp_path, {**INCIDENT, "cephfs_mount_info": [info(waiting), info(NEW)]})
    status, said, result = play.run()
    assert status == 0, said
    assert play.changing() == []
    assert "/srv/web: came back by itself" in said
    assert result["hosts"][0]["state"] == "healed"


@pytest.mark.full
def test_new_mount_that_is_dead_as_well_ends_with_the_last_resort(tmp_path: Path) -> None:
    play = Play(tmp_path, {**INCIDENT, "cephfs_mount_info": [info(DEAD)]})
    status, said, result = play.run("-e", "recover_cephfs_timeout=1")
    assert status != 0
    assert play.changing() == ["cephfs_mount", "systemctl start srv-web.mount"]
    assert "/srv/web still does not work" in said
    assert "the same client instance as before serves /srv/web" in said
    assert result["hosts"][0]["remedies"][-1].startswith("last resort: systemctl reboot --force on web1")


def test_node_is_drained_of_the_pods_that_use_the_mount_and_comes_back(tmp_path: Path) -> None:
    pods = [
        {"metadata": {"namespace": "web", "name": "shop-1", "uid": "6d1f"}},
        {"metadata": {"namespace": "web", "name": "other", "uid": "7777"}},
    ]
    dead = client("blocklisted", 4137, path=POD_MOUNT)
    answers = {"cephfs_mount_info": [info(dead), info()], "kubectl get": json.dumps({"kind": "List", "items": pods})}
    play = Play(tmp_path, {**INCIDENT, **answers})
    status, said, _result = play.run("-e", "recover_cephfs_kubernetes=true", "-e", "recover_cephfs_node=node7")
    assert status == 0, said
    assert play.changing() == [
        "kubectl cordon",
        "kubectl delete",
        "cephfs_mount",
        "osd_blocklist",
        "kubelet_orphaned_pods (check mode)",
        "kubectl uncordon",
    ]
    deleted = next(asked for name, asked, _mode in play.calls if name == "kubectl" and asked[0] == "delete")
    assert deleted == ["delete", "pod", "--namespace", "web", "shop-1", "--wait=false"]
    orphans = next(asked for name, asked, _mode in play.calls if name == "kubelet_orphaned_pods")
    assert orphans["pods"] == ["7777", "6d1f"]
    assert ["cordon", "node7"] in [asked for name, asked, _mode in play.calls if name == "kubectl"]
