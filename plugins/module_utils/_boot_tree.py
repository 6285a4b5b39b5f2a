# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot trees of the fleet: what is there, what is wanted, and the plan that leads from one to the other.

Pure logic: M(diskless.ceph.boot_tree) reads and writes through _boot_tree_files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Mapping, Sequence

from ._kernel_cfg import KERNEL_CFG
from ._kernel_txt import KERNEL_TXT, Firmware
from ._tftp_view import ViewChange, ViewState, emptied_view, view_change

HOST_CPIO = "host.cpio"
# By loader: what it reads to know kernel and initramfs. The host writes it, from the golden image's on.
KERNEL_CONFIG = {"grub": KERNEL_CFG, "pi": KERNEL_TXT}
# By loader: the programs that a view leads to besides the tree. A Pi has its own in its tree.
LOADERS = {"grub": ("grub.pxe", "shimx64.efi", "grubx64.efi"), "pi": ()}
# Says that the collection made the tree, so that it may remove it.
MARKER = ".diskless"
TEMPORARY = ".diskless-tmp-"
LOCK = ".diskless-lock"
DIRECTORY_MODE = 0o755
# No file of ours is larger: host.cpio, the largest of them, has some 2 kB.
MAXIMUM_SIZE = 1024**2


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
    """A tree as it has to be, apart from the files that belong to the host.

    loader: C(grub) or C(pi).
    links: of its TFTP view, with their targets.
    firmware: for the loader C(pi) alone.
    """

    name: str
    mac: str
    board: str
    arch: str
    loader: str
    files: tuple[WantedFile, ...]
    links: Mapping[str, str]
    firmware: Firmware | None = None

    @property
    def view(self) -> str:
        """Name of the directory below C(tftp) that is the TFTP root of this host."""
        return self.mac.replace(":", "-")

    @property
    def kernel_config(self) -> str:
        """The file by which the host says what to boot. Without it the tree is not seeded."""
        return KERNEL_CONFIG[self.loader]


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
    views: all there is in C(tftp), by name.
    """

    missing_directories: tuple[str, ...] = ()
    trees: Mapping[str, TreeState] = field(default_factory=dict)
    other_trees: Mapping[str, bool] = field(default_factory=dict)
    views: Mapping[str, ViewState] = field(default_factory=dict)
    leftovers: tuple[tuple[str, str], ...] = ()  # (directory, name)


@dataclass(frozen=True)
class TreeChange:
    """What is done to one tree, in the order of the fields.

    clear: whether what the host itself has put there is removed once it is seeded. Directories stay.
    """

    tree: WantedTree
    before: TreeState | None
    make_directory: bool = False
    repair_directory: bool = False
    leftovers: tuple[str, ...] = ()
    seed: bool = False
    files: tuple[WantedFile, ...] = ()
    clear: bool = False

    def summary(self) -> list[str]:
        """Words for the module's result."""
        words = ["directory"] if self.make_directory or self.repair_directory else []
        words += ["leftovers"] if self.leftovers else []
        words += ["seed"] if self.seed else []
        return words + [wanted.name for wanted in self.files]


@dataclass(frozen=True)
class Plan:
    """All changes, in the order in which they are made.

    Links that show a tree to a wrong machine go first, and links to trees come after the trees.
    problems: hosts whose tree cannot be brought up to date; the others still are.
    """

    make_directories: tuple[str, ...] = ()
    leftovers: tuple[tuple[str, str], ...] = ()
    views: tuple[ViewChange, ...] = ()
    trees: tuple[TreeChange, ...] = ()
    prune: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.make_directories or self.leftovers or self.views or self.trees or self.prune)


def plan(  # noqa: PLR0913, PLR0917 -- two paths and two switches
    state: FleetState,
    wanted: Sequence[WantedTree],
    link_root: str,
    loader_root: str,
    prune: bool,
    reseed: bool = False,
) -> Plan:
    """Plan how the trees become the wanted ones.

    link_root: where the TFTP server sees the directory of the trees.
    loader_root: and where that of the loaders.
    prune: whether trees of hosts that are not wanted are removed, and taken out of their views.
    reseed: whether also a tree that has what its loader needs is seeded, and holds nothing else afterwards.
    """
    trees = []
    views = {}
    problems = []
    for tree in wanted:
        tree_change = _tree_change(tree, state.trees.get(tree.name), reseed)
        blocking = _blocking(tree_change)
        if tree_change.summary() and not blocking:
            trees.append(tree_change)
        views[tree.view], in_the_way = view_change(tree.view, tree.name, tree.links, state.views.get(tree.view))
        problems += [f"{tree.name}: {text}" for text in (*blocking, *in_the_way)]
    stale = tuple(sorted(name for name, marked in state.other_trees.items() if marked))
    former = {tree.name for tree in wanted}.union(stale if prune else ())
    for name, view in state.views.items():
        if name not in views:
            views[name] = emptied_view(name, view, former, link_root, loader_root)
    return Plan(
        make_directories=state.missing_directories,
        leftovers=state.leftovers,
        views=tuple(views[name] for name in sorted(views) if views[name].changed),
        trees=tuple(trees),
        prune=stale if prune else (),
        stale=stale,
        unmarked=tuple(sorted(name for name, marked in state.other_trees.items() if not marked)),
        problems=tuple(problems),
    )


def plan_removal(state: FleetState, names: Sequence[str], link_root: str, loader_root: str) -> Plan:
    """Plan that the trees of these hosts, and no others, are removed and taken out of all views.

    state: read with no tree wanted.
    """
    unmarked = [name for name in names if state.other_trees.get(name) is False]
    doomed = sorted(name for name in names if state.other_trees.get(name))
    views = [emptied_view(name, view, names, link_root, loader_root) for name, view in sorted(state.views.items())]
    return Plan(
        views=tuple(view for view in views if view.changed),
        prune=tuple(doomed),
        problems=tuple(
            f"{name}: its boot tree has no marker {MARKER}, so it was not made by this collection; remove it by hand"
            for name in unmarked
        ),
    )


def _tree_change(tree: WantedTree, state: TreeState | None, reseed: bool) -> TreeChange:
    if state is None:
        return TreeChange(tree, None, make_directory=True, seed=True, files=tree.files)
    kernel_config = state.files.get(tree.kernel_config)
    return TreeChange(
        tree,
        state,
        repair_directory=state.directory != FileState("directory", DIRECTORY_MODE),
        leftovers=state.leftovers,
        seed=reseed or kernel_config is None or kernel_config.kind != "file",
        files=tuple(wanted for wanted in tree.files if not _is_as(state.files.get(wanted.name), wanted)),
        clear=reseed,
    )


def _is_as(state: FileState | None, wanted: WantedFile) -> bool:
    return state is not None and state.is_as(wanted)


def _blocking(change: TreeChange) -> list[str]:
    """Return what stands where a file has to be written: only a directory cannot be replaced atomically."""
    if change.before is None:
        return []
    if change.before.directory.kind != "directory":
        return ["its boot tree is not a directory; remove it"]
    names = [wanted.name for wanted in change.files] + ([change.tree.kernel_config] if change.seed else [])
    return [
        f"{name} in its boot tree is a directory, which only the host itself can have made; remove it"
        for name in names
        if name in change.before.files and change.before.files[name].kind == "directory"
    ]
