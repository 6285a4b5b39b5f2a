# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Children that may never return."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import (
    BoundedChild,
    Say,
    process_state,
    processes_named,
    wait_for,
)

NAME = f"bc{os.getpid()}"


def forever(say: Say) -> None:
    say("begins")
    time.sleep(600)


@pytest.fixture
def unkillable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No signal ends a child, as in uninterruptible sleep."""
    real = os.kill
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _signal: killed.append(pid))
    monkeypatch.setattr(os, "killpg", lambda pid, _signal: killed.append(pid))
    yield
    for pid in set(killed):
        real(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_values_of_several_children_in_their_order() -> None:
    def count(say: Say) -> None:
        for number in range(3):
            say({"number": number})

    reports = wait_for([BoundedChild(count, f"{NAME}a"), BoundedChild(lambda say: say("x" * 200_000), f"{NAME}b")], 20)
    assert [report.said for report in reports] == [({"number": 0}, {"number": 1}, {"number": 2}), ("x" * 200_000,)]
    assert [(report.ended, report.state, report.left_behind) for report in reports] == [(True, None, False)] * 2


def test_child_that_sticks_is_given_up_in_time_and_what_it_said_is_known() -> None:
    began = time.monotonic()
    quick, stuck = wait_for([BoundedChild(lambda say: say(1), f"{NAME}c"), BoundedChild(forever, f"{NAME}d")], 1)
    assert time.monotonic() - began < 5
    assert (quick.ended, quick.said) == (True, (1,))
    assert (stuck.ended, stuck.said, stuck.state, stuck.left_behind) == (False, ("begins",), "S", False)
    assert process_state(stuck.pid) is None


@pytest.mark.usefixtures("unkillable")
def test_child_that_nothing_can_end_is_left_behind_and_the_next_run_starts_no_other() -> None:
    (first,) = wait_for([BoundedChild(forever, f"{NAME}e")], 0.5)
    assert (first.ended, first.left_behind) == (False, True)
    assert processes_named(f"{NAME}e") == [first.pid]
    (second,) = wait_for([BoundedChild(lambda say: say("never said"), f"{NAME}e")], 0.2)
    assert (second.pid, second.said, second.ended, second.left_behind) == (first.pid, (), False, True)


def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "pid"

    def start(_say: Say) -> None:
        with subprocess.Popen(["sleep", "600"]) as process:
            started.write_text(str(process.pid), encoding="ascii")
            process.wait()

    wait_for([BoundedChild(start, f"{NAME}f")], 2)
    deadline = time.monotonic() + 5
    while process_state(int(started.read_text(encoding="ascii"))) not in (None, "Z") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process_state(int(started.read_text(encoding="ascii"))) in (None, "Z")


def test_child_holds_nothing_of_the_module_open() -> None:
    """Or the connection that the module was started over would wait for a child that never ends."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    links = []

    def look(say: Say) -> None:
        entries = [entry for entry in Path("/proc/self/fd").iterdir() if entry.exists() or entry.is_symlink()]
        say([str(entry.readlink()) for entry in entries])

    try:
        (report,) = wait_for([BoundedChild(look, f"{NAME}g")], 10)
        links = report.said[0]
        assert f"pipe:[{os.fstat(writer).st_ino}]" not in links
    finally:
        os.close(reader)
        os.close(writer)
    assert links.count("/dev/null") >= 3


def test_error_of_the_work_is_said_and_the_module_does_not_go_on_in_the_child() -> None:
    def fail(_say: Say) -> None:
        raise SystemExit("module end")

    (report,) = wait_for([BoundedChild(fail, f"{NAME}h")], 10)
    assert (report.ended, report.said) == (True, ({"error": "SystemExit: module end"},))


def test_state_of_a_process_whose_name_looks_like_the_rest_of_the_line(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text("7 (a) R (b) D 1 7 7 0 -1 4194304\n", encoding="utf-8")
    assert process_state(7, str(tmp_path)) == "D"
    assert process_state(8, str(tmp_path)) is None
