# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a directory in which somebody else is root, such as a boot tree, which its host mounts by NFS.

What lies there may be anything and may change at any time. So every name is looked up in the opened directory itself,
no link is followed, nothing is opened but a regular file, no more is read than was asked for, and nobody who holds a
file (a lease, an NFS delegation) makes the reader wait.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from dataclasses import dataclass
from typing import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
)


@dataclass(frozen=True)
class Entry:
    """What there is by a name.

    kind: file, directory, link, pipe, socket or device.
    mode: the permission bits.
    """

    kind: str
    size: int
    mode: int
    uid: int
    gid: int


class HostileDirectory:
    """An opened directory; close it with C(close)."""

    def __init__(self, path: str, within: int | None = None) -> None:
        """Open it. Raises FileNotFoundError, and NotADirectoryError also for a symbolic link.

        within: descriptor of the directory that the path begins in.
        """
        self.descriptor = os.open(path, _DIRECTORY, dir_fd=within)

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)

    def about(self) -> Entry:
        """What it is itself."""
        return _entry(os.fstat(self.descriptor))

    def names(self, limit: int) -> list[str]:
        """Names of what is in it, no more than the limit, and so at the limit perhaps not all."""
        with os.scandir(self.descriptor) as entries:
            return sorted(entry.name for entry in itertools.islice(entries, limit))

    def entry(self, name: str) -> Entry | None:
        """What there is by the name, without opening it; nothing by a name that leads elsewhere."""
        if not _is_name(name):
            return None
        try:
            return _entry(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False))
        except OSError:
            return None

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """A regular file, opened for reading. Raises OSError for what is none, is not there or may not be read now."""
        if not _is_name(name):
            raise FileNotFoundError(name)
        # O_PATH shows what it is without opening it, because opening a device may already do something.
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(f"{name} is not a regular file")
            file = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        finally:
            os.close(handle)
        try:
            yield file
        finally:
            os.close(file)

    def read(self, name: str, limit: int) -> bytes:
        """The beginning of a regular file, no more bytes than the limit. Raises OSError as C(opened) does."""
        with self.opened(name) as file:
            return os.pread(file, limit, 0)


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def _entry(about: os.stat_result) -> Entry:
    kind = next((kind for is_kind, kind in _KINDS if is_kind(about.st_mode)), "device")
    return Entry(kind, about.st_size, stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid)
