# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the commands run: on the managed node itself, or in a container by a launcher."""

from __future__ import annotations

import subprocess

import pytest

from lab.ceph import CephCluster
from tests.integration.ansible_run import ansible
from tests.integration.conftest import Machine
from tests.integration.module_run import ModuleRun

NAME = "client.launched"
pytestmark = pytest.mark.once(reason="what a launcher starts does not matter to it")


def users(ceph: CephCluster) -> list[str]:
    return [entry["entity"] for entry in ceph.ceph("auth", "ls")["auth_dump"]]


def test_podman_exec(ceph: CephCluster) -> None:
    run = ModuleRun(ceph.launcher)
    run.converge("cephx_user", name=NAME, caps={"mon": "allow r"})
    assert NAME in users(ceph)
    run.converge("cephx_user", name=NAME, state="absent")
    assert NAME not in users(ceph)


@pytest.mark.full
@pytest.mark.parametrize("bindings", ["auto", "never"])
def test_no_launcher_on_a_node_with_ceph_of_its_own(ceph: CephCluster, machines: list[Machine], bindings: str) -> None:
    """Ansible itself brings the module to the node, and the node's own Python runs it."""
    node = machines[0]
    node.give_key("client.admin", ceph.run("ceph", "auth", "print-key", "client.admin").strip())
    options = {"name": NAME, "caps": {"mon": "allow r"}, "ceph_bindings": bindings}
    first = ansible(node.container, "diskless.ceph.cephx_user", options)
    assert first.changed, first.output
    assert NAME in users(ceph)
    assert not ansible(node.container, "diskless.ceph.cephx_user", options).changed
    assert ansible(node.container, "diskless.ceph.cephx_user", {"name": NAME, "state": "absent"}).changed
    assert NAME not in users(ceph)


def test_launcher_that_does_not_pass_on_stdin_is_an_error(ceph: CephCluster) -> None:
    without_stdin = [word for word in ceph.launcher if word != "-i"]
    result = subprocess.run([*without_stdin, "cat"], input="x", capture_output=True, text=True, timeout=30, check=True)
    assert not result.stdout
    with pytest.raises(Exception, match="answer is not JSON"):
        ModuleRun(without_stdin)("cephx_user", check_mode=True, name=NAME, caps={"mon": "allow r"})
