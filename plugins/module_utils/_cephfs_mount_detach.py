# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the mounts of CephFS superblocks away, whatever state the cluster or their processes are in.

``umount2`` with ``MNT_FORCE`` first ends the client instance: what waits for the cluster gets an error, and no later
mount shares the superblock (fs/ceph/super.c, ceph_umount_begin and ceph_compare_super). With ``MNT_DETACH`` it then
takes the mount out of the namespace, whoever still uses it.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Iterable, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, Say, wait_for
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount

# linux/fs.h, linux/mount.h
MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW = 1, 2, 8
FLAGS = MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW
# It went with a mount that it was below of, or somebody else was faster.
_GONE = (errno.EINVAL, errno.ENOENT)


def in_order(mounts: Iterable[CephfsMount]) -> list[CephfsMount]:
    """Return the mounts, the deepest first, of several at one place the one on top first."""
    numbered = list(enumerate(mounts))
    ordered = sorted(numbered, key=lambda pair: (pair[1].path.rstrip("/").count("/"), pair[0]), reverse=True)
    return [mount for dummy, mount in ordered]


def refusals(mounts: Iterable[CephfsMount], matched: dict[str, tuple[Client, ...]]) -> list[str]:
    """Return which superblocks must not be detached, because nothing here proves that their client is dead."""
    paths: dict[str, list[str]] = {}
    for mount in mounts:
        paths.setdefault(mount.device, []).append(mount.path)
    return [
        f"{device} ({', '.join(places)}): {_names(matched.get(device, ()))} is not known to be blocklisted or "
        "rejected, and what it has not written yet would be lost; if mds_session_info shows no session of it, the MDS "
        "has evicted it: set force=true then"
        for device, places in paths.items()
        if not dead(matched.get(device, ()))
    ]


def dead(clients: Sequence[Client]) -> bool:
    """Tell whether the kernel knows that a client is thrown out; of one that may be several, that all of them are."""
    return bool(clients) and all(client.blocklisted or "rejected" in client.session_states() for client in clients)


def detach(device: str, mounts: Sequence[CephfsMount], seconds: float) -> None:
    """Detach the mounts of a superblock, in children: the way to a mount below a dead one does not return either.

    What is left is what mountinfo says afterwards. Takes twice ``seconds`` at most.
    """
    number = device.rpartition(":")[2]
    paths = [mount.path for mount in mounts]
    (report,) = wait_for([BoundedChild(lambda say: _detach(paths, say), f"cephuml{number}")], seconds)
    if not report.ended:
        # The other way round: where one cannot be reached, one above it takes it along.
        wait_for([BoundedChild(lambda say: _detach(paths[::-1], say), f"cephumr{number}")], seconds)


def _detach(paths: Sequence[str], say: Say) -> None:
    for path in paths:
        try:
            unmount(path)
        except OSError as error:
            if error.errno not in _GONE:
                say([path, str(error)])


def unmount(path: str) -> None:
    """Call umount2; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(path), FLAGS) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


def _names(clients: Sequence[Client]) -> str:
    return " or ".join(client.client for client in clients) or "its client"
