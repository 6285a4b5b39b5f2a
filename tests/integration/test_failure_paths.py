# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user reads when Ceph cannot be reached or refuses."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from lab.ceph import CephCluster
from lab.patience import patience
from tests.integration.module_run import ModuleFailed, ModuleRun

BINDINGS = pytest.mark.parametrize("bindings", [True, False], ids=["bindings", "commands"])
AWAY = "/etc/ceph/away.conf"
WRONG = "/etc/ceph/wrong.keyring"
READ = {"name": "client.absent", "state": "absent"}


def message(module: ModuleRun, **args: Any) -> str:
    with pytest.raises(ModuleFailed) as caught:
        module("cephx_user", **args)
    return str(caught.value).removeprefix(" ".join(module.launcher)).strip()


@BINDINGS
def test_cluster_that_does_not_answer(module: ModuleRun, ceph: CephCluster, bindings: bool) -> None:
    conf = ceph.run("cat", "/etc/ceph/ceph.conf")
    ceph.run("sh", "-c", f"cat >{AWAY}", stdin=re.sub("mon host = .*", "mon host = 127.0.0.9", conf))
    began = time.monotonic()
    said = message(module, bindings=bindings, ceph_conf=AWAY, ceph_timeout=6, **READ)
    assert time.monotonic() - began < 20 * patience()
    assert said.startswith(f"ceph --conf {AWAY} --name client.admin --connect-timeout 3 ")
    assert re.search(": no answer within [36] s: can the monitors be reached from there", said)


@BINDINGS
def test_monitor_that_hangs_is_bounded_by_the_timeout(module: ModuleRun, ceph: CephCluster, bindings: bool) -> None:
    pid = ceph.run("pidof", "ceph-mon").strip()
    ceph.run("kill", "-STOP", pid)
    try:
        began = time.monotonic()
        said = message(module, bindings=bindings, ceph_timeout=4, **READ)
        assert time.monotonic() - began < 20 * patience()
    finally:
        ceph.run("kill", "-CONT", pid)
    assert re.search(": no answer within [24] s: can the monitors be reached from there", said)
    ceph.wait_ready()


@BINDINGS
def test_wrong_key(module: ModuleRun, ceph: CephCluster, bindings: bool) -> None:
    keyring = "[client.admin]\nkey = AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==\n"
    ceph.run("sh", "-c", f"cat >{WRONG}", stdin=keyring)
    said = message(module, bindings=bindings, ceph_keyring=WRONG, **READ)
    assert "the cluster refuses client.admin: no key, a wrong key, or no such user" in said
    assert "AQAAAA" not in said


@BINDINGS
def test_caps_that_are_too_small(module: ModuleRun, ceph: CephCluster, bindings: bool) -> None:
    keyring = "/etc/ceph/ceph.client.small.keyring"
    ceph.run("ceph", "auth", "get-or-create", "client.small", "mon", "allow r", "-o", keyring)
    said = message(module, bindings=bindings, ceph_name="client.small", name="client.other", caps={"mon": "allow r"})
    needed = "mon 'allow r, allow command \"auth ls\"'"
    assert f"auth ls -f json: client.small may not do that; its caps have to include {needed}" in said


@BINDINGS
def test_program_that_is_not_there(module: ModuleRun, bindings: bool) -> None:
    said = message(module, bindings=bindings, ceph_launcher=["/no/such/launcher"], **READ)
    assert (
        "cannot start /no/such/launcher: No such file or directory; install ceph-common there, or set ceph_launcher"
        in said
    )
