# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action file_tree: which files it finds and what it sends of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.diskless.ceph.plugins.action import file_tree
from ansible_collections.diskless.ceph.plugins.module_utils._file_tree import Wanted, unpack


@pytest.fixture
def role(tmp_path: Path) -> Path:
    """A role with a tree of files."""
    role = tmp_path / "roles" / "some"
    program = role / "files" / "tree" / "usr" / "lib"
    (program / "__pycache__").mkdir(parents=True)
    (program / "__pycache__" / "shared.cpython-311.pyc").write_bytes(b"cache")
    (program / "old.pyc").write_bytes(b"cache")
    (program / "program").write_text("#!/bin/sh\n", encoding="utf-8")
    (program / "program").chmod(0o700)
    (program / "data").write_bytes(b"caf\xe9\n")
    (program / "data").chmod(0o666)
    (program / "link").symlink_to("program")
    (program / "elsewhere").symlink_to("../../nowhere")
    (role / "files" / "single").write_text("single\n", encoding="utf-8")
    return role


def _run(monkeypatch: pytest.MonkeyPatch, role: Path, **args: Any) -> tuple[dict[str, Any], list[Wanted]]:
    """The arguments with which the action starts the module, and the tree in them."""
    task = MagicMock(args={"dest": "/srv/x", **args}, async_val=0, check_mode=False, no_log=False)
    task.get_search_path.return_value = [str(role), str(role.parents[1])]
    connection = MagicMock()
    connection._shell.tmpdir = "/tmp/unused"  # noqa: S108
    action = file_tree.ActionModule(task, connection, MagicMock(), DataLoader(), MagicMock(), MagicMock())
    calls: list[dict[str, Any]] = []

    def execute(**call: Any) -> dict[str, Any]:
        calls.append(call)
        return {"changed": True}

    monkeypatch.setattr(action, "_execute_module", execute)
    assert action.run(task_vars={}) == {"changed": True}
    assert [call["module_name"] for call in calls] == ["diskless.ceph.file_tree"]
    arguments: dict[str, Any] = calls[0]["module_args"]
    return arguments, unpack(arguments.pop("tree"))


def test_tree_of_the_role_is_sent_with_its_links_and_without_caches(
    monkeypatch: pytest.MonkeyPatch, role: Path
) -> None:
    sent, tree = _run(monkeypatch, role, src="tree/", purge=True)
    assert sent == {"dest": "/srv/x", "purge": True}
    assert tree == [
        Wanted("usr", "directory"),
        Wanted("usr/lib", "directory"),
        Wanted("usr/lib/data", "file", 0o644, "caf\udce9\n"),
        Wanted("usr/lib/elsewhere", "link", target="../../nowhere"),
        Wanted("usr/lib/link", "link", target="program"),
        Wanted("usr/lib/program", "file", 0o755, "#!/bin/sh\n"),
    ]
    assert tree[2].data == b"caf\xe9\n"


def test_all_files_of_the_role_can_be_the_tree(monkeypatch: pytest.MonkeyPatch, role: Path) -> None:
    _dummy, tree = _run(monkeypatch, role, src="./")
    assert [each.path for each in tree if each.kind == "file"] == [
        "single",
        "tree/usr/lib/data",
        "tree/usr/lib/program",
    ]


def test_single_files_come_from_the_role_or_from_anywhere_and_links_to_them_are_followed(
    monkeypatch: pytest.MonkeyPatch, role: Path
) -> None:
    files = {"bin/single": "single", "bin/program": f"{role}/files/../files/tree/usr/lib/link"}
    _dummy, tree = _run(monkeypatch, role, files=files)
    assert tree == [
        Wanted("bin/single", "file", 0o644, "single\n"),
        Wanted("bin/program", "file", 0o755, "#!/bin/sh\n"),
    ]


def test_everything_that_cannot_be_read_is_named_and_nothing_sent(monkeypatch: pytest.MonkeyPatch, role: Path) -> None:
    os.mkfifo(role / "files" / "tree" / "pipe")
    with pytest.raises(AnsibleActionFail) as raised:
        _run(monkeypatch, role, src="tree", files={"a": "absent", "b": "tree", "c": "single"})
    text = str(raised.value)
    assert f"src: {role}/files/tree/pipe is no regular file" in text
    assert f"b: {role}/files/tree is no regular file" in text
    assert "a: Could not find or access 'absent'" in text
    assert "; c: " not in text


def test_something_has_to_be_installed(monkeypatch: pytest.MonkeyPatch, role: Path) -> None:
    with pytest.raises(AnsibleError, match="one of the following is required: src, files"):
        _run(monkeypatch, role)
