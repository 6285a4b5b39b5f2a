# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot trees on disk: reads their state and carries out a plan.

A host is root in its own tree (it mounts it by NFS), so what lies there is hostile: symbolic links, devices and pipes
in place of files, and all of it may change at any time. Hence every access goes through the descriptor of the tree's
directory, nothing that a tree holds is ever followed, and nothing but regular files is opened. The directories above
the trees belong to root alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import IO, Callable, Collection, Iterator, Mapping, Sequence

from ._boot_tree import (
    DIRECTORY_MODE,
    LOCK,
    MARKER,
    MAXIMUM_SIZE,
    TEMPORARY,
    FileState,
    FleetState,
    Plan,
    TreeChange,
    TreeState,
    WantedFile,
    WantedTree,
)
from ._golden_boot import GoldenBoot
from ._tftp_view import ViewState
from ._tftp_view_files import finish, prepare, read_view

_SHOWN_SIZE = 16 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Busy(Exception):
    """Another run is at work on the same trees."""


@contextlib.contextmanager
def locked(root: str, check_mode: bool) -> Iterator[None]:
    """Keep other runs away, also those on another boot server with the same trees. Raises Busy when there is one.

    The lock is on a file in the directory of the trees: on a directory that ceph-fuse has mounted, it would end at this
    machine. Check mode makes no file; where there is none, nobody is at work.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if check_mode else os.O_CREAT)
    try:
        descriptor = os.open(f"{root}/boot/{LOCK}", flags, 0o600)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"another run is at work on the boot trees in {root}, here or on another boot server that shares them;"
                " try again when it has ended"
            ) from None
        yield
    finally:
        os.close(descriptor)


def read_state(root: str, wanted: Sequence[WantedTree]) -> FleetState:
    """Read what there is below the root."""
    trees: dict[str, TreeState] = {}
    others: dict[str, bool] = {}
    views: dict[str, ViewState] = {}
    missing: list[str] = []
    leftovers: list[tuple[str, str]] = []
    by_name = {tree.name: tree for tree in wanted}
    with _directory(f"{root}/boot") as boot:
        if boot is None:
            missing.append("boot")
        for entry in _entries(boot):
            if entry.name.startswith(TEMPORARY):
                leftovers.append(("boot", entry.name))
            elif entry.name in by_name and boot is not None:
                tree = by_name[entry.name]
                compared = [file.name for file in tree.files]
                trees[entry.name] = _tree_state(boot, entry.name, compared, tree.kernel_config)
            elif entry.is_dir(follow_symlinks=False) and boot is not None:
                marker = _tree_state(boot, entry.name, [MARKER]).files.get(MARKER)
                others[entry.name] = marker is not None and marker.kind == "file"
    with _directory(f"{root}/tftp") as tftp:
        if tftp is None:
            missing.append("tftp")
        for entry in _entries(tftp):
            if entry.name.startswith(TEMPORARY):
                leftovers.append(("tftp", entry.name))
            elif tftp is not None:
                views[entry.name] = read_view(tftp, entry.name)
    return FleetState(tuple(missing), trees, others, views, tuple(sorted(leftovers)))


def apply(root: str, plan: Plan, golden: Mapping[str, GoldenBoot]) -> list[str]:
    """Carry out the plan. Returns what went wrong with single trees, which does not keep the others from being done."""
    for directory in plan.make_directories:
        Path(root, directory).mkdir(DIRECTORY_MODE, parents=True)
    for directory, name in plan.leftovers:
        _remove(Path(root, directory, name))
    failures = []
    failed = set()
    with _directory(f"{root}/boot") as boot, _directory(f"{root}/tftp") as tftp:
        if boot is None or tftp is None:
            raise FileNotFoundError(f"{root}/boot or {root}/tftp has vanished")
        for view in plan.views:
            prepare(tftp, view, TEMPORARY)
        # They must be gone for good before a tree that they led to becomes another host's.
        os.fsync(tftp)
        for change in plan.trees:
            try:
                _apply_tree(boot, change, golden)
            except (OSError, tarfile.TarError) as error:
                failures.append(f"{change.tree.name}: {error}")
                failed.add(change.tree.view)
        for view in plan.views:
            if view.name not in failed:
                finish(tftp, view, TEMPORARY)
        for name in plan.prune:
            doomed = f"{TEMPORARY}{name}-{secrets.token_hex(4)}"
            os.rename(name, doomed, src_dir_fd=boot, dst_dir_fd=boot)
            _remove(Path(root, "boot", doomed))
        os.fsync(tftp)
        os.fsync(boot)
    return failures


@contextlib.contextmanager
def _directory(path: str) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _entries(directory: int | None) -> list[os.DirEntry[str]]:
    if directory is None:
        return []
    with os.scandir(directory) as entries:
        return list(entries)


def _tree_state(boot: int, name: str, compared: Sequence[str], kernel_config: str = "") -> TreeState:
    try:
        tree = os.open(name, _DIRECTORY, dir_fd=boot)
    except NotADirectoryError:  # also for a symbolic link
        return TreeState(FileState("other"))
    try:
        about = os.fstat(tree)
        files = {file: _file_state(tree, file) for file in compared}
        if kernel_config:
            files[kernel_config] = _file_state(tree, kernel_config, read=False)
        leftovers = sorted(
            entry.name
            for entry in _entries(tree)
            if entry.name.startswith(TEMPORARY) and not entry.is_dir(follow_symlinks=False)
        )
    finally:
        os.close(tree)
    return TreeState(
        FileState("directory", stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid),
        {file: state for file, state in files.items() if state is not None},
        tuple(leftovers),
    )


def _file_state(tree: int, name: str, read: bool = True) -> FileState | None:
    """Read a file. O_PATH shows what it is without opening it, because opening a device may already do something."""
    try:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree)
    except FileNotFoundError:
        return None
    try:
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            return FileState("directory")
        if not stat.S_ISREG(about.st_mode):
            return FileState("other")
        data = b""
        if read:
            with Path(f"/proc/self/fd/{handle}").open("rb") as file:
                data = file.read(MAXIMUM_SIZE + 1)
        return FileState(
            "file",
            stat.S_IMODE(about.st_mode),
            about.st_uid,
            about.st_gid,
            sha256(data).hexdigest() if len(data) <= MAXIMUM_SIZE else "",
            data[:_SHOWN_SIZE],
        )
    finally:
        os.close(handle)


def _apply_tree(boot: int, change: TreeChange, golden: Mapping[str, GoldenBoot]) -> None:
    name = change.tree.name
    if change.make_directory:
        os.mkdir(name, DIRECTORY_MODE, dir_fd=boot)
    tree = os.open(name, _DIRECTORY, dir_fd=boot)
    try:
        if change.make_directory or change.repair_directory:
            os.fchown(tree, 0, 0)
            os.fchmod(tree, DIRECTORY_MODE)
        for leftover in change.leftovers:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(leftover, dir_fd=tree)
        if change.seed:
            # What names the others comes last: until it is there, the next run seeds again.
            for file, source in golden[change.tree.arch].files():
                _replace(tree, WantedFile(file, b""), source)
            os.fsync(tree)
        for wanted in change.files:
            _replace(tree, wanted)
        if change.clear:
            # Last: whatever dies before, the tree boots what it is seeded with.
            wanted_names = {wanted.name for wanted in change.tree.files}
            _clear(tree, wanted_names.union(golden[change.tree.arch].names))
        os.fsync(tree)
    finally:
        os.close(tree)


def _clear(tree: int, kept: Collection[str]) -> None:
    for entry in _entries(tree):
        if entry.name not in kept and not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=tree)


def _replace(tree: int, wanted: WantedFile, source: IO[bytes] | None = None) -> None:
    temporary = f"{TEMPORARY}{wanted.name}-{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=tree)
    with _removed_on_failure(lambda: os.unlink(temporary, dir_fd=tree)):
        with os.fdopen(descriptor, "wb") as file:
            if source is None:
                file.write(wanted.data)
            else:
                shutil.copyfileobj(source, file, 1024**2)
            file.flush()
            os.fchown(descriptor, wanted.uid, 0)
            os.fchmod(descriptor, wanted.mode)
            os.fsync(descriptor)
        os.rename(temporary, wanted.name, src_dir_fd=tree, dst_dir_fd=tree)


@contextlib.contextmanager
def _removed_on_failure(remove: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            remove()
        raise


def _remove(path: Path) -> None:
    """Remove a leftover or a pruned tree; rmtree never follows links (shutil.rmtree.avoids_symlink_attacks)."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
