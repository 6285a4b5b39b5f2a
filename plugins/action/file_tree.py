# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action file_tree: reads a tree of files on the controller, then runs the module once with all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._file_tree import Wanted, is_cache, pack

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "src": {"type": "path"},
    "files": {"type": "dict"},
    "dest": {"type": "path", "required": True},
    "purge": {"type": "bool"},
}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core is untyped
    """The controller's half of M(diskless.ceph.file_tree)."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read everything, or say everything that cannot be read, and only then touch the machine."""
        answer: dict[str, Any] = super().run(tmp, task_vars)
        args = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC, required_one_of=[("src", "files")])[1]
        options = {name: args[name] for name in ("dest", "purge") if args[name] is not None}
        module_args = {**options, "tree": pack(self._wanted(args["src"], args["files"] or {}))}
        answer.update(
            self._execute_module(module_name="diskless.ceph.file_tree", module_args=module_args, task_vars=task_vars)
        )
        return answer

    def _wanted(self, src: str | None, files: Mapping[str, str]) -> list[Wanted]:
        wanted: list[Wanted] = []
        problems: list[str] = []
        # What a link in files leads to is meant, whereas one below src is itself part of the tree.
        sources = [("", src, _tree)] if src else []
        for path, source, read in [*sources, *((path, source, _file) for path, source in files.items())]:
            try:
                wanted += read(Path(self._find_needle("files", str(source))), path)
            except (AnsibleError, OSError, ValueError) as error:
                problems.append(f"{path or 'src'}: {error}")
        if problems:
            raise AnsibleActionFail(f"Files to install cannot be read: {'; '.join(problems)}")
        return wanted


def _tree(directory: Path, within: str) -> Iterator[Wanted]:
    for source in sorted(directory.iterdir()):
        path = f"{within}/{source.name}" if within else source.name
        if is_cache(path):
            continue
        if source.is_symlink():
            yield Wanted(path, "link", target=str(source.readlink()))
        elif source.is_dir():
            yield Wanted(path, "directory")
            yield from _tree(source, path)
        else:
            yield from _file(source, path)


def _file(source: Path, path: str) -> Iterator[Wanted]:
    if not source.is_file():
        raise ValueError(f"{source} is no regular file")
    mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
    yield Wanted(path, "file", mode, source.read_bytes().decode("utf-8", "surrogateescape"))
