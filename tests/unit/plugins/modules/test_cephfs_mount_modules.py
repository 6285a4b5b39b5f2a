# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephfs_mount_info and cephfs_mount without CephFS: directories stand in for mounts, debugfs is written by hand."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.module_utils import _cephfs_mount_detach, _cephfs_probe
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client_reader import read_clients
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount, parse_mountinfo
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import KernelLine
from ansible_collections.diskless.ceph.plugins.modules import cephfs_mount, cephfs_mount_info

FIXTURES = Path(__file__).parents[3] / "fixtures" / "cephfs_mount"
# Probes are known by the superblock: not those of another test run.
DEVICE = f"0:{os.getpid()}"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(module: ModuleType, **args: Any) -> dict[str, Any]:
        with patch_module_args(args), pytest.raises(SystemExit):
            module.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


class Host:
    """A host whose CephFS mount is at ``path``, with the debugfs of a fixture."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.path = path
        self.mounted = True
        self.unmounts = path.parent / "unmounts"
        self.unmounts.touch()
        self.log: list[KernelLine] = []
        self.monkeypatch = monkeypatch
        path.mkdir()
        for module in (cephfs_mount, cephfs_mount_info):
            monkeypatch.setattr(module, "read_mounts", self.mounts)
        monkeypatch.setattr(cephfs_mount_info, "read_journal", lambda _module, _boots: self.log)
        monkeypatch.setattr(cephfs_mount_info, "read_dmesg", lambda _module: self.log)
        monkeypatch.setattr(cephfs_mount_info, "missing", lambda: None)
        monkeypatch.setattr(_cephfs_mount_detach, "unmount", self.unmount)
        self.show("6.1/healthy")

    def show(self, fixture: str) -> None:
        debugfs = str(FIXTURES / fixture / "debug")
        for module in (cephfs_mount, cephfs_mount_info):
            self.monkeypatch.setattr(module, "read_clients", lambda seconds: read_clients(seconds, debugfs))

    def mounts(self) -> list[CephfsMount]:
        line = f"61 27 {DEVICE} / {self.path} rw - ceph 10.77.0.2:6789:/web rw,name=web1,secret=<hidden>,acl"
        return parse_mountinfo(line) if self.mounted and not self.unmounts.read_text(encoding="utf-8") else []

    def unmount(self, path: str) -> None:
        """In a child: only a file can tell."""
        self.unmounts.write_text(path, encoding="utf-8")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    return Host(monkeypatch, tmp_path / "mnt")


def test_mount_that_works(run: Run, host: Host) -> None:
    (host.path / "file").write_text("text", encoding="ascii")
    result = run(cephfs_mount_info)
    (client,) = result["clients"]
    assert (client["state"], client["probe"]["path"], result["affected"]) == ("healthy", str(host.path), [])
    assert result["mounts"] == [{"path": str(host.path), "state": "healthy", "client": "client.4137", "device": DEVICE}]
    assert (client["holders"], result["changed"], result["kernel"]) == ([], False, os.uname().release)
    assert [path.name for path in host.path.iterdir()] == ["file"]


def test_mount_that_never_answers_does_not_keep_the_module(
    run: Run, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cephfs_probe, "_attribute", lambda _path, _name: time.sleep(600))
    began = time.monotonic()
    result = run(cephfs_mount_info, timeout=0.5)
    assert time.monotonic() - began < 10
    (client,) = result["clients"]
    assert (client["state"], client["probe"]["sticks"], result["affected"]) == ("stuck", "mds", [str(host.path)])


def test_module_itself_never_touches_the_mount(run: Run, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to touch a path that the module's own process could take is watched."""
    touched = []
    own = os.getpid()

    def watch(name: str) -> None:
        real = getattr(os, name)

        def watched(path: Any, *args: Any, **more: Any) -> Any:
            if os.getpid() == own and str(path).startswith(str(host.path)):
                touched.append((name, path))
            return real(path, *args, **more)

        monkeypatch.setattr(os, name, watched)

    for name in ("stat", "lstat", "statvfs", "open", "listdir", "scandir", "access", "getxattr"):
        watch(name)
    result = run(cephfs_mount_info, write=True)
    assert result["mounts"][0]["state"] == "healthy"
    assert touched == []


def test_incident_with_log_and_holders(run: Run, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.show("6.1/blocklisted")
    host.log = [KernelLine("ceph: mds0 rejected session", 1_790_000_000.0, 653.0)]
    monkeypatch.setattr(_cephfs_probe, "_attribute", refuse)
    monkeypatch.setattr(cephfs_mount_info, "parse_mounts", lambda _text: [mount_of(host)])
    with (host.path / "open").open("w", encoding="ascii"):
        result = run(cephfs_mount_info)
    (client,) = result["clients"]
    assert client["state"] == "blocklisted"
    assert client["evidence"] == [
        "mds: EACCES",
        "client.4137: blocklisted: yes, session with mds.0 is rejected",
        "kernel log, once 2026-09-21T14:13:20.000Z: ceph: mds0 rejected session",
    ]
    assert {"pid": os.getpid(), "name": Path("/proc/self/comm").read_text("utf-8").strip(), "by": "file"} in client[
        "holders"
    ]


def refuse(_path: str, _name: str) -> bytes:
    raise PermissionError(13, "Permission denied")


def mount_of(host: Host) -> Any:
    class Mount:
        path = str(host.path)
        fsid = None
        monitors: frozenset[str] = frozenset()

    return Mount()


def test_only_what_was_asked_for(run: Run, host: Host) -> None:
    result = run(cephfs_mount_info, paths=["/elsewhere"])
    assert (result["clients"], result["mounts"], result["missing"]) == ([], [], ["/elsewhere"])
    result = run(cephfs_mount_info, paths=[str(host.path)], probe=False)
    assert (result["mounts"][0]["state"], result["missing"], result["clients"][0]["probe"]) == ("unknown", [], None)


def test_check_mode_writes_nothing(run: Run, host: Host) -> None:
    result = run(cephfs_mount_info, write=True, _ansible_check_mode=True)
    assert [step["name"] for step in result["clients"][0]["probe"]["steps"]] == [
        "statfs",
        "stat",
        "mds",
        "list",
        "read",
    ]
    written = run(cephfs_mount_info, write=True)["clients"][0]["probe"]["steps"][-1]
    assert (written["name"], written["error"], written["done"]) == ("write", None, True)


def test_log_that_cannot_be_read_is_a_warning(run: Run, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_module: Any, *_boots: int) -> list[KernelLine]:
        raise LookupError("no kernel log")

    warnings: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _self, text: warnings.append(text))
    monkeypatch.setattr(cephfs_mount_info, "read_journal", unreadable)
    assert run(cephfs_mount_info)["mounts"][0]["path"] == str(host.path)
    assert warnings == ["the kernel log is left out: LookupError: no kernel log"]


@pytest.mark.parametrize("args", [{"timeout": 0}, {"since": "yesterday"}])
def test_wrong_options_are_named(run: Run, host: Host, args: dict[str, Any]) -> None:
    result = run(cephfs_mount_info, **args)
    assert host.mounted
    assert result["failed"]
    assert next(iter(args)) in result["msg"]


def test_client_that_may_come_back_is_not_detached(run: Run, host: Host) -> None:
    result = run(cephfs_mount, devices=[DEVICE])
    assert result["failed"]
    assert f"{DEVICE} ({host.path}): client.4137 is not known to be blocklisted or rejected" in result["msg"]
    assert host.mounts()


@pytest.mark.parametrize(
    ("fixture", "force"), [("6.1/blocklisted", False), ("5.10/rejected", False), ("6.1/stuck", True)]
)
def test_dead_client_is_detached_once(run: Run, host: Host, fixture: str, force: bool) -> None:
    host.show(fixture)
    args = {"devices": [DEVICE], "force": force, "timeout": 0.5}
    checked = run(cephfs_mount, **args, _ansible_check_mode=True)
    assert (checked["changed"], bool(host.mounts())) == (True, True)
    result = run(cephfs_mount, **args)
    assert result["detached"] == checked["detached"]
    assert result["detached"] == [{"path": str(host.path), "device": DEVICE, "source": "10.77.0.2:6789:/web"}]
    assert result["diff"] == {"before": {"mounts": [str(host.path)]}, "after": {"mounts": []}}
    assert (result["clients"][0]["gone"], host.mounts()) == (True, [])
    assert (run(cephfs_mount, **args)["changed"], host.unmounts.read_text("utf-8")) == (False, str(host.path))


def test_mount_that_stays_is_a_failure(run: Run, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.show("6.1/blocklisted")
    monkeypatch.setattr(_cephfs_mount_detach, "unmount", lambda _path: None)
    result = run(cephfs_mount, devices=[DEVICE], timeout=0.5)
    assert result["failed"]
    assert f"{host.path} could not be detached" in result["msg"]


@pytest.mark.parametrize("devices", [[], [""]])
def test_nothing_named_is_refused(run: Run, host: Host, devices: list[str]) -> None:
    assert run(cephfs_mount, devices=devices, force=True)["failed"]
    assert host.mounts()
