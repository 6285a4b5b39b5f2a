# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use a CephFS mount and see whether it answers: in a child, which may never come back.

Each step asks somebody else: ``statfs`` the monitors, ``stat`` the client's own memory, ``mds`` the MDS in any case (a
virtual attribute of Ceph is never answered from memory), ``list`` the MDS unless the client may know the directory,
``read`` and ``write`` the OSDs.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, Report, Say

STEPS = ("statfs", "stat", "mds", "list", "read", "write")
BLOCK = 4096
# How many entries of the directory to look at for a file that can be read.
_ENTRIES = 200
_NOT_OFFERED = (errno.ENODATA, errno.EOPNOTSUPP)
# The kernel's ESHUTDOWN is what Ceph calls EBLOCKLISTED.
SHUT_OUT = "ESHUTDOWN"


@dataclass(frozen=True)
class Step:
    """A step that ended. error: name of the errno, None if it worked. done: False if there was nothing to do."""

    name: str
    error: str | None
    seconds: float
    done: bool = True


@dataclass(frozen=True)
class Probe:
    """What came of a probe.

    sticks: the step that did not end in time, None if none. pid, state, left_behind: the process that does it.
    client: the client instance as the mount itself says (Linux 5.11 and newer), ``client.4137``.
    """

    steps: tuple[Step, ...]
    sticks: str | None = None
    pid: int | None = None
    state: str | None = None
    left_behind: bool = False
    client: str | None = None

    @property
    def works(self) -> bool:
        """Whether it was finished and every step succeeded."""
        return self.sticks is None and bool(self.steps) and all(step.error is None for step in self.steps)

    def errors(self) -> dict[str, str]:
        """Return the error of each step that failed."""
        return {step.name: step.error for step in self.steps if step.error}


def start_probe(path: str, device: str, read: bool, write: bool) -> BoundedChild:
    """Start to probe a mount. There is one child at a time for each superblock (``device``)."""
    return BoundedChild(lambda say: _probe(path, read, write, say), f"cephmnt{device.rpartition(':')[2]}")


def parse_probe(report: Report) -> Probe:
    """Return what a child of :func:`start_probe` has found out."""
    steps: list[Step] = []
    begun: str | None = None
    client = None
    for said in report.said:
        if "begins" in said:
            begun = said["begins"]
        elif "client" in said:
            client = said["client"]
        elif "step" in said:
            steps.append(Step(said["step"], said["error"], said["seconds"], said["done"]))
            begun = None
        else:
            raise RuntimeError(f"the probe failed: {said.get('error')}")
    if report.ended:
        return Probe(tuple(steps), client=client)
    return Probe(tuple(steps), begun or STEPS[0], report.pid, report.state, report.left_behind, client)


def _probe(path: str, read: bool, write: bool, say: Say) -> None:
    seen: dict[str, Any] = {}

    def stat_it() -> bool:
        seen["directory"] = stat.S_ISDIR(Path(path).stat().st_mode)
        return True

    def ask_mds() -> bool:
        # A bind mount may be that of a file.
        name = "ceph.dir.rctime" if seen.get("directory", True) else "ceph.file.layout"
        return _attribute(path, name) is not None

    def list_it() -> bool:
        seen["files"] = _files(path) if seen.get("directory", True) else [path]
        return bool(seen.get("directory", True))

    steps: list[tuple[str, Callable[[], bool]]] = [
        ("statfs", lambda: bool(os.statvfs(path).f_bsize)),
        ("stat", stat_it),
        ("mds", ask_mds),
        ("list", list_it),
    ]
    if read:
        steps.append(("read", lambda: _read_one(seen.get("files", []))))
    if write:
        steps.append(("write", lambda: bool(seen.get("directory", True)) and _write_and_read(path)))
    for name, do in steps:
        say({"begins": name})
        began = time.monotonic()
        error, done = None, False
        try:
            done = do()
        except OSError as problem:
            error, done = errno.errorcode.get(problem.errno or 0, str(problem)), True
        say({"step": name, "error": error, "seconds": round(time.monotonic() - began, 3), "done": done})
        if name == "mds" and error is None:
            _say_client(path, say)


def _say_client(path: str, say: Say) -> None:
    """The mount knows by which client it is served since Linux 5.11."""
    said = _attribute(path, "ceph.client_id")
    if said:
        say({"client": said.decode(errors="replace").replace("client", "client.")})


def _attribute(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name)
    except OSError as error:
        if error.errno in _NOT_OFFERED:
            return None
        raise


def _files(path: str) -> list[str]:
    found = []
    with os.scandir(path) as entries:
        for number, entry in enumerate(entries):
            if number >= _ENTRIES:
                break
            # What readdir itself says: no further question to the MDS.
            if entry.is_file(follow_symlinks=False):
                found.append(entry.path)
    return found


def _read_one(files: list[str]) -> bool:
    """Read the first block of a file past the page cache; False if there is no file with anything in it."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_size:
                return bool(_block(descriptor, path))
        finally:
            os.close(descriptor)
    return False


def _block(descriptor: int, path: str) -> bytes:
    try:
        direct = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECT | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.EINVAL:  # which is what a file says that has no direct way
            raise
        return os.pread(descriptor, BLOCK, 0)
    try:
        with mmap.mmap(-1, BLOCK) as aligned:
            size = os.preadv(direct, [aligned], 0)
            return aligned[:size]
    finally:
        os.close(direct)


def _write_and_read(path: str) -> bool:
    """Make a file, have it stored, read it back past the page cache, and remove it."""
    name = Path(path, f".cephfs-probe-{os.uname().nodename}-{os.getpid()}")
    text = os.urandom(BLOCK)
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text)
        os.fsync(descriptor)
        if _block(descriptor, str(name)) != text:
            raise OSError(errno.EIO, "what was read is not what was written")
    finally:
        os.close(descriptor)
        name.unlink()
    return True
