# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory describes the fleet that the lab made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.diskless.ceph.plugins.filter.power_specs import power_specs

from lab.cli import parser
from lab.inventory import render
from lab.state import Directory, Host, State

PUBLIC_KEY = 'ssh-ed25519 AAAA "it\'s"'


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("DISKLESS_LAB_STATE", str(tmp_path))
    return Directory("lab")


def inventory(directory: Directory, hosts: dict[str, Host], *, router: bool = False, boot_servers: int = 1) -> Any:
    state = State(hosts=hosts, router=router, boot_servers=boot_servers)
    return yaml.safe_load(render(directory, state, ["podman", "exec", "-i", "dl-lab-ceph"], PUBLIC_KEY))["all"]


def test_each_host_has_its_address_and_mac(directory: Directory) -> None:
    hosts = inventory(directory, {"b": Host(12), "a": Host(11)})["children"]["diskless_hosts"]["hosts"]
    assert list(hosts) == ["a", "b"]
    assert hosts["b"] == {
        "ansible_host": "10.77.0.12",
        "diskless_address": "10.77.0.12/24",
        "diskless_mac": "52:54:00:77:00:12",
        "diskless_board": "udoo_x86",
        "diskless_console": ["ttyS0,115200"],
    }


def test_pi_has_a_serial_number(directory: Directory) -> None:
    host = inventory(directory, {"a": Host(11, "cm4")})["children"]["diskless_hosts"]["hosts"]["a"]
    assert (host["diskless_board"], host["diskless_serial"]) == ("cm4", "77a00011")


@pytest.mark.parametrize(("router", "dhcp"), [(False, "full"), (True, "proxy")])
def test_boot_server_leaves_the_addresses_to_a_router(directory: Directory, router: bool, dhcp: str) -> None:
    assert inventory(directory, {}, router=router)["children"]["boot_servers"]["vars"]["boot_server_dhcp"] == dhcp


def test_one_boot_server_has_the_trees_for_itself(directory: Directory) -> None:
    group = inventory(directory, {})["children"]["boot_servers"]
    assert group["hosts"] == {"boot": {"ansible_host": "10.77.0.3"}}
    assert (group["vars"]["boot_server_nfs"], group["vars"]["boot_server_members"]) == ("ganesha", [])


def test_two_boot_servers_take_turns_with_the_address(directory: Directory) -> None:
    fleet = inventory(directory, {}, boot_servers=2)
    group = fleet["children"]["boot_servers"]
    assert group["vars"]["boot_server_members"] == [host["ansible_host"] for host in group["hosts"].values()]
    assert group["vars"]["boot_server_nfs"] == "ganesha_cephfs"
    assert fleet["vars"]["diskless_boot_server"] not in group["vars"]["boot_server_members"]


@pytest.mark.parametrize(("boot_servers", "names", "targets"), [(1, ["boot"], ["10.77.0.3"]), (2, [], [])])
def test_boot_log_is_on_a_boot_server_that_is_alone(
    directory: Directory, boot_servers: int, names: list[str], targets: list[str]
) -> None:
    fleet = inventory(directory, {}, boot_servers=boot_servers)
    assert list(fleet["children"]["log_hosts"]["hosts"]) == names
    assert fleet["vars"]["diskless_netconsole"] == targets


def test_lab_without_hosts_has_an_empty_group(directory: Directory) -> None:
    assert inventory(directory, {})["children"]["diskless_hosts"]["hosts"] == {}


def test_playbooks_switch_hosts_by_the_command_of_this_lab(directory: Directory) -> None:
    group = inventory(directory, {"a": Host(11)})["children"]["diskless_hosts"]
    spec = power_specs({"a": {**group["vars"], **group["hosts"]["a"]}}, ["a"])["a"]
    assert spec is not None
    program, *words = spec["off_command"]
    assert (Path(program).is_file(), words) == (True, ["--name", "lab", "power", "off", "a"])
    assert parser().parse_args(words).hosts == ["a"]
    assert re.search(spec["on_pattern"], "a: on\n")
    assert not re.search(spec["on_pattern"], "a: off\n")


def test_values_survive_yaml(directory: Directory) -> None:
    variables = inventory(directory, {})["vars"]
    assert variables["root_image_ssh_keys"] == [PUBLIC_KEY]
    assert variables["diskless_ceph_launcher"] == ["podman", "exec", "-i", "dl-lab-ceph"]
    assert variables["ansible_ssh_executable"] == str(directory.ssh)


def test_connections_are_not_shared_between_labs(directory: Directory) -> None:
    mine = inventory(directory, {})["vars"]["ansible_control_path_dir"]
    assert mine != inventory(Directory("other"), {})["vars"]["ansible_control_path_dir"]
