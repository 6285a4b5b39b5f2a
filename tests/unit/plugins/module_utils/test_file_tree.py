# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a tree of files and what is there: changes, or everything that forbids them."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._file_tree import (
    Found,
    State,
    Wanted,
    is_inside,
    pack,
    plan,
    unpack,
)

FILE = Wanted("etc/a", "file", 0o644, "a\n")
THERE = {"etc": Found("directory", 0o700, 5, 5), "etc/a": Found("file", 0o644, 0, 0, 2, b"a\n")}


def _state(found: dict[str, Found], dest: str = "/srv/x") -> State:
    return State(dest, dest, found={"etc": Found("directory"), **found})


def test_any_bytes_survive_the_way_to_the_machine() -> None:
    data = bytes(range(256))
    wanted = [Wanted("a", "file", 0o755, data.decode("utf-8", "surrogateescape")), Wanted("b", "link", target="a")]
    assert unpack(pack(wanted)) == wanted
    assert unpack(pack(wanted))[0].data == data


def test_what_is_there_stays_and_so_does_a_directory_of_any_mode_and_owner() -> None:
    assert plan(State("/", "/", found=THERE), [FILE], False).changes == ()


@pytest.mark.parametrize(
    "before",
    [
        Found("file", 0o644, 0, 0, 2, b"b\n"),
        Found("file", 0o755, 0, 0, 2, b"a\n"),
        Found("file", 0o644, 1, 0, 2, b"a\n"),
        Found("file", 0o644, 0, 1, 2, b"a\n"),
        Found("file", 0o644, 0, 0, 200000, None),
        Found("link", 0o777, 0, 0, target="a"),
    ],
)
def test_file_that_differs_in_anything_is_replaced(before: Found) -> None:
    assert [(each.before, each.after) for each in plan(_state({"etc/a": before}), [FILE], False).changes] == [
        (before, FILE)
    ]


@pytest.mark.parametrize(
    ("before", "replaced"),
    [
        (Found("link", 0o777, 0, 0, target="a"), False),
        (Found("link", 0o777, 0, 0, target="b"), True),
        (Found("link", 0o777, 1, 0, target="a"), True),
        (Found("file", 0o644, 0, 0, 2, b"a\n"), True),
    ],
)
def test_link_is_what_it_leads_to(before: Found, replaced: bool) -> None:
    link = Wanted("etc/l", "link", target="a")
    assert bool(plan(_state({"etc/l": before}), [link], False).changes) is replaced


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        *[("a", True), ("a/..b", True), ("..a/b", True), (".a", True)],
        *[("", False), (".", False), ("..", False), ("../a", False), ("a/../../b", False), ("a/../b", False)],
        *[("/a", False), ("//a", False), ("a//b", False), ("./a", False), ("a/", False)],
    ],
)
def test_path_is_inside_only_as_it_would_be_listed(path: str, inside: bool) -> None:
    assert is_inside(path) is inside


def test_everything_that_forbids_the_tree_is_said_at_once() -> None:
    wanted = [
        *[Wanted("../out", "file"), Wanted("/abs", "file"), FILE, FILE],
        *[Wanted(name, "file") for name in ("thru", "thru/x", "dir", "pipe", "f/x", "out/x", "dangling/x")],
        Wanted("l", "link", target="a"),
    ]
    found = {
        **{"dir": Found("directory"), "pipe": Found("pipe"), "f": Found("file"), "l": Found("directory")},
        "out": Found("link", target="/usr", leads_to="/usr"),
        "dangling": Found("link", target="nowhere"),
    }
    planned = plan(_state(found), wanted, False)
    assert planned.changes == ()
    assert planned.problems == (
        "'../out' leads out of dest; expected a plain path relative to it, without '.' and '..'",
        "'/abs' leads out of dest; expected a plain path relative to it, without '.' and '..'",
        "etc/a is to be installed twice; leave it out of src or of files",
        "thru is to be a file, and a directory with files in it too",
        "/srv/x/dangling is a link to nowhere, which is no directory, where a directory should be; move it away",
        "/srv/x/dir is a directory where a file should be; move it away",
        "/srv/x/f is a file where a directory should be; move it away",
        "/srv/x/l is a directory where a link should be; move it away",
        "/srv/x/out is a link to /usr, which is outside of /srv/x; put a directory in its place",
        "/srv/x/pipe is a pipe where a file should be; move it away",
    )


@pytest.mark.parametrize(
    ("dest", "leads_to", "fine"),
    [
        ("/", "/usr/lib", True),
        ("/srv/x", "/srv/x/usr/lib", True),
        ("/srv/x", "/srv/x", True),
        ("/srv/x", "/srv/xy", False),
        ("/srv/x", "/", False),
    ],
)
def test_link_in_place_of_a_directory_may_lead_anywhere_inside(dest: str, leads_to: str, fine: bool) -> None:
    found = {"lib": Found("link", target="t", leads_to=leads_to)}
    planned = plan(_state(found, dest), [Wanted("lib/a", "file")], False)
    assert (planned.problems == (), [each.path for each in planned.changes]) == (fine, ["lib/a"] if fine else [])


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (State("srv/x"), "dest srv/x is relative; expected the absolute path of a directory"),
        (State("/a/b", obstacle="/a"), "/a is no directory; expected one to install in; move it away"),
        (State("/root-link", "/"), "purge would remove everything of the machine, since dest /root-link is /"),
        (
            _state({"etc": Found("link", target="x", leads_to="/srv/x/x")}),
            "/srv/x/etc is a link to x, and purge follows none; put a directory in its place",
        ),
    ],
)
def test_purge_and_dest_are_refused_where_they_would_do_harm(state: State, problem: str) -> None:
    assert plan(state, [FILE], True).problems == (problem,)


def test_tree_without_files_is_refused_because_purge_would_remove_all() -> None:
    planned = plan(_state(THERE), [Wanted("etc", "directory")], True)
    assert planned.problems == ("the tree holds no file; expected at least one in src or files",)


def test_purge_removes_what_is_not_wanted_but_no_cache_beside_what_is() -> None:
    names = ["etc/b", "etc/b.pyc", "etc/__pycache__", "etc/__pycache__/a.pyc", "old", "old/__pycache__", "top.pyc"]
    found = {**THERE, **{name: Found("file") for name in names}}
    assert [each.path for each in plan(_state(found), [FILE], True).changes] == ["etc/b", "old", "old/__pycache__"]
    assert plan(_state(found), [FILE], False).changes == ()


def test_temporary_file_of_a_run_that_died_goes_without_purge() -> None:
    names = ["etc/.file-tree-0123abcd", "etc/.file-tree-0123abcd.mine", "etc/.file-tree-", "etc/file-tree-0123abcd"]
    found = {**THERE, **{name: Found("file") for name in names}}
    assert [each.path for each in plan(_state(found), [FILE], False).changes] == names[:1]
