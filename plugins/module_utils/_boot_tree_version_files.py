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
from ._boot_tree_version import KEPT, Files, TreeVersions, VersionChange, is_of_the_host, name_problem
from ._hostile_directory import HostileDirectory
from ._kernel_cfg import KERNEL_CFG
from ._kernel_txt import KERNEL_TXT

# Far more than any boot tree has; a host could make millions.
_MOST_NAMES = 10000
_MOST_BYTES = 4096
_MODE = 0o755


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
    identity = {}
    for name in directory.names(_MOST_NAMES):
        entry = directory.entry(name)
        if entry is not None and entry.kind == "file" and is_of_the_host(name):
            about = os.stat(name, dir_fd=directory.descriptor, follow_symlinks=False)
            identity[name] = (about.st_dev, about.st_ino)
    texts = [
        directory.read(name, _MOST_BYTES).decode(errors="replace") if name in identity else ""
        for name in (KERNEL_CFG, KERNEL_TXT)
    ]
    return Files(identity, *texts)


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
                    _link(tree, file, version, file)
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
            _link(version, file, tree, part)
            os.rename(part, file, src_dir_fd=tree.descriptor, dst_dir_fd=tree.descriptor)
            # Where both are the same file already, renaming one to the other does nothing.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part, dir_fd=tree.descriptor)
    os.fsync(tree.descriptor)
    for file in _files(tree).identity:
        if file not in files.identity:
            os.unlink(file, dir_fd=tree.descriptor)


def _link(source: HostileDirectory, name: str, target: HostileDirectory, new_name: str) -> None:
    os.link(name, new_name, src_dir_fd=source.descriptor, dst_dir_fd=target.descriptor, follow_symlinks=False)


def _remove(kept: HostileDirectory, name: str) -> None:
    with _opened(name, kept) as version:
        for file in version.names(_MOST_NAMES):
            os.unlink(file, dir_fd=version.descriptor)
    os.rmdir(name, dir_fd=kept.descriptor)
