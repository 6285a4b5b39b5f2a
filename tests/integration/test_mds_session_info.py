# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mds_session_info on a real cluster with real clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import Machine
from tests.integration.fuse_client import FuseMount, fuse_mount
from tests.integration.module_run import ModuleFailed, ModuleRun

MOVING = ("uptime_seconds", "caps", "requests_in_flight")
USER = "client.sessions1"
ROOT = "/sessions1"


@pytest.fixture(scope="module")
def mounts(ceph: CephCluster, machines: list[Machine]) -> Iterator[tuple[FuseMount, FuseMount]]:
    """A client with all of the file system, and one on the other machine with a directory and a user of its own."""
    with ExitStack() as stack:
        whole = stack.enter_context(fuse_mount(machines[0], ceph, "whole"))
        whole.run("mkdir", "-p", f"{whole.path}{ROOT}")
        caps = ("mon", "allow r", "mds", f"allow rw path={ROOT}", "osd", "allow rw tag cephfs data=cephfs")
        ceph.ceph("auth", "get-or-create", USER, *caps)
        stack.callback(ceph.run, "ceph", "auth", "rm", USER)
        part = stack.enter_context(fuse_mount(machines[1], ceph, "part", USER, ROOT))
        part.write("file", "text")
        yield whole, part


def ids(result: dict[str, Any]) -> list[int]:
    return [session["client_id"] for session in result["sessions"]]


def test_session_says_who_where_and_how(
    module: ModuleRun, ceph: CephCluster, mounts: tuple[FuseMount, FuseMount]
) -> None:
    part = mounts[1]
    result = module.info("mds_session_info", ignore=MOVING, client_ids=[part.client_id])
    (session,) = result["sessions"]
    hostname = part.run("hostname").stdout.strip()
    version = ceph.run("ceph", "version").split()[2]
    assert {key: session[key] for key in session if key not in (*MOVING, "features")} == {
        "client_id": part.client_id,
        "instance": f"client.{part.client_id} {part.address}",
        "address": part.address,
        "ip": part.machine.address,
        "hostname": hostname,
        "entity": USER,
        "kind": "fuse",
        "kernel_version": None,
        "ceph_version": version,
        "root": ROOT,
        "mount_point": part.path,
        "pid": part.pid,
        "state": "open",
        "file_system": "cephfs",
        "rank": 0,
        "mds": "a",
    }
    assert session["caps"] > 0
    assert int(session["features"], 16)
    assert result["ranks"] == [{"file_system": "cephfs", "rank": 0, "mds": "a", "state": "up:active", "asked": True}]


def test_every_filter_narrows_down(module: ModuleRun, mounts: tuple[FuseMount, FuseMount]) -> None:
    whole, part = mounts
    both = [whole.client_id, part.client_id]
    selections: list[tuple[dict[str, Any], list[int]]] = [
        ({"addresses": [part.machine.address]}, [part.client_id]),
        ({"addresses": [part.address]}, [part.client_id]),
        ({"addresses": ["10.76.0.8/29"]}, both),
        ({"addresses": ["10.77.0.0/16"]}, []),
        ({"hostnames": [part.run("hostname").stdout.strip()]}, [part.client_id]),
        ({"entities": [USER]}, [part.client_id]),
        ({"roots": [ROOT]}, [part.client_id]),
        ({"kinds": ["fuse"]}, both),
        ({"kinds": ["kernel"]}, []),
        ({"states": ["stale"]}, []),
        ({"file_system": "cephfs"}, both),
        ({"older_than_seconds": 3600}, []),
    ]
    for selection, expected in selections:
        given = {"client_ids": both, **selection}
        assert ids(module("mds_session_info", **given)) == sorted(expected), selection


def test_unknown_file_system_names_the_nearest(module: ModuleRun) -> None:
    for bindings in (True, False):
        with pytest.raises(ModuleFailed, match=r"file system cehpfs does not exist; did you mean cephfs\?"):
            module("mds_session_info", bindings=bindings, file_system="cehpfs")


def test_manager_is_told_from_a_client(module: ModuleRun, ceph: CephCluster) -> None:
    for _attempt in range(20):
        ceph.run("ceph", "fs", "subvolumegroup", "ls", "cephfs")
        managers = [
            session
            for session in module("mds_session_info", kinds=["libcephfs"])["sessions"]
            if session["entity"] == "mgr.a"
        ]
        if managers:
            return
    raise AssertionError("the manager has no session")
