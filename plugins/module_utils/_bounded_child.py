# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do several things at once that may never return, each in a child that says how far it has come.

A call into a dead network file system sleeps uninterruptibly (state D): no signal ends it, and whoever waits for such a
process waits for ever. What :mod:`._bounded_call` does for one call and its result, this does for many, and what a
child has said before it stuck is known. Subprocess and AnsibleModule.run_command wait for their children, so this forks
by itself. A child that is left behind has none of the module's files open, or the connection over which the module was
started would not end either. It holds a name by which the next run knows it: there is never more than one of a name.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Sequence

PROC = "/proc"
NAME_SIZE = 15  # what the kernel keeps of a process name (TASK_COMM_LEN less its end)
_STATE = re.compile(r"\) ([A-Za-z]) ")
_END_SECONDS = 0.5  # for a child that SIGKILL can end
_PAUSE_SECONDS = 0.02
_STDERR = 2

Say = Callable[[Any], None]


@dataclass(frozen=True)
class Report:
    """What became of a child.

    said: the values that it has said, in order.
    ended: whether it came to its end in time, by itself.
    pid: its process id; that of an earlier run's if that one still sticks.
    state: the letter of its process state when its time was up, as in ps; None if it ended.
    left_behind: whether it is still there: nothing can end it.
    """

    said: tuple[Any, ...]
    ended: bool
    pid: int
    state: str | None = None
    left_behind: bool = False


class BoundedChild:
    """A child that does ``work``, which says values, anything that JSON can hold, to the function that it is given.

    ``name`` is what ps shows. If a child of that name sticks since an earlier run, no other is started.
    """

    def __init__(self, work: Callable[[Say], None], name: str) -> None:
        self._parts: list[bytes] = []
        self._reader: int | None = None
        self._ended = False
        self._state: str | None = None
        self._left_behind = False
        earlier = processes_named(name)
        self._own = not earlier
        if earlier:
            self.pid = earlier[0]
            return
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            _be_child(work, name, writer)
        os.close(writer)
        self._reader = reader

    def report(self) -> Report:
        """Return what is known; to be called after :func:`wait_for`."""
        lines = b"".join(self._parts).split(b"\n")[:-1]  # what stands after the last line end is not complete
        return Report(tuple(json.loads(line) for line in lines), self._ended, self.pid, self._state, self._left_behind)

    def fileno(self) -> int:
        """Return the descriptor that it is heard at, for select."""
        return -1 if self._reader is None else self._reader

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear any more."""
        return self._reader is None

    def hear(self) -> None:
        """Read what it has said; at its end, fetch it."""
        part = os.read(self.fileno(), 65536)
        if part:
            self._parts.append(part)
            return
        self._ended = True
        self._close()

    def give_up(self) -> None:
        """Its time is up: note what it is doing, and try to end it, without waiting for that."""
        if self._own and self._reader is None:
            return
        self._state = process_state(self.pid)
        if self._own:
            # And what it has started; it may not have come so far that it is a group of its own.
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError):
                    kill(self.pid, signal.SIGKILL)
            self._close()

    def fetch(self) -> bool:
        """Tell whether it is gone; without waiting."""
        if self._own:
            try:
                self._left_behind = os.waitpid(self.pid, os.WNOHANG)[0] == 0
            except ChildProcessError:  # somebody else has fetched it
                self._left_behind = False
        else:
            self._left_behind = process_state(self.pid) is not None
        return not self._left_behind

    def _close(self) -> None:
        if self._reader is not None:
            os.close(self._reader)
            self._reader = None


def wait_for(children: Sequence[BoundedChild], seconds: float) -> list[Report]:
    """Wait for all children together, for so many seconds at most, and return their reports in the same order."""
    deadline = time.monotonic() + seconds
    while True:
        talking = [child for child in children if not child.silent]
        left = deadline - time.monotonic()
        if not talking or left <= 0:
            break
        for child in select.select(talking, [], [], left)[0]:
            child.hear()
    for child in children:
        child.give_up()
    deadline = time.monotonic() + _END_SECONDS
    while [child for child in children if not child.fetch()] and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return [child.report() for child in children]


def processes_named(name: str, proc: str = PROC) -> list[int]:
    """Return the processes of this name."""
    found = []
    for path in Path(proc).glob("[0-9]*/comm"):
        try:
            if path.read_text(encoding="utf-8", errors="replace").strip() == name[:NAME_SIZE]:
                found.append(int(path.parent.name))
        except OSError:  # it has ended
            continue
    return sorted(found)


def process_state(pid: int, proc: str = PROC) -> str | None:
    """Return the letter that ps shows for the state of a process; None if there is none of that id."""
    try:
        text = Path(proc, str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name before it may contain anything, parentheses as well.
    found = _STATE.search(text, text.rfind(")"))
    return found.group(1) if found else None


def _be_child(work: Callable[[Say], None], name: str, writer: int) -> None:
    """Do the work and end, without anything of what the module does at its own end."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(_STDERR + 1):
            os.dup2(null, descriptor)
        for descriptor in sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir()):
            if descriptor > _STDERR and descriptor != writer:
                with contextlib.suppress(OSError):  # that of the listing itself
                    os.close(descriptor)
        os.chdir("/")
        Path("/proc/self/comm").write_text(name[:NAME_SIZE], encoding="utf-8")
        work(lambda value: _say(writer, value))
    except BaseException as error:  # also SystemExit: the module's own code must not go on in here
        _say(writer, {"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _say(writer: int, value: Any) -> None:
    line = json.dumps(value).encode() + b"\n"
    while line:
        line = line[os.write(writer, line) :]
