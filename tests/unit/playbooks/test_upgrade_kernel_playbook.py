# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/upgrade_kernel.yml: who gets a kernel and when, where it stops, and what boots then."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.pretended_fleet import COLLECTION, FLEET, MODULES, Fleet
from tests.unit.plugins.plugin_utils.diagnosis_evidence import KERNEL

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root"),
    pytest.mark.full,  # many whole runs of the playbook, minutes of them
]

OLD, NEW = "6.1.0-50-amd64", "6.1.0-56-amd64"
BOUND = ("-e", "reboot_timeout=3 reboot_settle=0")
# A host runs what its boot tree has announced when it booted.
TREE = """
def boot_tree(name):
    return PLACE / "srv" / "boot" / name

def announced(name):
    return (boot_tree(name) / "kernel.cfg").read_text().split()[1].partition("vmlinuz-")[2]

def put(name, version):
    for file, text in (("vmlinuz-" + version, "k"), ("initrd.img-" + version, "i"),
                       ("kernel.cfg", "set kernel=vmlinuz-%s\\nset initrd=initrd.img-%s\\n" % (version, version))):
        (boot_tree(name) / "new").write_text(text)
        (boot_tree(name) / "new").rename(boot_tree(name) / file)
"""
PROGRAMS = {
    "dpkg-query": 'print("ii |linux-image-amd64|1\\nii |linux-image-@OLD@|1")\n',
    "apt-get": """
if "update" in sys.argv:
    sys.exit(0)
if hosts()[ME].get("apt_fails"):
    print("E: no route to the mirror", file=sys.stderr)
    sys.exit(100)
if "--simulate" in sys.argv:
    print("Inst linux-image-@NEW@ (1)" if announced(ME) != "@NEW@" else "nothing")
    sys.exit(0)
note("install", ME, sys.argv[-1])
put(ME, "@NEW@")
""",
}
INITRAMFS_INFO = """
from ansible.module_utils.basic import AnsibleModule
options = {"version": {}, "boot": {"default": "/boot"}, "modules": {"type": "list", "elements": "str"}}
module = AnsibleModule(argument_spec=options, supports_check_mode=True)
note("look", ME, module.params["boot"], module.params["version"])
lacks = hosts()[ME].get("initramfs_lacks")
problem = {"file": "initrd.img", "problem": "lacks the module " + str(lacks), "remedy": "Build it anew."}
module.exit_json(problems=[problem] if lacks else [])
"""
ANNOUNCED = """
    boot = json.loads(json.dumps(boot).replace("@EVIDENCE@", announced(spec["name"])))
"""
RUNNING = """
if host.get("kernel_boot") != host["boot"]:
    change(ME, kernel=hosts()[ME].get("stuck_at") or announced(ME), kernel_boot=host["boot"])
answer["kernel"] = hosts()[ME]["kernel"]
"""


def fleet_of(directory: Path, *hosts: dict[str, Any], power: bool = False) -> Fleet:
    """Hosts that run the old kernel, for which the mirror has a newer one."""
    fleet = Fleet.of(directory, *hosts, power=power)
    shared = FLEET.replace("__file__", repr(str(directory / "x"))) + TREE

    def filled(text: str) -> str:
        return (shared + text).replace("@OLD@", OLD).replace("@NEW@", NEW).replace("@EVIDENCE@", KERNEL)

    for name, text in PROGRAMS.items():
        path = directory / "bin" / name
        path.write_text(f"#!{sys.executable}\n{filled(text)}", encoding="utf-8")
        path.chmod(0o755)
    modules = {
        "initramfs_info": INITRAMFS_INFO,
        "boot_tree_info": MODULES["boot_tree_info"].replace("    tree = json", f"{ANNOUNCED}    tree = json"),
        "host_info": MODULES["host_info"].replace('answer["failed_units"]', f'{RUNNING}answer["failed_units"]'),
    }
    for name, text in modules.items():
        path = directory / COLLECTION / "plugins" / "modules" / f"{name}.py"
        path.unlink()
        path.write_text(f"#!/usr/bin/python\n{filled(text)}", encoding="utf-8")
    inventory = json.loads((directory / "inventory.json").read_text(encoding="utf-8"))
    inventory["all"]["children"]["boot_servers"]["hosts"]["boot"] = {"boot_server_root": str(directory / "srv")}
    (directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    for number in range(1, len(hosts) + 1):
        (tree(fleet, f"udoo{number}")).mkdir(parents=True)
        put(fleet, f"udoo{number}", OLD)
    return fleet


def tree(fleet: Fleet, host: str) -> Path:
    return fleet.directory / "srv" / "boot" / host


def put(fleet: Fleet, host: str, version: str) -> None:
    config = f"set kernel=vmlinuz-{version}\nset initrd=initrd.img-{version}\n"
    for name, text in ((f"vmlinuz-{version}", "k"), (f"initrd.img-{version}", "i"), ("kernel.cfg", config)):
        (tree(fleet, host) / "new").write_text(text, encoding="utf-8")
        (tree(fleet, host) / "new").rename(tree(fleet, host) / name)


def announced(fleet: Fleet, host: str) -> str:
    return (tree(fleet, host) / "kernel.cfg").read_text(encoding="utf-8").split()[1].partition("vmlinuz-")[2]


def upgrade(fleet: Fleet, *words: str) -> tuple[bool, dict[str, Any], str]:
    """Whether it succeeded, the outcome of each host, and what it said."""
    file = fleet.directory / "outcome.json"
    file.unlink(missing_ok=True)
    done = fleet.play("upgrade_kernel", *BOUND, "-e", "upgrade_kernel_file=outcome.json", *words)
    said = done.stdout + done.stderr
    assert file.exists(), said
    told = {host["host"]: host for host in json.loads(file.read_text(encoding="utf-8"))["hosts"]}
    return done.returncode == 0, told, said


def changed(fleet: Fleet) -> list[str]:
    return [line for line in fleet.history if not line.startswith("look ")]


def test_canary_is_first_and_the_others_follow_one_after_the_other(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, {}, {}, {})
    succeeded, told, said = upgrade(fleet, "-e", "upgrade_kernel_canary=udoo2")
    assert succeeded, said
    assert changed(fleet) == [
        line for name in ("udoo2", "udoo1", "udoo3") for line in (f"install {name} linux-image-amd64", f"reboot {name}")
    ]
    assert [(one["result"], one["from"], one["to"]) for one in told.values()] == [("upgraded", OLD, NEW)] * 3
    assert "first udoo2, then 1 at a time: udoo1, udoo3" in said
    # The kernel of before stays, under a name that a rollback knows.
    (kept,) = (tree(fleet, "udoo1") / "kept").iterdir()
    assert kept.name.startswith("before-kernel-")
    assert (kept / f"vmlinuz-{OLD}").exists()

    succeeded, told, said = upgrade(fleet)
    assert succeeded, said
    assert {one["result"] for one in told.values()} == {"unchanged"}
    assert len(changed(fleet)) == 6


def test_check_mode_tells_who_would_get_what_and_changes_nothing(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, {}, {})
    succeeded, told, said = upgrade(fleet, "--check")
    assert succeeded, said
    assert changed(fleet) == []
    assert [(one["result"], one["from"], one["to"], one["packages"]) for one in told.values()] == [
        ("would upgrade", OLD, NEW, ["linux-image-amd64"])
    ] * 2
    assert not (tree(fleet, "udoo1") / "kept").exists()


def test_everything_against_it_is_told_before_anything_changes(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, {}, {"apt_fails": True}, {"runs": False})
    succeeded, told, said = upgrade(fleet)
    assert (succeeded, changed(fleet)) == (False, [])
    assert "udoo2: apt cannot install linux-image-amd64: E: no route to the mirror" in said
    assert "unreachable: it does not answer by SSH" in said
    assert [one["result"] for one in told.values()] == ["untouched", "refused", "refused"]


def test_canary_whose_initramfs_is_not_complete_is_not_rebooted_and_boots_what_it_did(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, {"initramfs_lacks": "rbd"}, {})
    succeeded, told, said = upgrade(fleet)
    assert (succeeded, changed(fleet)) == (False, ["install udoo1 linux-image-amd64"])
    assert [one["result"] for one in told.values()] == ["failed", "untouched"]
    assert (told["udoo1"]["step"], told["udoo1"]["undone"]) == ("preflight", True)
    assert "initrd.img lacks the module rbd. Build it anew." in told["udoo1"]["problem"]
    assert announced(fleet, "udoo1") == OLD
    assert f"Its boot tree boots {OLD} again, and it was not rebooted." in said


@pytest.mark.parametrize("fault", [{"trouble_at_reboot": "no-image"}, {"stuck_at": OLD}])
def test_canary_that_does_not_come_back_with_the_kernel_stops_it_and_the_rollback_is_named(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    fleet = fleet_of(tmp_path, fault, {})
    succeeded, told, said = upgrade(fleet)
    assert (succeeded, changed(fleet)) == (False, ["install udoo1 linux-image-amd64", "reboot udoo1"])
    assert [one["result"] for one in told.values()] == ["failed", "untouched"]
    assert told["udoo1"]["step"] == "boot"
    assert "diskless.ceph.upgrade_kernel --limit udoo1 -e upgrade_kernel_state=rollback" in said
    assert announced(fleet, "udoo1") == NEW  # for whoever wants to know why


def test_rollback_brings_back_a_host_that_the_new_kernel_keeps_from_booting(tmp_path: Path) -> None:
    """It is announced by the boot server, and its power is cycled, because it does not answer."""
    fleet = fleet_of(tmp_path, {"trouble_at_reboot": "no-image", "trouble_at_cycle": "no-image"}, power=True)
    assert not upgrade(fleet)[0]
    state = fleet.directory / "hosts" / "udoo1.json"
    state.write_text(
        json.dumps({**json.loads(state.read_text(encoding="utf-8")), "trouble_at_cycle": None}), encoding="utf-8"
    )
    before = changed(fleet)
    rolled = ("-e", "upgrade_kernel_state=rollback")
    succeeded, told, said = upgrade(fleet, *rolled, "--check")
    assert (succeeded, told["udoo1"]["result"], told["udoo1"]["to"]) == (True, "would roll back", OLD), said
    assert (changed(fleet), announced(fleet, "udoo1")) == (before, NEW)
    # Ceph still sees somebody who has its root image open.
    succeeded, told, said = upgrade(fleet, *rolled)
    assert (succeeded, told["udoo1"]["result"]) == (True, "announced"), said
    assert (changed(fleet), announced(fleet, "udoo1")) == (before, OLD)
    succeeded, told, said = upgrade(fleet, *rolled, "-e", "upgrade_kernel_power_cycle=true")
    assert (succeeded, told["udoo1"]["result"], told["udoo1"]["to"]) == (True, "rolled back", OLD), said
    assert changed(fleet)[len(before) :] == ["power off udoo1", "power on udoo1"]


def test_kernel_that_was_rolled_back_is_there_to_go_forward_again(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, {})
    assert upgrade(fleet)[0]
    rolled = ("-e", "upgrade_kernel_state=rollback")
    succeeded, told, said = upgrade(fleet, *rolled)
    assert (succeeded, told["udoo1"]["result"], told["udoo1"]["to"]) == (True, "rolled back", OLD), said
    assert not (tree(fleet, "udoo1") / f"vmlinuz-{NEW}").exists()
    # Again is no way forward.
    succeeded, told, said = upgrade(fleet, *rolled)
    assert (succeeded, told["udoo1"]["result"], announced(fleet, "udoo1")) == (True, "unchanged", OLD), said
    succeeded, told, said = upgrade(fleet, "-e", f"upgrade_kernel_version={NEW}")
    assert (succeeded, told["udoo1"]["result"], told["udoo1"]["to"]) == (True, "upgraded", NEW), said
    assert any(line.startswith("look udoo1 /boot/kept/after-kernel-") for line in fleet.history)
