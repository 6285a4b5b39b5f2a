# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Diff of boot trees: what changes, without ever showing a key."""

from __future__ import annotations

from typing import Mapping

from ._boot_tree import HOST_CPIO, FileState, Plan, TreeChange, WantedFile
from ._golden_boot import GoldenBoot
from ._host_cpio import HOST_CONF, assignments, without_keys
from ._newc import NewcError, members
from ._tftp_view import ViewChange


def diff(root: str, plan: Plan, golden: Mapping[str, GoldenBoot]) -> list[dict[str, str]]:
    """Return one before and after for everything that the plan changes."""
    entries = [_entry(f"{root}/{name}", "", "directory\n") for name in plan.make_directories]
    entries += [_entry(f"{root}/{place}/{name}", "leftover\n", "") for place, name in plan.leftovers]
    for change in plan.trees:
        entries += _tree(f"{root}/boot/{change.tree.name}", change, golden.get(change.tree.arch))
    entries += [_entry(f"{root}/tftp/{view.name}", *_view(view)) for view in plan.views]
    return entries + [_entry(f"{root}/boot/{name}", "boot tree\n", "") for name in plan.prune]


def _view(change: ViewChange) -> tuple[str, str]:
    before = change.before.targets() if change.before else {}
    after = {name: target for name, target in before.items() if name not in change.remove}
    old = ""
    if change.before:
        old = f"link to {change.before.target}\n" if change.before.kind == "link" else "directory\n"
    if change.repair:
        old = "directory of another mode or owner\n"
    return old + _links(before), "directory\n" + _links({**after, **dict(change.links)})


def _links(targets: Mapping[str, str]) -> str:
    return "".join(f"{name} -> {target}\n" for name, target in sorted(targets.items()))


def _entry(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _tree(path: str, change: TreeChange, golden: GoldenBoot | None) -> list[dict[str, str]]:
    entries = []
    if change.make_directory:
        entries.append(_entry(path, "", "directory\n"))
    elif change.repair_directory and change.before:
        entries.append(_entry(path, _attributes(change.before.directory), "mode 0755, owner 0, group 0\n"))
    entries += [_entry(f"{path}/{name}", "leftover\n", "") for name in change.leftovers]
    if change.seed:
        names = golden.names if golden else ["(files of the golden boot archive)"]
        before = "(whatever the host has put there)\n" if change.clear else ""
        entries.append(_entry(f"{path} (files of the host)", before, "".join(f"{name}\n" for name in names)))
    for wanted in change.files:
        state = change.before.files.get(wanted.name) if change.before else None
        after = FileState("file", wanted.mode, wanted.uid, 0, wanted.digest, wanted.data)
        entries.append(_entry(f"{path}/{wanted.name}", *_file(wanted, state, after)))
    return entries


def _file(wanted: WantedFile, before: FileState | None, after: FileState) -> tuple[str, str]:
    old = _shown(wanted.name, before) if before else ""
    new = _shown(wanted.name, after)
    if before and _attributes(before) != _attributes(after):
        old, new = _attributes(before) + old, _attributes(after) + new
    return old, new


def _attributes(state: FileState) -> str:
    if state.kind == "other":
        return "not a regular file\n"
    return f"mode {state.mode:04o}, owner {state.uid}, group {state.gid}\n"


def _shown(name: str, state: FileState) -> str:
    if state.kind != "file":
        return ""
    if name == HOST_CPIO:
        return host_conf(state.text) + f"sha256 {state.digest[:12]}\n"
    return without_keys(state.text.decode(errors="replace"))


def host_conf(archive: bytes) -> str:
    """Return the settings in the host.conf of a newc archive; nothing if the archive is not well-formed."""
    try:
        for name, data in members(archive):
            if name == HOST_CONF:
                conf = data.decode(errors="replace")
                return "".join(f"{setting}={value}\n" for setting, value in assignments(conf))
    except NewcError:
        pass
    return ""
