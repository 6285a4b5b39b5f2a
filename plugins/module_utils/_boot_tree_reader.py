# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the boot trees of many hosts, and come back whatever one of them holds and wherever they lie.

They are read in child processes, because boot trees in CephFS do not answer while Ceph is away.
"""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_evidence import (
    ExpectedTree,
    TftpUser,
    tree_evidence,
)
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, Say, wait_for

BATCH = 50  # trees that one child reads: a child for each would take longer than to read it
BATCH_SECONDS = 60.0
# One host may make its initramfs slow to read, or all of them.
INITRAMFS_SECONDS = 5.0
BATCH_INITRAMFS_SECONDS = 40.0
# So many trees that do not answer: then the others will not, either.
SILENT = 3


def read_trees(
    boot: str, trees: Sequence[ExpectedTree], user: TftpUser, warn: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Return the evidence of each tree that could be read, by name, and warn of all others.

    boot: directory of the trees.
    """
    found: dict[str, dict[str, Any]] = {}
    unread_initramfs: list[str] = []
    rest = list(trees)
    silent = 0
    while rest and silent < SILENT:
        batch = rest[:BATCH]
        (report,) = wait_for([BoundedChild(_reader(boot, batch, user), f"trees-{os.getpid()}")], BATCH_SECONDS)
        for tree, said in zip(batch, report.said):
            if "error" in said:
                warn(f"boot tree {boot}/{tree.name} cannot be read: {said['error']}")
                continue
            found[tree.name] = said["evidence"]
            if not said["initramfs_read"]:
                unread_initramfs.append(tree.name)
        rest = rest[len(report.said) :]
        if len(report.said) < len(batch):
            warn(f"boot tree {boot}/{rest.pop(0).name} does not answer")
            silent += 1
    if rest:
        warn(f"boot trees are left out, because others do not answer: {', '.join(tree.name for tree in rest)}")
    if unread_initramfs:
        warn(f"whether the initramfs is complete was not found out in time: {', '.join(unread_initramfs)}")
    return found


def _reader(boot: str, trees: Sequence[ExpectedTree], user: TftpUser) -> Callable[[Say], None]:
    def read(say: Say) -> None:
        until = time.monotonic() + BATCH_INITRAMFS_SECONDS
        for tree in trees:
            seconds = min(INITRAMFS_SECONDS, until - time.monotonic())
            try:
                evidence, initramfs_read = tree_evidence(boot, tree, user, seconds)
            except OSError as error:
                say({"error": str(error)})
            else:
                say({"evidence": evidence, "initramfs_read": initramfs_read})

    return read
