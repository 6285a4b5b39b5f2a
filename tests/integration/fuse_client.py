# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real CephFS client: ceph-fuse with a mount, on one of the machines."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.ceph import CephCluster
from tests.integration.conftest import Machine

WORKS, HANGS = "works", "hangs"
# A call of a client that hangs cannot even be killed: leave the child behind, with nothing of ours open.
ATTEMPT = r"""
import os, subprocess, sys, tempfile
seconds, code, path = sys.argv[1:]
with tempfile.TemporaryFile("w+") as output:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, code, path], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        start_new_session=True,
    )
    try:
        child.wait(float(seconds))
    except subprocess.TimeoutExpired:
        print("hangs", flush=True)
        os._exit(0)
    output.seek(0)
    print(output.read())
"""
CHILD = r"""
import errno, os, sys
path = sys.argv[2]
try:
    exec(sys.argv[1])
    print("works")
except OSError as error:
    print(errno.errorcode[error.errno])
"""
# Nobody waits for the children of this container: an ended ceph-fuse stays as a zombie.
UNMOUNT = r"""
kill -CONT "$1"
umount --lazy "$2"
for attempt in $(seq 20); do
    case $(ps -o stat= -p "$1") in "" | Z*) exit 0 ;; esac
    sleep 0.1
done
kill -KILL "$1" || true
"""


@dataclass(frozen=True)
class FuseMount:
    """A mount by ceph-fuse. ``address`` is that of the client instance, as it stands in the blocklist."""

    machine: Machine
    path: str
    client_id: int
    address: str
    pid: int

    def run(self, *command: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a command on the machine; not for a client that may hang."""
        return self.machine.run(*command, timeout=timeout)

    def write(self, name: str, text: str) -> None:
        """Write a file in the mount."""
        self.run("sh", "-c", 'printf %s "$2" >"$1"', "sh", f"{self.path}/{name}", text)

    def outcome(self, code: str, seconds: float = 3) -> str:
        """Return how Python code that uses ``path`` ends: WORKS, the name of an errno, or HANGS after ``seconds``."""
        script = f"CHILD = {CHILD!r}\n{ATTEMPT}"
        return self.machine.python(script, str(seconds), code, self.path)

    def freeze(self) -> None:
        """Stop the client where it is: to the MDS it looks like a host that is gone."""
        self.run("kill", "-STOP", str(self.pid))

    def thaw(self) -> None:
        """Let the client go on."""
        self.run("kill", "-CONT", str(self.pid))


def sessions(ceph: CephCluster) -> list[dict[str, Any]]:
    """Return the sessions that mds.a has."""
    found: list[dict[str, Any]] = ceph.ceph("tell", "mds.a", "client", "ls")
    return found


@contextmanager
def fuse_mount(  # noqa: PLR0913, PLR0917 -- what a mount is made of
    machine: Machine,
    ceph: CephCluster,
    name: str = "cephfs",
    user: str = "client.admin",
    root: str = "/",
    options: Sequence[str] = (),
) -> Iterator[FuseMount]:
    """Mount ``root`` of the file system at /mnt/NAME of the machine; in the end leave neither session nor entry.

    :param options: more words for ceph-fuse, as in ``--client_reconnect_stale=true``.
    """
    path = f"/mnt/{name}"
    machine.give_key(user, ceph.ceph("auth", "get", user)[0]["key"])
    machine.run("mkdir", "-p", path)
    machine.run("ceph-fuse", "-n", user, "-r", root, *options, path, timeout=60)
    mount = _find(ceph, machine, path)
    try:
        yield mount
    finally:
        _remove(ceph, mount)


def _find(ceph: CephCluster, machine: Machine, path: str) -> FuseMount:
    for _attempt in range(50):
        for session in sessions(ceph):
            said, instance = session["client_metadata"], session["entity"]["addr"]
            if said.get("mount_point") == path and instance["addr"].startswith(f"{machine.address}:"):
                address = f"{instance['addr']}/{instance['nonce']}"
                return FuseMount(machine, path, session["id"], address, int(said["pid"]))
        time.sleep(0.1)
    raise TimeoutError(f"ceph-fuse at {path} of {machine.container} got no session")


def _remove(ceph: CephCluster, mount: FuseMount) -> None:
    """Unmount; a client that hangs is killed, and what is left of it evicted: its session would live for minutes."""
    mount.run("sh", "-c", UNMOUNT, "sh", str(mount.pid), mount.path)
    if any(session["id"] == mount.client_id for session in sessions(ceph)):
        ceph.run("ceph", "tell", "mds.a", "client", "evict", f"id={mount.client_id}")
    word = "blacklist" if ceph.release == "14" else "blocklist"
    ceph.run("ceph", "osd", word, "rm", mount.address)
