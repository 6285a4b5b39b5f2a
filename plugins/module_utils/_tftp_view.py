# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TFTP views: what the TFTP server shows to the machine with a certain MAC address, and to no other.

A view is a directory below C(tftp), named after the address, that holds nothing but symbolic links: to the boot tree,
under the names by which the machine's loader looks for it, and to the loader itself. The role boot_server leads the
host's IP address there. The directory stays when its MAC address has no host any more, because dnsmasq shows the
directories of all hosts to an address whose own is not there.

Pure logic: _tftp_view_files reads and writes.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Collection, Mapping

_NAME = re.compile(r"[0-9a-f]{2}(-[0-9a-f]{2}){5}")


@dataclass(frozen=True)
class ViewState:
    """What there is by the name of a view.

    kind: directory, link or other. Version 0.1.0 had a link to the boot tree and no directory.
    intact: whether mode and owner of the directory are as they have to be.
    links: targets of the symbolic links in the directory, by name; None is something else.
    target: where the link leads.
    """

    kind: str
    intact: bool = True
    links: Mapping[str, str | None] = field(default_factory=dict)
    target: str = ""

    def targets(self) -> dict[str, str]:
        """Return the symbolic links in the directory, without what is something else."""
        return {name: target for name, target in self.links.items() if target is not None}


@dataclass(frozen=True)
class ViewChange:
    """What is done to one view: all but C(links) before trees are changed, so that none is shown to a wrong machine.

    make: the directory is made, empty, in place of a link if there is one.
    repair: the directory gets its mode and owner back.
    remove: links that are removed.
    links: links that are set, with their targets.
    """

    name: str
    before: ViewState | None
    make: bool = False
    repair: bool = False
    remove: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.make or self.repair or self.remove or self.links)

    @property
    def converted(self) -> bool:
        """Whether a link becomes a directory only together with its links, because it leads to the right tree."""
        return self.before is not None and self.before.kind == "link" and not self.make

    @property
    def removed(self) -> list[str]:
        """What no longer leads anywhere, as paths below C(tftp)."""
        plain = [self.name] if self.make and self.before is not None else []
        return plain + [f"{self.name}/{name}" for name in self.remove]


def view_change(
    name: str, tree: str, wanted: Mapping[str, str], state: ViewState | None
) -> tuple[ViewChange, tuple[str, ...]]:
    """Return what makes a view the wanted one, and what is in the way of that.

    tree: name of the host and of its boot tree.
    wanted: targets of the links, by name.
    """
    everything = tuple(sorted(wanted.items()))
    if state is None:
        return ViewChange(name, None, make=True, links=everything), ()
    if state.kind == "other":
        return ViewChange(name, state), (f"tftp/{name} is in the way of a directory of links; remove it",)
    if state.kind == "link":
        return ViewChange(name, state, make=posixpath.basename(state.target) != tree, links=everything), ()
    blocked = [link for link in wanted if state.links.get(link, "") is None]
    targets = state.targets()
    return (
        ViewChange(
            name,
            state,
            repair=not state.intact,
            remove=tuple(sorted(link for link, target in targets.items() if _leads_astray(target, wanted.get(link)))),
            links=tuple(item for item in everything if targets.get(item[0]) != item[1] and item[0] not in blocked),
        ),
        tuple(f"tftp/{name}/{link} is in the way of a symbolic link; remove it" for link in sorted(blocked)),
    )


def _leads_astray(target: str, wanted: str | None) -> bool:
    """Tell whether a link is removed at once; one that leads to the same by another path is replaced later."""
    return wanted is None or posixpath.basename(target) != posixpath.basename(wanted)


def emptied_view(name: str, state: ViewState, former: Collection[str], link_root: str, loader: str) -> ViewChange:
    """Return what takes boot trees out of the view of an address that none of the wanted hosts has.

    former: names of the trees that the address may no longer see.
    link_root: the directory of the trees, as the TFTP server sees it.
    loader: the directory of the loaders.
    """
    if not _NAME.fullmatch(name):
        return ViewChange(name, state)
    if state.kind == "link":
        return ViewChange(name, state, make=_tree_of(state.target, link_root) in former)
    trees = {link: tree for link, tree in _trees(state, link_root).items() if tree}
    if all(tree in former for tree in trees.values()):
        ours = [link for link, target in state.targets().items() if posixpath.dirname(target) in (link_root, loader)]
    else:  # the address still has the tree of a host that is not in the inventory
        ours = [link for link, tree in trees.items() if tree in former]
    return ViewChange(name, state, remove=tuple(sorted(ours)))


def _trees(state: ViewState, link_root: str) -> dict[str, str]:
    return {link: _tree_of(target, link_root) for link, target in state.targets().items()}


def _tree_of(target: str, link_root: str) -> str:
    return posixpath.basename(target) if posixpath.dirname(target) == link_root else ""
