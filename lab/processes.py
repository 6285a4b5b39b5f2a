# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, find and stop processes, without ever going by their names."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import signal
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.patience import patience, wait_until

# A lab that is killed takes the command it is waiting for with it: nothing goes on building behind its back.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")

# struct flock of fcntl(2): type, whence, start, length, pid; native alignment.
FLOCK = "hhqqi0q"


def run(
    argv: Sequence[str],
    *,
    timeout: float = 60,
    stdin: str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return its result with stdout and stderr as text.

    :param timeout: seconds, times the patience.
    :param check: raise for a return code other than 0.
    :param env: variables added to the environment.
    :raises LabError: naming the command, its return code and the end of its stderr.
    """
    command = shlex.join(argv)
    try:
        result = subprocess.run(
            [*DIE_WITH_PARENT, *argv],
            input="" if stdin is None else stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout * patience(),
            check=False,
            env={**os.environ, **(env or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{command}: no end after {timeout * patience():.0f} s") from error
    if check and result.returncode:
        said = (result.stderr.strip() or result.stdout.strip() or "no message")[-2000:]
        raise LabError(f"{command}: rc {result.returncode}: {said}")
    return result


def namespace_pids(namespace: Path, proc: Path = Path("/proc")) -> list[int]:
    """Return the processes whose network namespace is the one mounted at ``namespace``."""
    try:
        wanted = namespace.stat()
    except FileNotFoundError:
        return []
    return sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit() and _in(entry, wanted))


def _in(entry: Path, wanted: os.stat_result) -> bool:
    try:
        found = (entry / "ns/net").stat()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


def lock_holder(path: Path) -> int | None:
    """Return the process that holds the write lock on ``path``, or None.

    QEMU locks its pid file for as long as it lives, so this answer cannot be a stale or reused process id.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else int(pid)


def kill(pid: int, still_ours: Callable[[int], bool], timeout: float = 10) -> None:
    """Kill one process and wait for its end.

    A pidfd is taken first and ``still_ours`` asked afterwards: the signal cannot hit another process that was given
    the number meanwhile.

    :raises LabError: when it is still there after ``timeout`` seconds.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not still_ours(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        ended, _, _ = select.select([descriptor], [], [], timeout * patience())
    finally:
        os.close(descriptor)
    if not ended:
        raise LabError(f"process {pid} is still there {timeout:.0f} s after SIGKILL")


def empty_namespace(namespace: Path, timeout: float = 20) -> int:
    """Kill every process in a network namespace, also those started meanwhile; return how many there were."""
    killed: set[int] = set()

    def empty() -> bool:
        pids = namespace_pids(namespace)
        for pid in pids:
            killed.add(pid)
            kill(pid, lambda pid: pid in namespace_pids(namespace))
        return not pids

    if not wait_until(empty, timeout, interval=0.05):
        raise LabError(f"{namespace}: processes keep appearing: {namespace_pids(namespace)}")
    return len(killed)
