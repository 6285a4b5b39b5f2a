# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of boot trees on disk. Their hosts can write there: see _hostile_directory."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import Iterable, Iterator

from ._boot_tree import TEMPORARY
from ._boot_tree_version import COPIED, KEPT, Files, TreeVersions, VersionChange, is_of_the_host, name_problem
from ._hostile_directory import HostileDirectory

# Far more than any boot tree has; a host could make millions.
_MOST_NAMES = 10000
_MOST_BYTES = 65536
_MODE = 0o755
_FILE_MODE = 0o644


def read_versions(root: str, hosts: Iterable[str]) -> dict[str, TreeVersions | None]:
    """Read the boot trees of these hosts; None where there is none. Raises NotADirectoryError."""
    found: dict[str, TreeVersions | None] = {}
    for host in hosts:
        try:
            with _opened(f"{root}/boot/{host}") as tree:
                found[host] = TreeVersions(_files(tree), dict(_versions(tree)))
        except FileNotFoundError:
            found[host] = None
    return found


def apply_version(root: str, change: VersionChange) -> None:
    """Carry out the plan for one tree. What dies half-way leaves it booting what it did, or what it is to boot."""
    with _opened(f"{root}/boot/{change.host}") as tree:
        for name in change.keep:
            _keep(tree, name, change.before.current)
        if change.restore:
            _restore(tree, change.restore, change.before.versions[change.restore])
        if change.remove:
            with _opened(KEPT, tree) as kept:
                _remove(kept, change.remove)
        os.fsync(tree.descriptor)


@contextlib.contextmanager
def _opened(path: str, within: HostileDirectory | None = None) -> Iterator[HostileDirectory]:
    directory = HostileDirectory(path, None if within is None else within.descriptor)
    try:
        yield directory
    finally:
        directory.close()


def _versions(tree: HostileDirectory) -> Iterator[tuple[str, Files]]:
    try:
        with _opened(KEPT, tree) as kept:
            for name in kept.names(_MOST_NAMES):
                entry = kept.entry(name)
                if entry is not None and entry.kind == "directory" and name_problem(name) is None:
                    with _opened(name, kept) as version:
                        yield name, _files(version)
    except (FileNotFoundError, NotADirectoryError):
        return


def _files(directory: HostileDirectory) -> Files:
    identity: dict[str, tuple[int, int] | bytes] = {}
    for name in directory.names(_MOST_NAMES):
        entry = directory.entry(name)
        if entry is None or entry.kind != "file" or not is_of_the_host(name):
            continue
        if name in COPIED and entry.size <= _MOST_BYTES:
            identity[name] = directory.read(name, _MOST_BYTES)
        else:
            about = os.stat(name, dir_fd=directory.descriptor, follow_symlinks=False)
            identity[name] = (about.st_dev, about.st_ino)
    return Files(identity)


def _keep(tree: HostileDirectory, name: str, files: Files) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(KEPT, _MODE, dir_fd=tree.descriptor)
    with _opened(KEPT, tree) as kept:
        for leftover in kept.names(_MOST_NAMES):
            if leftover.startswith(TEMPORARY):
                _remove(kept, leftover)
        part = f"{TEMPORARY}{name}-{secrets.token_hex(4)}"
        os.mkdir(part, _MODE, dir_fd=kept.descriptor)
        try:
            with _opened(part, kept) as version:
                for file in files.names:
                    _put(files, file, tree, version, file)
                os.fsync(version.descriptor)
            # It has its name when it is whole.
            os.rename(part, name, src_dir_fd=kept.descriptor, dst_dir_fd=kept.descriptor)
        except BaseException:
            _remove(kept, part)
            raise
        os.fsync(kept.descriptor)


def _restore(tree: HostileDirectory, name: str, files: Files) -> None:
    with _opened(KEPT, tree) as kept, _opened(name, kept) as version:
        for file in files.names:
            part = f"{TEMPORARY}{file}-{secrets.token_hex(4)}"
            _put(files, file, version, tree, part)
            os.rename(part, file, src_dir_fd=tree.descriptor, dst_dir_fd=tree.descriptor)
            # Where both are the same file already, renaming one to the other does nothing.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part, dir_fd=tree.descriptor)
    os.fsync(tree.descriptor)
    for file in _files(tree).identity:
        if file not in files.identity:
            os.unlink(file, dir_fd=tree.descriptor)


def _put(files: Files, name: str, source: HostileDirectory, target: HostileDirectory, new_name: str) -> None:
    content = files.identity[name]
    if not isinstance(content, bytes):
        os.link(name, new_name, src_dir_fd=source.descriptor, dst_dir_fd=target.descriptor, follow_symlinks=False)
        return
    file = os.open(new_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE, dir_fd=target.descriptor)
    with os.fdopen(file, "wb") as opened:
        os.fchmod(file, _FILE_MODE)
        opened.write(content)
        opened.flush()
        os.fsync(file)


def _remove(kept: HostileDirectory, name: str) -> None:
    with _opened(name, kept) as version:
        for file in version.names(_MOST_NAMES):
            os.unlink(file, dir_fd=version.descriptor)
    os.rmdir(name, dir_fd=kept.descriptor)
