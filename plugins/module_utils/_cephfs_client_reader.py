# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the CephFS clients of this kernel from debugfs, in children: a file there waits for locks of the client."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, Report, Say, wait_for
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import (
    COUNTED,
    FILES,
    SESSIONS,
    Client,
    counts,
    is_directory,
    parse_client,
)

DEBUGFS = "/sys/kernel/debug"


def missing(root: str = DEBUGFS) -> str | None:
    """Return why nothing can be read of the clients, or None."""
    try:
        names = [path.name for path in Path(root).iterdir()]
    except PermissionError:
        return f"{root} is for root alone: run the task as root (become: true)"
    except OSError:
        names = []
    if not names:
        return f"{root} is empty: mount debugfs ('mount -t debugfs none {root}'), unless the kernel is locked down"
    return None


def read_clients(seconds: float, root: str = DEBUGFS) -> list[Client]:
    """Return the CephFS clients, sorted by their directories; those of RBD are left out.

    Takes ``seconds`` at most, however many of them do not answer.
    """
    try:
        directories = sorted(path for path in Path(root, "ceph").iterdir() if is_directory(path.name))
    except OSError:  # nothing of Ceph is loaded, or root may not look: see missing()
        return []
    directories = [path for path in directories if (path / SESSIONS).exists()]
    reports = wait_for([_reader(path) for path in directories], seconds)
    return [_client(path.name, report) for path, report in zip(directories, reports)]


def _reader(directory: Path) -> BoundedChild:
    number = re.sub(r"\D", "", directory.name.rpartition(".")[2])
    return BoundedChild(lambda say: _read(directory, FILES, say), f"cephdbg{number[-8:]}")


def _read(directory: Path, names: Sequence[str], say: Say) -> None:
    """Say the name of each file before it is read, and afterwards what is in it."""
    for name in names:
        path = directory / name
        if not path.exists():
            continue
        say([name])
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # the client has gone meanwhile
            continue
        say([name, counts(name, text) if name in COUNTED else text])


def _client(directory: str, report: Report) -> Client:
    files = {}
    for values in report.said:
        if isinstance(values, list):
            files[values[0]] = values[1] if len(values) > 1 else None
    if not report.ended and not files:
        files = dict.fromkeys(FILES)
    return parse_client(directory, files)
