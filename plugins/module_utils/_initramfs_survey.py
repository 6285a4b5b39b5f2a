# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at kernel, initramfs and modules of one kernel version, wherever they lie and whatever they hold."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_evidence import printable
from ansible_collections.diskless.ceph.plugins.module_utils._hostile_directory import HostileDirectory
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_content import Content, ContentReader
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_file import (
    Archive,
    OutOfTime,
    initramfs_archives,
)
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_unpack import Damaged, NoProgram, unpacked
from ansible_collections.diskless.ceph.plugins.module_utils._initramfs_verdict import (
    FILES,
    MISSING,
    NO_MODULE,
    KernelModules,
    Problem,
    content_problems,
    kernel_modules,
    missing_files,
    module_problems,
    module_states,
    rebuild,
)

# Of a kernel with all its modules modules.alias has 1.5 MB.
_LARGEST_LIST = 16 * 1024 * 1024
_LISTS = ("modules.dep", "modules.builtin", "modules.alias")


@dataclass(frozen=True)
class Wanted:
    """Which kernel.

    boot: the directory of kernel and initramfs.
    root: the root file system that has the kernel's modules; None where that is somewhere else.
    board: modules of the board's network cards.
    """

    version: str
    boot: str
    root: str | None
    board: Sequence[str]


@dataclass
class _Initramfs:
    """What became known of the file; None is not known."""

    size: int | None = None
    compression: list[str] | None = None
    complete: bool | None = None
    content: Content | None = None


def survey(wanted: Wanted, seconds: float) -> dict[str, Any]:
    """Return the result of module initramfs_info but for C(changed).

    seconds: for reading the initramfs.
    """
    problems: list[tuple[str, Problem]] = []
    kernel_path, initramfs_path = (
        f"{wanted.boot.rstrip('/')}/{name}-{wanted.version}" for name in ("vmlinuz", "initrd.img")
    )
    initramfs = _Initramfs()
    has_kernel = False
    try:
        directory = HostileDirectory(wanted.boot)
    except OSError as error:
        said = f"cannot be opened: {error.strerror or error}"
        problems.append((wanted.boot, Problem(said, "On a host, run systemctl start boot.mount.")))
    else:
        try:
            has_kernel = _look_at_kernel(directory, kernel_path, wanted.version, problems)
            initramfs = _look_at_initramfs(directory, initramfs_path, wanted.version, seconds, problems)
        finally:
            directory.close()
    modules_path, modules = _look_at_modules(wanted, problems)
    states = module_states(initramfs.content, wanted.version, wanted.board, modules)
    problems += [
        (modules_path or initramfs_path if problem.problem.startswith("kernel ") else initramfs_path, problem)
        for problem in module_problems(states, wanted.version)
    ]
    lacking = None if initramfs.content is None else missing_files(initramfs.content)
    return {
        "version": wanted.version,
        "kernel": kernel_path if has_kernel else None,
        "path": initramfs_path if initramfs.size is not None else None,
        "size": initramfs.size,
        "compression": initramfs.compression,
        "complete": initramfs.complete,
        "versions": None
        if initramfs.content is None
        else [printable(name) for name in sorted(initramfs.content.modules)][:20],
        "modules_directory": modules_path,
        "modules": states,
        "files": None if lacking is None else {name: name not in lacking for name in FILES},
        "missing": [*(name for name, state in states.items() if state in (MISSING, NO_MODULE)), *(lacking or ())],
        "problems": [{"file": place, **asdict(problem)} for place, problem in problems],
    }


def _look_at_kernel(directory: HostileDirectory, path: str, version: str, problems: list[tuple[str, Problem]]) -> bool:
    entry = directory.entry(Path(path).name)
    install = f"On the host, run apt-get install --reinstall linux-image-{version}."
    if entry is None:
        problems.append((path, Problem("is missing", install)))
    elif entry.kind != "file" or entry.size == 0:
        problems.append((path, Problem("is empty" if entry.kind == "file" else "is no regular file", install)))
    else:
        return True
    return False


def _look_at_initramfs(
    directory: HostileDirectory, path: str, version: str, seconds: float, problems: list[tuple[str, Problem]]
) -> _Initramfs:
    found = _Initramfs()
    deadline = time.monotonic() + seconds

    def note(problem: str, remedy: str = "") -> None:
        problems.append((path, Problem(printable(problem), remedy or rebuild(version))))

    entry = directory.entry(Path(path).name)
    if entry is None or entry.kind != "file":
        note("is missing" if entry is None else "is no regular file")
        return found
    found.size = entry.size
    try:
        with directory.opened(Path(path).name) as file:
            archives, flaw = initramfs_archives(file, seconds)
            found.compression = list(dict.fromkeys(archive.compression for archive in archives))
            if flaw:
                found.complete = False
                note(flaw)
                return found
            found.content = _content(file, archives, deadline)
    except OutOfTime:
        note(
            f"could not be read within {seconds:g} s",
            "Look at the file: it is no ordinary initramfs, or its storage hangs.",
        )
    except NoProgram as error:
        # That it is whole was found out without the program where the format says how long it is.
        found.complete = True if str(error) == "zstd" else None
        note(
            f"cannot be looked into, because this machine has no program {error}",
            f"Install {error}, or ask the host itself.",
        )
    except Damaged as error:
        found.complete = False
        note(str(error))
    except OSError as error:
        note(f"cannot be read: {error.strerror or error}")
    else:
        found.complete = True
        for problem in content_problems(found.content, version):
            problems.append((path, Problem(printable(problem.problem), problem.remedy)))
    return found


def _content(file: int, archives: Sequence[Archive], deadline: float) -> Content:
    reader = ContentReader()
    for archive in archives:
        reader.read(unpacked(file, archive, deadline))
    return reader.content


def _look_at_modules(wanted: Wanted, problems: list[tuple[str, Problem]]) -> tuple[str | None, KernelModules | None]:
    """Return the modules directory and what it holds; None where there is none or it is not at hand."""
    if wanted.root is None:
        return None, None
    path = f"{wanted.root.rstrip('/')}/lib/modules/{wanted.version}"
    texts = []
    for name in _LISTS:
        try:
            with Path(path, name).open(encoding="utf-8", errors="replace") as file:
                texts.append(file.read(_LARGEST_LIST))
        except OSError as error:
            problem = (
                f"{name} cannot be read: {error.strerror}"
                if Path(path).is_dir()
                else "is missing: the root has no modules of this kernel"
            )
            problems.append(
                (path, Problem(problem, f"On the host, run apt-get install --reinstall linux-image-{wanted.version}."))
            )
            return (path if Path(path).is_dir() else None), None
    return path, kernel_modules(*texts)
