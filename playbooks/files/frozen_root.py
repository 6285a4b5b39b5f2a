# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freeze the root file system of this host for a snapshot, and thaw it whatever happens.

frozen_root.py hold SECONDS freezes it and ends, frozen_root.py release thaws it and prints JSON that says for how many
``seconds`` it was frozen and ``by`` whom it was thawed: ``request``, or ``time`` when SECONDS were over before. Then
a snapshot may not have been taken while it was frozen. The exit status is 0 after ``request`` alone.

Nothing can be written to a frozen root, so nothing may have to be: no log, no temporary file, no login record. That is
why this is no module, and why the process that holds it has all that it needs in memory before it freezes, and thaws by
itself. A second one thaws should the first be killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

# linux/fs.h: _IOWR('X', 119, int) and _IOWR('X', 120, int)
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
ROOT = "/"
STATE = Path("/run/diskless-frozen.json")
GRACE_SECONDS = 5.0
LONGEST_SECONDS = 120.0
SHORTEST_SECONDS = 1.0


def freeze(descriptor: int) -> None:
    """Freeze the file system; returns when everything is written. Raises OSError."""
    fcntl.ioctl(descriptor, FIFREEZE, 0)


def thaw(descriptor: int) -> None:
    """Thaw the file system; one that is not frozen stays as it is."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, FITHAW, 0)


def remember(**state: object) -> None:
    """Write the state, in RAM."""
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(state), encoding="utf-8")
    part.replace(STATE)


def recall() -> dict[str, object]:
    """Return the state; nothing if there is none."""
    try:
        state: dict[str, object] = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def is_alive(pid: object) -> bool:
    """Tell whether there is a process of that number."""
    try:
        os.kill(int(str(pid)), 0)
    except (OSError, ValueError):
        return False
    return True


def hold(seconds: float) -> int:
    """Freeze, and leave processes behind that thaw on request or when the time is over. Return the exit status."""
    state = recall()
    if state.get("by") is None and is_alive(state.get("pid")):
        print(f"{ROOT} is frozen already, by process {state['pid']}")
        return 1
    STATE.unlink(missing_ok=True)
    descriptor = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        try:
            guard(descriptor, writer, seconds)
        finally:
            os._exit(0)
    os.close(writer)
    # Whoever cannot write everything in that time does not freeze any more: see held().
    ready, _writable, _exceptional = select.select([reader], [], [], seconds)
    said = os.read(reader, 4096).decode() if ready else f"{ROOT} is not frozen after {seconds:.0f} s: Ceph may be slow"
    print(said)
    return 0 if said == "frozen" else 1


def guard(descriptor: int, writer: int, seconds: float) -> None:
    """Start the process that holds, and thaw if that dies."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-1000", encoding="utf-8")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    pid = os.fork()
    if pid == 0:
        try:
            held(descriptor, writer, seconds)
        finally:
            thaw(descriptor)
            os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    thaw(descriptor)
    if recall().get("by") is None:
        remember(pid=pid, by="guard", seconds=0)


def held(descriptor: int, writer: int, seconds: float) -> None:
    """Freeze, wait, thaw."""
    deadline = time.monotonic() + seconds
    began = time.monotonic()
    try:
        freeze(descriptor)
    except OSError as error:
        os.write(writer, f"{ROOT} cannot be frozen: {error.strerror}".encode())
        remember(pid=os.getpid(), by="error", seconds=0)
        return
    remember(pid=os.getpid(), by=None, seconds=0)
    left = deadline - time.monotonic()
    if left > 0:
        os.write(writer, b"frozen")
        asked = signal.sigtimedwait([signal.SIGTERM], left)
    else:
        asked = None
    thaw(descriptor)
    remember(pid=os.getpid(), by="time" if asked is None else "request", seconds=round(time.monotonic() - began, 3))


def release() -> int:
    """Thaw what is held, and say how that was. Return the exit status."""
    state = recall()
    if state.get("by") is None and is_alive(state.get("pid")):
        os.kill(int(str(state["pid"])), signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while recall().get("by") is None and time.monotonic() < deadline:
            time.sleep(0.05)
    state = recall()
    print(json.dumps({"by": state.get("by", "nobody"), "seconds": state.get("seconds", 0)}))
    return 0 if state.get("by") == "request" else 1


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    if arguments == ["release"]:
        return release()
    try:
        verb, text = arguments
        seconds = float(text)
        if verb != "hold" or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            raise ValueError
    except ValueError:
        print(f"expected hold SECONDS, {SHORTEST_SECONDS:.0f} to {LONGEST_SECONDS:.0f}, or release; got {arguments}")
        return 2
    return hold(seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
