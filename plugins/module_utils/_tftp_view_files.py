# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TFTP views on disk: reads their state and changes them. They belong to root alone, so nothing in them is hostile."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import Iterator, Sequence, Tuple

from ._tftp_view import ViewChange, ViewState

MODE = 0o755
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Links = Sequence[Tuple[str, str]]


def read_view(tftp: int, name: str) -> ViewState:
    """Read what there is by the name. tftp: descriptor of the directory of the views."""
    try:
        with _opened(tftp, name) as view, os.scandir(view) as entries:
            about = os.fstat(view)
            intact = (stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid) == (MODE, 0, 0)
            links = {
                entry.name: os.readlink(entry.name, dir_fd=view) if entry.is_symlink() else None for entry in entries
            }
            return ViewState("directory", intact, links)
    except NotADirectoryError:  # also for a symbolic link
        pass
    try:
        return ViewState("link", target=os.readlink(name, dir_fd=tftp))
    except OSError:
        return ViewState("other")


def prepare(tftp: int, change: ViewChange, temporary: str) -> None:
    """Do what has to be done before trees are changed. temporary: beginning of the names of temporary files."""
    if change.make:
        _make(tftp, change, temporary, ())
    elif change.repair or change.remove:
        with _opened(tftp, change.name) as view:
            os.fchown(view, 0, 0)
            os.fchmod(view, MODE)
            for link in change.remove:
                os.unlink(link, dir_fd=view)
            os.fsync(view)


def finish(tftp: int, change: ViewChange, temporary: str) -> None:
    """Set the links, once what they lead to is as it has to be."""
    if change.converted:
        _make(tftp, change, temporary, change.links)
    elif change.links:
        with _opened(tftp, change.name) as view:
            for name, target in change.links:
                link = f"{temporary}{name}-{secrets.token_hex(4)}"
                os.symlink(target, link, dir_fd=view)
                os.rename(link, name, src_dir_fd=view, dst_dir_fd=view)
            os.fsync(view)


def _make(tftp: int, change: ViewChange, temporary: str, links: Links) -> None:
    """Make the directory with its links. It appears at once; only where a link was, there is nothing for an instant."""
    directory = f"{temporary}{change.name}-{secrets.token_hex(4)}"
    os.mkdir(directory, MODE, dir_fd=tftp)
    try:
        with _opened(tftp, directory) as view:
            os.fchmod(view, MODE)  # whatever the umask
            for name, target in links:
                os.symlink(target, name, dir_fd=view)
        if change.before is not None:
            os.unlink(change.name, dir_fd=tftp)
        os.rename(directory, change.name, src_dir_fd=tftp, dst_dir_fd=tftp)
    except BaseException:
        shutil.rmtree(Path(f"/proc/self/fd/{tftp}", directory), ignore_errors=True)
        raise


@contextlib.contextmanager
def _opened(tftp: int, name: str) -> Iterator[int]:
    descriptor = os.open(name, _DIRECTORY, dir_fd=tftp)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
