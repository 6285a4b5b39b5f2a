# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes are found by what they hold, never by their names."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.processes import kill, lock_holder, namespace_pids, run

HOLD_LOCK = """
import fcntl, sys, time
handle = open(sys.argv[1], "w")
fcntl.lockf(handle, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""


def test_failed_command_names_itself_its_return_code_and_its_stderr() -> None:
    with pytest.raises(LabError, match=r"^sh -c 'echo no >&2; exit 3': rc 3: no$"):
        run(["sh", "-c", "echo no >&2; exit 3"])


def test_command_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PATIENCE", "0.5")
    with pytest.raises(LabError, match=r"^sleep 30: no end after 1 s$"):
        run(["sleep", "30"], timeout=2)


def test_killed_lab_takes_its_command_along(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"echo $$ >{pid_file}.part; mv {pid_file}.part {pid_file}; sleep 60"
    code = f"from lab.processes import run; run(['sh', '-c', {script!r}])"
    lab = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    while not pid_file.exists():
        assert lab.poll() is None
    child = os.pidfd_open(int(pid_file.read_text()))
    lab.kill()
    lab.wait()
    ended, _, _ = select.select([child], [], [], 10)
    assert ended == [child]


def test_lock_holder_is_the_process_that_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "qemu.pid"
    with subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        assert lock_holder(path) == holder.pid
        holder.kill()
    assert lock_holder(path) is None


def test_nobody_holds_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "qemu.pid") is None


def test_process_that_is_not_ours_any_more_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        kill(stranger.pid, lambda _pid: False)
        assert stranger.poll() is None
        kill(stranger.pid, lambda _pid: True)
        assert stranger.wait(10) == -9


def test_kill_of_a_process_that_ended_is_no_error() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    kill(ended.pid, lambda _pid: True)


def test_processes_of_a_namespace_are_told_by_its_inode(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for namespace in (ours, theirs):
        namespace.touch()
    for pid, namespace in (("10", ours), ("9", ours), ("8", theirs)):
        (tmp_path / "proc" / pid / "ns").mkdir(parents=True)
        (tmp_path / "proc" / pid / "ns/net").symlink_to(namespace)
    (tmp_path / "proc/7/ns").mkdir(parents=True)  # ended while we looked
    (tmp_path / "proc/self").mkdir()
    assert namespace_pids(ours, tmp_path / "proc") == [9, 10]


def test_namespace_that_is_not_there_has_no_processes(tmp_path: Path) -> None:
    assert namespace_pids(tmp_path / "none") == []
