# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: on a directory of any file system, which answers all but what is Ceph's own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _cephfs_probe
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import Report, wait_for
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import Probe, parse_probe, start_probe


def probe(path: Path, read: bool = True, write: bool = False, seconds: float = 20) -> Probe:
    (report,) = wait_for([start_probe(str(path), f"0:{os.getpid()}", read, write)], seconds)
    return parse_probe(report)


def done(found: Probe) -> list[str]:
    return [step.name for step in found.steps if step.done]


def test_mount_that_works(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "file").write_text("text", encoding="ascii")
    found = probe(tmp_path)
    assert found.works
    assert done(found) == ["statfs", "stat", "list", "read"]
    assert [step.name for step in found.steps] == ["statfs", "stat", "mds", "list", "read"]


def test_what_is_not_asked_for_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="ascii")
    found = probe(tmp_path, read=False)
    assert [step.name for step in found.steps] == ["statfs", "stat", "mds", "list"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_written_file_is_gone_afterwards(tmp_path: Path) -> None:
    found = probe(tmp_path, write=True)
    assert found.works
    assert "write" in done(found)
    assert "read" not in done(found)
    assert list(tmp_path.iterdir()) == []


def test_bind_mount_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text", encoding="ascii")
    found = probe(file, write=True)
    assert found.works
    assert done(found) == ["statfs", "stat", "read"]


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    found = probe(tmp_path)
    assert found.works
    assert "read" not in done(found)


def test_every_step_is_tried_and_its_error_named(tmp_path: Path) -> None:
    found = probe(tmp_path / "missing")
    assert found.errors() == dict.fromkeys(("statfs", "stat", "mds", "list"), "ENOENT")
    assert not found.works


def test_step_that_never_returns_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cephfs_probe, "_attribute", lambda _path, _name: time.sleep(600))
    found = probe(tmp_path, seconds=1)
    assert ([step.name for step in found.steps], found.sticks, found.state) == (["statfs", "stat"], "mds", "S")
    assert not found.works


def test_probe_of_an_earlier_run_that_still_sticks() -> None:
    found = parse_probe(Report((), ended=False, pid=4711, state="D", left_behind=True))
    assert (found.sticks, found.pid, found.state, found.left_behind) == ("statfs", 4711, "D", True)


def test_mount_says_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cephfs_probe, "_attribute", lambda _path, name: b"client4137" if "client" in name else b"1")
    found = probe(tmp_path)
    assert found.client == "client.4137"
    assert "mds" in done(found)


def test_what_was_read_back_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cephfs_probe, "_block", lambda _descriptor, _path: b"other")
    assert probe(tmp_path, read=False, write=True).errors() == {"write": "EIO"}
