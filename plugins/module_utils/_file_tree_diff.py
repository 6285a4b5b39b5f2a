# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Diff of a tree of files: one entry for each path that changes, sorted."""

from __future__ import annotations

from hashlib import sha256

from ._file_tree import Found, Plan, State, Wanted

SHOWN_SIZE = 100 * 1000  # bytes


def diff(state: State, plan: Plan) -> list[dict[str, str]]:
    """Return before and after of everything that the plan changes."""
    entries = [_entry(path, "", "directory\n") for path in state.missing]
    for change in plan.changes:
        before = _found(change.before) if change.before else ""
        after = _wanted(change.after) if change.after else ""
        if change.before and change.after and _differ(change.before, change.after):
            before = _attributes(change.before) + before
            after = _attributes(Found(change.after.kind, change.after.mode)) + after
        entries.append(_entry(state.full(change.path), before, after))
    return entries


def _entry(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _differ(before: Found, after: Wanted) -> bool:
    """Tell whether owner or mode differ, or what can have none."""
    return before.kind == after.kind and _attributes(before) != _attributes(Found(after.kind, after.mode))


def _attributes(state: Found) -> str:
    mode = f"mode {state.mode:04o}, " if state.kind == "file" else ""
    return f"{mode}owner {state.uid}, group {state.gid}\n"


def _found(state: Found) -> str:
    if state.kind == "file":
        return f"({state.size} bytes)\n" if state.data is None else _content(state.data)
    return f"link to {state.target}\n" if state.kind == "link" else f"{state.kind}\n"


def _wanted(wanted: Wanted) -> str:
    if wanted.kind == "file":
        return _content(wanted.data)
    return f"link to {wanted.target}\n" if wanted.kind == "link" else f"{wanted.kind}\n"


def _content(data: bytes) -> str:
    """Return a text as it is. Of everything else its size, and a checksum in case that the size stays the same."""
    if len(data) <= SHOWN_SIZE and b"\0" not in data:
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    return f"({len(data)} bytes, sha256 {sha256(data).hexdigest()[:12]})\n"
