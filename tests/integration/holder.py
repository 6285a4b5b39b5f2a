# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A librbd client that holds an image, as a running host does."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lab.ceph import CephCluster

_SCRIPT = """
import os, sys, rados, rbd
pool, namespace, image, name = sys.argv[1:5]
cluster = rados.Rados(conffile='', name=name); cluster.connect()
ioctx = cluster.open_ioctx(pool); ioctx.set_namespace(namespace)
opened = rbd.Image(ioctx, image)
if opened.features() & rbd.RBD_FEATURE_EXCLUSIVE_LOCK:
    opened.write(b'x', 0)  # takes the lock, as long as nobody else asks for it
print(os.getpid(), cluster.get_instance_id(), flush=True)
for line in sys.stdin:
    try:
        opened.write(b'x', 0); opened.flush(); print('written', flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""


@dataclass(frozen=True)
class Holder:
    """The client while it runs. ``pid`` is that inside the container, ``client`` Ceph's name, as client.4137."""

    process: subprocess.Popen[str]
    launcher: Sequence[str]
    pid: int
    client: str

    def kill(self) -> None:
        """End it as a power cut does."""
        subprocess.run([*self.launcher, "kill", "-KILL", str(self.pid)], timeout=30, check=True)
        self.process.wait(timeout=30)

    def write(self) -> str:
        """Write to the image; return ``written`` or the error."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("no pipes")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def hold_image(  # noqa: PLR0913 -- who holds which image, from where
    ceph: CephCluster,
    image: str,
    *,
    pool: str = "rbd-tests",
    namespace: str = "",
    name: str = "client.admin",
    launcher: Sequence[str] = (),
) -> Iterator[Holder]:
    """Hold the image open, with its exclusive lock if it has that feature; by default from inside the cluster."""
    words = [*(launcher or ceph.launcher)]
    process = subprocess.Popen(
        # Bounded, in case it is refused everything and waits; no test holds an image for longer.
        [*words, "timeout", "--foreground", "180", "python3", "-c", _SCRIPT, pool, namespace, image, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("no pipes")
        pid, instance = process.stdout.readline().split()
        yield Holder(process, words, int(pid), f"client.{instance}")
    finally:
        if process.poll() is None:
            try:
                process.communicate("", timeout=20)
            except subprocess.TimeoutExpired:  # a client that was fenced may hang for good
                process.kill()
                process.communicate()
