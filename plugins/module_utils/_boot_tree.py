# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot trees of the fleet: what is there, what is wanted, and the plan that leads from one to the other.

Pure logic: M(diskless.ceph.boot_tree) reads and writes through _boot_tree_files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Iterable, Mapping, Sequence

LOADER = "grub.pxe"
LOADER_CONFIG = "grub.cfg"
HOST_CPIO = "host.cpio"
KERNEL_CONFIG = "kernel.cfg"
# Says that the collection made the tree, so that it may remove it.
MARKER = ".diskless"
TEMPORARY = ".diskless-tmp-"
DIRECTORY_MODE = 0o755
# No file of ours is larger: the loader, the largest of them, has some 150 kB.
MAXIMUM_SIZE = 16 * 1024**2

_LINK = re.compile(r"[0-9a-f]{2}(-[0-9a-f]{2}){5}")


@dataclass(frozen=True)
class WantedFile:
    """A file of a tree as it has to be; its group is root."""

    name: str
    data: bytes = field(repr=False)
    mode: int = 0o644
    uid: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.data).hexdigest())


@dataclass(frozen=True)
class WantedTree:
    """A tree as it has to be, apart from the files that belong to the host."""

    name: str
    mac: str
    arch: str
    files: tuple[WantedFile, ...]

    @property
    def link(self) -> str:
        """Name of the directory that dnsmasq (tftp-unique-root=mac) takes as TFTP root of this host."""
        return self.mac.replace(":", "-")


@dataclass(frozen=True)
class FileState:
    """A directory entry.

    digest: SHA-256 of a regular file, or empty where the file is too large to be one of ours.
    text: beginning of a regular file that a diff can show.
    """

    kind: str  # file, directory or other
    mode: int = 0
    uid: int = 0
    gid: int = 0
    digest: str = ""
    text: bytes = field(default=b"", repr=False)

    def is_as(self, wanted: WantedFile) -> bool:
        """Whether content, mode and owner are the wanted ones."""
        actual = (self.kind, self.mode, self.uid, self.gid, self.digest)
        return actual == ("file", wanted.mode, wanted.uid, 0, wanted.digest)


@dataclass(frozen=True)
class TreeState:
    """An existing tree: its directory, the entries that matter, and what a run that died has left behind."""

    directory: FileState
    files: Mapping[str, FileState] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FleetState:
    """All there is below the root of the boot server.

    missing_directories: of C(boot) and C(tftp).
    trees: trees of wanted hosts.
    other_trees: further directories, and whether each bears the marker.
    links: symbolic links for TFTP, by name; None is something else.
    """

    missing_directories: tuple[str, ...] = ()
    trees: Mapping[str, TreeState] = field(default_factory=dict)
    other_trees: Mapping[str, bool] = field(default_factory=dict)
    links: Mapping[str, str | None] = field(default_factory=dict)
    leftovers: tuple[tuple[str, str], ...] = ()  # (directory, name)


@dataclass(frozen=True)
class TreeChange:
    """What is done to one tree, in the order of the fields."""

    tree: WantedTree
    before: TreeState | None
    make_directory: bool = False
    repair_directory: bool = False
    leftovers: tuple[str, ...] = ()
    seed: bool = False
    files: tuple[WantedFile, ...] = ()

    def summary(self) -> list[str]:
        """Words for the module's result."""
        words = ["directory"] if self.make_directory or self.repair_directory else []
        words += ["leftovers"] if self.leftovers else []
        words += ["seed"] if self.seed else []
        return words + [wanted.name for wanted in self.files]


@dataclass(frozen=True)
class Plan:
    """All changes, in the order in which they are made.

    Links that serve a tree to a wrong machine go first, and links to trees come after the trees.
    problems: hosts whose tree cannot be brought up to date; the others still are.
    """

    make_directories: tuple[str, ...] = ()
    leftovers: tuple[tuple[str, str], ...] = ()
    remove_links: tuple[str, ...] = ()
    trees: tuple[TreeChange, ...] = ()
    set_links: tuple[tuple[str, str], ...] = ()
    prune: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return bool(
            self.make_directories or self.leftovers or self.remove_links or self.trees or self.set_links or self.prune
        )


def plan(state: FleetState, wanted: Sequence[WantedTree], link_root: str, prune: bool) -> Plan:
    """Plan how the trees become the wanted ones.

    link_root: where the TFTP server sees the directory of the trees.
    prune: whether trees of hosts that are not wanted are removed, with their links.
    """
    by_name = {tree.name: tree for tree in wanted}
    changes = []
    problems = []
    for tree in wanted:
        change = _tree_change(tree, state.trees.get(tree.name))
        blocking = _blocking(change)
        if state.links.get(tree.link, "") is None:
            blocking.append(f"tftp/{tree.link} is in the way of a symbolic link; remove it")
        problems += [f"{tree.name}: {text}" for text in blocking]
        if change.summary() and not blocking:
            changes.append(change)
    stale = tuple(sorted(name for name, marked in state.other_trees.items() if marked))
    links = {tree.link: f"{link_root}/{tree.name}" for tree in wanted if state.links.get(tree.link, "") is not None}
    return Plan(
        make_directories=state.missing_directories,
        leftovers=state.leftovers,
        remove_links=_wrong_links(state.links, by_name, link_root, stale if prune else ()),
        trees=tuple(changes),
        set_links=tuple(sorted(link for link in links.items() if state.links.get(link[0]) != link[1])),
        prune=stale if prune else (),
        stale=stale,
        unmarked=tuple(sorted(name for name, marked in state.other_trees.items() if not marked)),
        problems=tuple(problems),
    )


def _tree_change(tree: WantedTree, state: TreeState | None) -> TreeChange:
    if state is None:
        return TreeChange(tree, None, make_directory=True, seed=True, files=tree.files)
    kernel_config = state.files.get(KERNEL_CONFIG)
    return TreeChange(
        tree,
        state,
        repair_directory=state.directory != FileState("directory", DIRECTORY_MODE),
        leftovers=state.leftovers,
        seed=kernel_config is None or kernel_config.kind != "file",
        files=tuple(wanted for wanted in tree.files if not _is_as(state.files.get(wanted.name), wanted)),
    )


def _is_as(state: FileState | None, wanted: WantedFile) -> bool:
    return state is not None and state.is_as(wanted)


def _blocking(change: TreeChange) -> list[str]:
    """Return what stands where a file has to be written: only a directory cannot be replaced atomically."""
    if change.before is None:
        return []
    if change.before.directory.kind != "directory":
        return ["its boot tree is not a directory; remove it"]
    names = [wanted.name for wanted in change.files] + ([KERNEL_CONFIG] if change.seed else [])
    return [
        f"{name} in its boot tree is a directory, which only the host itself can have made; remove it"
        for name in names
        if name in change.before.files and change.before.files[name].kind == "directory"
    ]


def _wrong_links(
    links: Mapping[str, str | None], wanted: Mapping[str, WantedTree], link_root: str, pruned: Iterable[str]
) -> tuple[str, ...]:
    """Return links to remove: those under a former MAC address of a host, which would give its key to that machine."""
    in_use = {tree.link for tree in wanted.values()}
    former = {f"{link_root}/{name}" for name in (*wanted, *pruned)}
    return tuple(
        sorted(
            name for name, target in links.items() if target in former and name not in in_use and _LINK.fullmatch(name)
        )
    )
