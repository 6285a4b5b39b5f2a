# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephx_user on a real cluster."""

from __future__ import annotations

from typing import Any

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.module_run import ModuleRun

NAME = "client.backup"
CAPS = {"mon": "profile rbd-read-only", "osd": f"profile rbd-read-only pool={POOL}"}


def user(ceph: CephCluster) -> dict[str, Any]:
    entry: dict[str, Any] = ceph.ceph("auth", "get", NAME)[0]
    return entry


def test_life_of_a_user(module: ModuleRun, ceph: CephCluster) -> None:
    created = module.converge("cephx_user", name=NAME, caps=CAPS)
    assert user(ceph)["caps"] == CAPS
    assert "key" not in created
    key = user(ceph)["key"]
    assert key not in str(created)
    assert module("cephx_user", name=NAME, caps=CAPS, return_key=True)["key"] == key

    respaced = {"mon": " profile  rbd-read-only", "osd": CAPS["osd"]}
    assert module("cephx_user", name=NAME, caps=respaced)["changed"] is False

    module.converge("cephx_user", name=NAME, caps={"mon": "allow r"})
    assert user(ceph)["caps"] == {"mon": "allow r"}
    assert user(ceph)["key"] == key

    module.converge("cephx_user", name=NAME, state="absent")
    assert NAME not in [entry["entity"] for entry in ceph.ceph("auth", "ls")["auth_dump"]]


def test_check_mode_returns_no_key_of_a_user_to_come(module: ModuleRun) -> None:
    result = module("cephx_user", check_mode=True, name="client.to.come", caps={"mon": "allow r"}, return_key=True)
    assert (result["changed"], result["key"]) == (True, None)
