# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree of files is to be, what is there, and what follows from the two. Nothing here touches a disk.

Paths are relative to the directory that the tree is installed in, with C(/) between their parts.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
import zlib
from dataclasses import asdict, dataclass, field
from typing import Iterable, Mapping, Sequence

DIRECTORY_MODE = 0o755
TEMPORARY = ".file-tree-"

_LEFTOVER = re.compile(re.escape(TEMPORARY) + r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Wanted:
    """What is to be at a path.

    kind: file, link or directory.
    mode: of a file; links have none, and a directory that is there keeps its own.
    text: content of a file. What is no UTF-8 in it is escaped (C(surrogateescape)), so that JSON can hold it.
    target: of a link.
    """

    path: str
    kind: str
    mode: int = 0
    text: str = ""
    target: str = ""

    @property
    def data(self) -> bytes:
        """Content of the file."""
        return self.text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Found:
    """What there is at a path.

    kind: file, link, directory, pipe, socket or device.
    data: content of a file; None where it is so large that it was not read, which is larger than what is wanted.
    target: of a link.
    leads_to: real path of the directory that a link leads to, if it leads to one.
    """

    kind: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    data: bytes | None = None
    target: str = ""
    leads_to: str = ""


@dataclass(frozen=True)
class State:
    """What there is where the tree goes.

    dest: the directory to install in.
    real: its path without links.
    missing: dest, and the directories above it, that are not there; the outermost first.
    obstacle: what is no directory at or above dest, if anything.
    found: what there is by path.
    """

    dest: str
    real: str = ""
    missing: tuple[str, ...] = ()
    obstacle: str = ""
    found: Mapping[str, Found] = field(default_factory=dict)

    def full(self, path: str) -> str:
        """Return the path that the machine knows."""
        return posixpath.join(self.dest, path)


@dataclass(frozen=True)
class Change:
    """One path that is not as it is to be. Without before it is made, without after it is removed."""

    path: str
    before: Found | None
    after: Wanted | None


@dataclass(frozen=True)
class Plan:
    """What to do, sorted by path; or the problems that keep all of it from being done."""

    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()


def pack(wanted: Iterable[Wanted]) -> str:
    """Return the tree as one string."""
    return base64.b64encode(zlib.compress(json.dumps([asdict(each) for each in wanted]).encode())).decode()


def unpack(packed: str) -> list[Wanted]:
    """Return the tree that C(pack) has made a string of."""
    return [Wanted(**each) for each in json.loads(zlib.decompress(base64.b64decode(packed)))]


def is_cache(path: str) -> bool:
    """Tell whether Python has made it of its own accord. Such files are neither installed nor removed."""
    return path.endswith(".pyc") or posixpath.basename(path) == "__pycache__"


def is_leftover(path: str) -> bool:
    """Tell whether it is the temporary file of a run that died."""
    return _LEFTOVER.fullmatch(posixpath.basename(path)) is not None


def is_inside(path: str) -> bool:
    """Tell whether a path is relative, leads nowhere above its beginning and is as short as it can be."""
    return posixpath.normpath(path) == path and path not in (".", "..") and not path.startswith(("/", "../"))


def complete(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Return the tree with the directories that its paths lead through, sorted, but for what may be nowhere."""
    given = [each for each in wanted if is_inside(each.path)]
    paths = {each.path for each in given}
    parents = {parent for path in paths for parent in _parents(path)}
    return sorted(given + [Wanted(path, "directory") for path in parents - paths], key=lambda each: each.path)


def plan(state: State, wanted: Sequence[Wanted], purge: bool) -> Plan:
    """Compare, and return what to do.

    purge: whether what is there and not wanted goes. What Python has cached stays beside what is wanted, because it
        comes again each time that root runs the program.
    """
    tree = complete(wanted)
    by_path = {each.path: each for each in tree}
    problems = _refusals(state, wanted, purge)
    changes = []
    for each in tree:
        before = state.found.get(each.path)
        problem = _problem(state, each, before, purge)
        if problem:
            problems.append(problem)
        elif not _is_there(each, before):
            changes.append(Change(each.path, before, each))
    for path, before in state.found.items():
        if path not in by_path and (is_leftover(path) or (purge and not _is_kept_cache(path, by_path))):
            changes.append(Change(path, before, None))
    if problems:
        return Plan(problems=tuple(problems))
    return Plan(tuple(sorted(changes, key=lambda change: change.path)))


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _refusals(state: State, wanted: Sequence[Wanted], purge: bool) -> list[str]:
    """Return what is wrong whatever there is at the paths."""
    problems = []
    if not state.dest.startswith("/"):
        problems.append(f"dest {state.dest} is relative; expected the absolute path of a directory")
    if state.obstacle:
        problems.append(f"{state.obstacle} is no directory; expected one to install in; move it away")
    if purge and state.real == "/":
        problems.append(f"purge would remove everything of the machine, since dest {state.dest} is /")
    if not any(each.kind != "directory" for each in wanted):
        problems.append("the tree holds no file; expected at least one in src or files")
    kinds: dict[str, str] = {}
    for each in wanted:
        if not is_inside(each.path):
            problems.append(
                f"{each.path!r} leads out of dest; expected a plain path relative to it, without '.' and '..'"
            )
        elif each.path in kinds:
            problems.append(f"{each.path} is to be installed twice; leave it out of src or of files")
        kinds[each.path] = each.kind
    through = {parent for path in kinds for parent in _parents(path) if kinds.get(parent, "directory") != "directory"}
    problems += [f"{path} is to be a {kinds[path]}, and a directory with files in it too" for path in sorted(through)]
    return problems


def _problem(state: State, wanted: Wanted, before: Found | None, purge: bool) -> str:
    """Return why what is there can neither stay nor be replaced; nothing if it can."""
    if before is None:
        return ""
    detail = ""
    if wanted.kind == "directory":
        if before.leads_to:
            return _link_problem(state, wanted.path, before, purge)
        fits = before.kind == "directory"
        if before.kind == "link":
            detail = f" to {before.target}, which is no directory,"
    else:
        fits = before.kind in ("file", "link")
    path = state.full(wanted.path)
    return "" if fits else f"{path} is a {before.kind}{detail} where a {wanted.kind} should be; move it away"


def _link_problem(state: State, path: str, link: Found, purge: bool) -> str:
    """Return why a link to a directory cannot be in the place of one; nothing if it can."""
    # On the machine itself links such as /lib lead wherever its owner wants; in a staged tree they may lead out of it.
    if state.real != "/" and not f"{link.leads_to}/".startswith(f"{state.real}/"):
        why = f"which is outside of {state.dest}"
    elif purge:
        why = "and purge follows none"
    else:
        return ""
    return f"{state.full(path)} is a link to {link.target}, {why}; put a directory in its place"


def _is_there(wanted: Wanted, before: Found | None) -> bool:
    if before is None:
        return False
    if wanted.kind == "directory":
        return True
    if (before.kind, before.uid, before.gid) != (wanted.kind, 0, 0):
        return False
    if wanted.kind == "link":
        return before.target == wanted.target
    return before.mode == wanted.mode and before.data == wanted.data


def _is_kept_cache(path: str, wanted: Mapping[str, Wanted]) -> bool:
    """Tell whether it is a cache, or in one, that lies beside what is wanted."""
    cached = next((part for part in [*_parents(path), path] if is_cache(part)), "")
    directory = posixpath.dirname(cached)
    return bool(cached) and (not directory or directory in wanted)
