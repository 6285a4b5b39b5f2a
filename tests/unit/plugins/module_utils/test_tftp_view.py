# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TFTP views: no machine is ever shown the tree of another, whatever was there before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._tftp_view import (
    ViewChange,
    ViewState,
    emptied_view,
    view_change,
)

BOOT, LOADER = "/run/diskless/boot", "/srv/diskless/loader"
MAC = "52-54-00-77-00-11"
TREE = f"{BOOT}/udoo1"
GRUB = {"grub": TREE, "grub.pxe": f"{LOADER}/grub.pxe"}
PI = {"abcd1234": TREE, MAC: TREE}
SETTLED = ViewState("directory", links=GRUB)


def _change(wanted: dict[str, str], state: ViewState | None) -> ViewChange:
    change, in_the_way = view_change(MAC, "udoo1", wanted, state)
    assert in_the_way == ()
    return change


def _emptied(state: ViewState, former: set[str], name: str = MAC) -> ViewChange:
    return emptied_view(name, state, former, BOOT, LOADER)


@pytest.mark.parametrize("wanted", [GRUB, PI])
def test_settled_view_needs_nothing(wanted: dict[str, str]) -> None:
    change = _change(wanted, ViewState("directory", links=wanted))
    assert not change.changed
    assert change.removed == []


def test_new_view_is_an_empty_directory_until_its_tree_is_there() -> None:
    change = _change(GRUB, None)
    assert (change.make, change.remove, dict(change.links)) == (True, (), GRUB)


def test_link_of_another_host_is_removed_before_and_set_after_the_trees() -> None:
    change = _change(GRUB, replace(SETTLED, links={**GRUB, "grub": f"{BOOT}/udoo2"}))
    assert (change.remove, change.links) == (("grub",), (("grub", TREE),))
    assert change.removed == [f"{MAC}/grub"]


def test_link_to_the_same_by_another_path_is_replaced_without_a_gap() -> None:
    change = _change(GRUB, replace(SETTLED, links={"grub": "/srv/old/udoo1", "grub.pxe": "/srv/old/grub.pxe"}))
    assert (change.remove, dict(change.links)) == ((), GRUB)


def test_former_serial_number_shows_the_tree_no_longer() -> None:
    change = _change(PI, ViewState("directory", links={"00000001": TREE, MAC: TREE}))
    assert (change.remove, change.links) == (("00000001",), (("abcd1234", TREE),))


@pytest.mark.parametrize(("before", "after"), [(GRUB, PI), (PI, GRUB)])
def test_change_of_board_removes_all_links_of_the_former(before: dict[str, str], after: dict[str, str]) -> None:
    change = _change(after, ViewState("directory", links=before))
    assert change.remove == tuple(sorted(before))
    assert dict(change.links) == after


def test_leftover_of_a_run_that_died_is_removed() -> None:
    change = _change(GRUB, replace(SETTLED, links={**GRUB, ".diskless-tmp-grub-1": TREE}))
    assert change.remove == (".diskless-tmp-grub-1",)


def test_mode_of_the_directory_is_repaired() -> None:
    change = _change(GRUB, replace(SETTLED, intact=False))
    assert (change.repair, change.remove, change.links) == (True, (), ())


def test_link_of_the_first_release_becomes_a_directory_once_the_tree_is_up_to_date() -> None:
    change = _change(GRUB, ViewState("link", target=TREE))
    assert (change.make, change.converted, dict(change.links)) == (False, True, GRUB)


def test_link_of_the_first_release_to_another_host_is_replaced_at_once() -> None:
    change = _change(GRUB, ViewState("link", target=f"{BOOT}/udoo2"))
    assert (change.make, change.converted, change.removed) == (True, False, [MAC])


def test_what_is_in_the_way_is_reported() -> None:
    assert view_change(MAC, "udoo1", GRUB, ViewState("other")) == (
        ViewChange(MAC, ViewState("other")),
        (f"tftp/{MAC} is in the way of a directory of links; remove it",),
    )
    state = ViewState("directory", links={"grub": None, "grub.pxe": GRUB["grub.pxe"]})
    change, in_the_way = view_change(MAC, "udoo1", GRUB, state)
    assert in_the_way == (f"tftp/{MAC}/grub is in the way of a symbolic link; remove it",)
    assert not change.changed


def test_files_that_others_put_into_a_view_are_left_alone() -> None:
    assert not _change(GRUB, replace(SETTLED, links={**GRUB, "pieeprom.upd": None})).changed


@pytest.mark.parametrize("links", [GRUB, PI])
def test_view_of_a_former_address_is_emptied_but_stays(links: dict[str, str]) -> None:
    change = _emptied(ViewState("directory", links=links), {"udoo1"})
    assert (change.make, change.remove, change.links) == (False, tuple(sorted(links)), ())
    assert not _emptied(ViewState("directory"), {"udoo1"}).changed


def test_link_of_the_first_release_at_a_former_address_becomes_an_empty_directory() -> None:
    change = _emptied(ViewState("link", target=TREE), {"udoo1"})
    assert (change.make, change.links, change.removed) == (True, (), [MAC])


def test_loader_that_a_run_that_died_left_at_a_former_address_is_removed() -> None:
    assert _emptied(ViewState("directory", links={"grub.pxe": GRUB["grub.pxe"]}), set()).remove == ("grub.pxe",)


@pytest.mark.parametrize("state", [SETTLED, ViewState("link", target=TREE)])
def test_stale_host_is_still_served(state: ViewState) -> None:
    assert not _emptied(state, {"udoo2"}).changed


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("pxelinux.cfg", ViewState("directory", links={"default": TREE})),
        ("pxelinux.0", ViewState("link", target=TREE)),
        (MAC, ViewState("directory", links={"boot": "/srv/other/udoo1", "file": None})),
        (MAC, ViewState("link", target="/srv/other/udoo1")),
        (MAC, ViewState("other")),
    ],
)
def test_what_others_made_is_left_alone(name: str, state: ViewState) -> None:
    assert not _emptied(state, {"udoo1"}, name).changed
