# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of a boot tree: what a host boots, kept under a name beside the snapshot of its root image. No I/O.

A root image and the kernel that boots it belong together, because the kernel's modules are in the root image. So who
goes back to a former root needs the kernel, initramfs and so on of that time. They are kept in C(kept/NAME) of the boot
tree, as further names (hard links) of the same files: kernel packages replace files and do not write into them. The two
small files that name the others are copied, because people do edit those where they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ._boot_tree import HOST_CPIO, LOCK, MARKER, TEMPORARY
from ._kernel_cfg import KERNEL_CFG, problems, settings
from ._kernel_txt import KERNEL_TXT, missing
from ._nearest import nearest

KEPT = "kept"
# What the playbooks write is the same for every version.
_OURS = (HOST_CPIO, MARKER, LOCK, KEPT, "grub.cfg", "config.txt", "cmdline.txt")
COPIED = (KERNEL_CFG, KERNEL_TXT)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Files:
    """Regular files: which file (device, inode) has which name, or its content if it is one that is copied."""

    identity: Mapping[str, tuple[int, int] | bytes] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names in the order in which the files are put in place: what names the others comes last."""
        return sorted(self.identity, key=lambda name: (name in COPIED, name))

    def text(self, name: str) -> str:
        """The content of one that is copied."""
        content = self.identity.get(name)
        return content.decode(errors="replace") if isinstance(content, bytes) else ""

    @property
    def kernel(self) -> str | None:
        """The kernel that kernel.cfg names."""
        return settings(self.text(KERNEL_CFG)).get("kernel")


@dataclass(frozen=True)
class TreeVersions:
    """What the boot tree of a host holds of the host's own, and the versions that are kept."""

    current: Files
    versions: Mapping[str, Files] = field(default_factory=dict)


@dataclass(frozen=True)
class VersionChange:
    """What is done to one boot tree, in the order of the fields.

    keep: names under which the current files are kept.
    restore: the version whose files become the current ones.
    remove: the version that is removed.
    """

    host: str
    before: TreeVersions
    keep: tuple[str, ...] = ()
    restore: str | None = None
    remove: str | None = None

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.keep or self.restore or self.remove)

    @property
    def after(self) -> TreeVersions:
        """What the boot tree holds then."""
        versions = {name: files for name, files in self.before.versions.items() if name != self.remove}
        versions.update({name: self.before.current for name in self.keep})
        current = self.before.versions[self.restore] if self.restore else self.before.current
        return TreeVersions(current, dict(sorted(versions.items())))


def is_of_the_host(name: str) -> bool:
    """Tell whether a file of this name in a boot tree belongs to the host."""
    return name not in _OURS and not name.startswith(TEMPORARY)


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a version."""
    if _NAME.fullmatch(name):
        return None
    return f"version {name!r}: expected up to 100 letters, digits and . _ -, of which the first is no sign"


def plan_versions(
    trees: Mapping[str, TreeVersions | None], state: str, name: str, keep_as: str | None = None
) -> tuple[list[VersionChange], list[str]]:
    """Plan for the version to be kept, restored or absent in all these trees; return the problems of all hosts as well.

    trees: by host; None for a host without a boot tree.
    keep_as: with C(restored), the name under which the current files are kept.
    """
    changes: list[VersionChange] = []
    found: list[str] = []
    for host, tree in sorted(trees.items()):
        if tree is None:
            found += [f"host {host} has no boot tree"] if state != "absent" else []
            continue
        change = VersionChange(host, tree)
        if state == "kept":
            change, lacking = _keep(change, name)
        elif state == "restored":
            change, lacking = _restore(change, name, keep_as)
        else:
            change, lacking = VersionChange(host, tree, remove=name if name in tree.versions else None), []
        changes.append(change)
        found += [f"host {host}: {problem}" for problem in lacking]
    return changes, found


def _keep(change: VersionChange, name: str) -> tuple[VersionChange, Sequence[str]]:
    if name in change.before.versions:
        return change, ()
    if KERNEL_CFG not in change.before.current.identity:
        return change, (f"its boot tree has no {KERNEL_CFG}, so it boots nothing that could be kept",)
    return VersionChange(change.host, change.before, keep=(name,)), ()


def _restore(change: VersionChange, name: str, keep_as: str | None) -> tuple[VersionChange, Sequence[str]]:
    tree = change.before
    wanted = tree.versions.get(name)
    if wanted is None:
        return change, (f"its boot tree has no version {name}{nearest(name, tree.versions)}",)
    incomplete = [
        *problems(wanted.text(KERNEL_CFG), wanted.identity),
        *missing(wanted.text(KERNEL_TXT), wanted.identity, HOST_CPIO),
    ]
    if incomplete:
        return change, (f"version {name} of its boot tree does not boot: {'; '.join(incomplete)}",)
    if wanted.identity == tree.current.identity:
        return change, ()
    keep = (keep_as,) if keep_as and keep_as not in tree.versions and tree.current.identity else ()
    return VersionChange(change.host, tree, keep=keep, restore=name), ()
