# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module file_tree on a real file system."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._file_tree import Wanted, pack
from ansible_collections.diskless.ceph.plugins.modules import file_tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what is installed belongs to root")

TREE = (
    Wanted("etc/enabled", "link", target="../lib/program"),
    Wanted("etc/empty", "directory"),
    Wanted("lib/program", "file", 0o755, "#!/bin/sh\n"),
    Wanted("lib/text", "file", 0o644, "one\ntwo\n"),
)
Run = Callable[..., dict[str, Any]]


class Failed(Exception):
    """fail_json was called."""


class Module:
    """As much of AnsibleModule as C(run) uses."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self._diff = True

    def fail_json(self, msg: str) -> None:
        raise Failed(msg)


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A directory to install in."""
    (tmp_path / "dest").mkdir()
    return tmp_path / "dest"


@pytest.fixture
def run(dest: Path) -> Run:
    """Run the module with this tree."""

    def _run(tree: tuple[Wanted, ...] = TREE, check_mode: bool = False, **params: Any) -> dict[str, Any]:
        params = {"dest": str(dest), "purge": False, "tree": pack(tree), **params}
        return file_tree.run(Module(params, check_mode))

    return _run


def _snapshot(root: Path) -> dict[str, tuple[int, int, int, int, bytes]]:
    """Everything below the root: mode with type, owner, group, inode, content or target."""
    return {
        str(path.relative_to(root)): (
            (about := path.lstat()).st_mode,
            about.st_uid,
            about.st_gid,
            about.st_ino,
            str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def _below(dest: Path, *paths: str) -> list[str]:
    return [str(dest / path) for path in paths]


def test_check_apply_apply_check(run: Run, dest: Path) -> None:
    checked = run(check_mode=True)
    assert list(dest.iterdir()) == []
    applied = run()
    assert applied == checked
    assert applied["changed"]
    created = _below(dest, "etc", "etc/empty", "etc/enabled", "lib", "lib/program", "lib/text")
    assert (applied["created"], applied["replaced"], applied["removed"]) == (created, [], [])
    after = _snapshot(dest)
    nothing = {"changed": False, "created": [], "replaced": [], "removed": [], "diff": []}
    assert run() == nothing
    assert run(check_mode=True) == nothing
    assert _snapshot(dest) == after


def test_modes_and_owners_do_not_depend_on_umask_and_group_of_the_directory(run: Run, dest: Path) -> None:
    os.chown(dest, 1, 1)
    dest.chmod(0o2770)
    umask = os.umask(0o077)
    try:
        run((*TREE, Wanted("file", "file", 0o644), Wanted("link", "link", target="file")))
    finally:
        os.umask(umask)
    installed = {path: (stat.S_IMODE(mode), uid, gid) for path, (mode, uid, gid, *_dummy) in _snapshot(dest).items()}
    assert [installed.pop(link)[1:] for link in ("etc/enabled", "link")] == [(0, 0), (0, 0)]
    assert installed == {
        **dict.fromkeys(["etc", "etc/empty", "lib", "lib/program"], (0o755, 0, 0)),
        **dict.fromkeys(["file", "lib/text"], (0o644, 0, 0)),
    }
    assert stat.S_IMODE(dest.stat().st_mode) == 0o2770
    assert (dest / "etc" / "enabled").resolve() == (dest / "lib" / "program").resolve()


def test_only_what_differs_is_replaced_and_by_another_file(run: Run, dest: Path) -> None:
    run()
    before = _snapshot(dest)
    (dest / "lib" / "text").write_text("one\nother\n", encoding="utf-8")
    (dest / "lib" / "program").chmod(0o644)
    (dest / "etc" / "enabled").unlink()
    (dest / "etc" / "enabled").symlink_to("/dev/null")
    (dest / "etc").chmod(0o700)
    (dest / "lib" / "others").write_text("stays", encoding="utf-8")
    applied = run()
    assert applied["replaced"] == _below(dest, "etc/enabled", "lib/program", "lib/text")
    assert (applied["created"], applied["removed"]) == ([], [])
    after = _snapshot(dest)
    assert after["lib/text"][3] != before["lib/text"][3]
    assert after["lib/others"][4] == b"stays"
    assert stat.S_IMODE(after["etc"][0]) == 0o700
    for path in ("etc/enabled", "lib/program", "lib/text"):
        assert after[path][:3] + after[path][4:] == before[path][:3] + before[path][4:]


def test_diff_has_text_and_owner_and_only_the_size_of_the_rest(run: Run, dest: Path) -> None:
    (dest / "lib").mkdir()
    for name, data in {"text": b"one\n", "program": b"#!/bin/sh\n", "large": b"y" * 200_000, "binary": b"\0"}.items():
        (dest / "lib" / name).write_bytes(data)
    os.chown(dest / "lib" / "program", 1, 2)
    (dest / "lib" / "program").chmod(0o4755)
    more = (Wanted("lib/large", "file", 0o644, "x" * 150_000), Wanted("lib/binary", "file", 0o644, "caf\udce9"))
    entries = run((*TREE, *more))["diff"]
    assert [entry["after_header"] for entry in entries] == [entry["before_header"] for entry in entries]
    assert [(entry["after_header"], entry["before"], entry["after"]) for entry in entries] == [
        (f"{dest}/etc", "", "directory\n"),
        (f"{dest}/etc/empty", "", "directory\n"),
        (f"{dest}/etc/enabled", "", "link to ../lib/program\n"),
        (f"{dest}/lib/binary", "(1 bytes, sha256 6e340b9cffb3)\n", "(4 bytes, sha256 dafd66c0b989)\n"),
        (f"{dest}/lib/large", "(200000 bytes)\n", "(150000 bytes, sha256 e8e5e6d3fad3)\n"),
        (
            f"{dest}/lib/program",
            "mode 4755, owner 1, group 2\n#!/bin/sh\n",
            "mode 0755, owner 0, group 0\n#!/bin/sh\n",
        ),
        (f"{dest}/lib/text", "one\n", "one\ntwo\n"),
    ]


def test_large_file_is_compared_too(run: Run, dest: Path) -> None:
    tree = (Wanted("large", "file", 0o644, "x" * 150_000),)
    run(tree)
    assert not run(tree)["changed"]
    (dest / "large").write_bytes(b"x" * 149_999 + b"y")
    entry = run(tree)["diff"][0]
    assert (entry["before"][:14], entry["after"][:14]) == ("(150000 bytes,", "(150000 bytes,")
    assert entry["before"] != entry["after"]


def test_directory_that_is_not_there_is_made_or_told_in_check_mode(run: Run, dest: Path) -> None:
    deep = dest / "a" / "b"
    checked = run(dest=str(deep), purge=True, check_mode=True)
    assert not (dest / "a").exists()
    assert checked["changed"]
    assert checked["created"][:3] == _below(dest, "a", "a/b", "a/b/etc")
    assert [entry["after_header"] for entry in checked["diff"]] == checked["created"]
    assert run(dest=f"{deep}/", purge=True) == checked
    assert not run(dest=str(deep), purge=True)["changed"]


def test_purge_removes_files_links_and_directories_but_follows_no_link(run: Run, dest: Path, tmp_path: Path) -> None:
    run()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x", encoding="utf-8")
    (dest / "lib" / "link").symlink_to(outside)
    (dest / "lib" / "__pycache__").mkdir()
    (dest / "lib" / "__pycache__" / "program.pyc").write_bytes(b"cache")
    (dest / "old" / "deep").mkdir(parents=True)
    (dest / "old" / "deep" / "file").write_text("x", encoding="utf-8")
    (dest / "old.py").write_text("x\n", encoding="utf-8")
    assert not run()["changed"]
    checked = run(purge=True, check_mode=True)
    assert checked["removed"] == _below(dest, "lib/link", "old", "old.py", "old/deep", "old/deep/file")
    assert run(purge=True) == checked
    assert not run(purge=True)["changed"]
    assert sorted(path.name for path in dest.iterdir()) == ["etc", "lib"]
    assert (outside / "precious").exists()
    assert (dest / "lib" / "__pycache__" / "program.pyc").exists()
    assert [entry["before"] for entry in checked["diff"] if entry["after_header"].endswith("old.py")] == ["x\n"]


@pytest.mark.parametrize("root", ["/", "//", "/tmp/..", "link"])  # noqa: S108
def test_purge_never_has_the_whole_machine(
    run: Run, tmp_path: Path, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on the machine is not even listed for it."""
    monkeypatch.setattr(file_tree, "_walk", lambda *_: pytest.fail("the machine was listed"))
    monkeypatch.setattr(file_tree, "apply", lambda *_: pytest.fail("something was done"))
    (tmp_path / "link").symlink_to("/")
    with pytest.raises(Failed, match="purge would remove everything of the machine"):
        run(dest=str(tmp_path / root), purge=True)


def test_problems_are_all_named_and_nothing_is_changed(run: Run, dest: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (dest / "etc").symlink_to(tmp_path / "outside")
    (dest / "lib" / "text").mkdir(parents=True)
    (dest / "loop").symlink_to("loop")
    (dest / "file").write_text("x", encoding="utf-8")
    before = _snapshot(tmp_path)
    with pytest.raises(Failed) as raised:
        run((*TREE, Wanted("../up", "file"), Wanted("loop/x", "file"), Wanted("file/x/y", "file")))
    assert str(raised.value) == (
        f"Nothing was installed in {dest}: "
        "'../up' leads out of dest; expected a plain path relative to it, without '.' and '..'; "
        f"{dest}/etc is a link to {tmp_path}/outside, which is outside of {dest}; put a directory in its place; "
        f"{dest}/file is a file where a directory should be; move it away; "
        f"{dest}/lib/text is a directory where a file should be; move it away; "
        f"{dest}/loop is a link to loop, which is no directory, where a directory should be; move it away"
    )
    assert _snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("where", "problem"),
    [("srv/x", "dest srv/x is relative"), ("/dev/null/x", "/dev/null is no directory; expected one to install in")],
)
def test_dest_has_to_be_an_absolute_directory(run: Run, where: str, problem: str) -> None:
    with pytest.raises(Failed, match=problem):
        run(dest=where)


def test_files_arrive_through_links_that_stay_inside(run: Run, dest: Path, tmp_path: Path) -> None:
    """As /lib does in every root of Debian. That dest itself is a link, or below one, is nobody's concern."""
    (dest / "usr" / "lib").mkdir(parents=True)
    (dest / "lib").symlink_to("usr/lib")
    (tmp_path / "link").symlink_to(dest)
    run(dest=str(tmp_path / "link"))
    assert (dest / "lib").is_symlink()
    assert (dest / "usr" / "lib" / "text").read_text(encoding="utf-8") == "one\ntwo\n"
    assert not run()["changed"]


def test_links_come_last_because_they_enable_what_the_files_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(file_tree, "_replace", lambda path, wanted, make: done.append(wanted.kind))
    run()
    assert done == ["file", "file", "link"]


def test_failure_leaves_the_old_file_and_no_temporary_one(
    run: Run, dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    (dest / "lib" / "text").write_text("old\n", encoding="utf-8")
    before = _snapshot(dest)

    def fail(*_: object) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(OSError, match="disk is full"):
        run()
    assert _snapshot(dest) == before


def test_temporary_file_of_a_run_that_was_killed_is_removed(run: Run, dest: Path) -> None:
    run()
    (dest / "lib" / ".file-tree-0123abcd").write_text("half", encoding="utf-8")
    assert run()["removed"] == _below(dest, "lib/.file-tree-0123abcd")
    assert not run()["changed"]
