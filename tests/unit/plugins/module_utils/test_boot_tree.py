# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that brings boot trees up to date."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree import (
    FileState,
    FleetState,
    Plan,
    TreeState,
    WantedFile,
    WantedTree,
    plan,
)
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_txt import Firmware
from ansible_collections.diskless.ceph.plugins.module_utils._tftp_view import ViewState

LINK_ROOT, LOADER_ROOT = "/run/diskless/boot", "/srv/diskless/loader"
FILES = (WantedFile("grub.cfg", b"config"), WantedFile("host.cpio", b"secret", 0o400, 101))
LINKS = {"grub": f"{LINK_ROOT}/udoo1", "grub.pxe": f"{LOADER_ROOT}/grub.pxe"}
TREE = WantedTree("udoo1", "52:54:00:77:00:11", "udoo_x86", "amd64", "grub", FILES, LINKS)
VIEW = "52-54-00-77-00-11"
DIRECTORY = FileState("directory", 0o755)


def _as_wanted(file: WantedFile) -> FileState:
    return FileState("file", file.mode, file.uid, 0, file.digest)


CURRENT = TreeState(DIRECTORY, {**{file.name: _as_wanted(file) for file in FILES}, "kernel.cfg": FileState("file")})
SETTLED = FleetState(trees={"udoo1": CURRENT}, views={VIEW: ViewState("directory", links=LINKS)})


def _plan(state: FleetState, prune: bool = False) -> Plan:
    return plan(state, [TREE], LINK_ROOT, LOADER_ROOT, prune)


def _with(name: str, file: FileState | None) -> FleetState:
    files = {key: value for key, value in CURRENT.files.items() if key != name}
    return replace(SETTLED, trees={"udoo1": replace(CURRENT, files={**files, **({name: file} if file else {})})})


def test_settled_fleet_needs_nothing() -> None:
    assert _plan(SETTLED) == Plan()
    assert not _plan(SETTLED).changed


def test_new_host_gets_directory_seed_files_and_link() -> None:
    planned = _plan(FleetState(missing_directories=("boot", "tftp")))
    assert planned.changed
    assert planned.make_directories == ("boot", "tftp")
    assert planned.trees[0].summary() == ["directory", "seed", "grub.cfg", "host.cpio"]
    assert [(view.name, view.make, dict(view.links)) for view in planned.views] == [(VIEW, True, LINKS)]


@pytest.mark.parametrize(
    "state",
    [
        None,
        FileState("file", 0o400, 101, 0, "other digest"),
        FileState("file", 0o444, 101, 0, FILES[1].digest),
        FileState("file", 0o400, 0, 0, FILES[1].digest),
        FileState("file", 0o400, 101, 5, FILES[1].digest),
        FileState("other"),
    ],
)
def test_file_that_differs_in_content_mode_owner_or_kind_is_replaced(state: FileState | None) -> None:
    assert [change.summary() for change in _plan(_with("host.cpio", state)).trees] == [["host.cpio"]]


@pytest.mark.parametrize("state", [None, FileState("other")])
def test_tree_without_kernel_cfg_is_seeded_again(state: FileState | None) -> None:
    assert [change.summary() for change in _plan(_with("kernel.cfg", state)).trees] == [["seed"]]


def test_pi_is_seeded_until_kernel_txt_is_there() -> None:
    pi = replace(TREE, loader="pi", firmware=Firmware("cm4", "bcm2711-rpi-cm4.dtb", ("start4.elf",)))
    planned = plan(SETTLED, [pi], LINK_ROOT, LOADER_ROOT, False)
    assert [change.summary() for change in planned.trees] == [["seed"]]
    seeded = _with("kernel.txt", FileState("file"))
    assert plan(seeded, [pi], LINK_ROOT, LOADER_ROOT, False) == Plan()


def test_mode_of_the_directory_is_repaired() -> None:
    state = replace(SETTLED, trees={"udoo1": replace(CURRENT, directory=replace(DIRECTORY, mode=0o700))})
    assert [change.summary() for change in _plan(state).trees] == [["directory"]]


def test_leftovers_of_a_run_that_died_are_a_change() -> None:
    state = replace(SETTLED, trees={"udoo1": replace(CURRENT, leftovers=(".diskless-tmp-x",))})
    assert [change.summary() for change in _plan(state).trees] == [["leftovers"]]
    assert _plan(replace(SETTLED, leftovers=(("tftp", ".diskless-tmp-x"),))).changed


def test_directory_in_place_of_a_file_stops_this_host_only() -> None:
    other = replace(TREE, name="udoo2", mac="52:54:00:77:00:12")
    planned = plan(_with("host.cpio", FileState("directory")), [TREE, other], LINK_ROOT, LOADER_ROOT, False)
    assert planned.problems == (
        "udoo1: host.cpio in its boot tree is a directory, which only the host itself can have made; remove it",
    )
    assert [change.tree.name for change in planned.trees] == ["udoo2"]


def test_directory_in_place_of_kernel_cfg_is_reported() -> None:
    assert _plan(_with("kernel.cfg", FileState("directory"))).problems == (
        "udoo1: kernel.cfg in its boot tree is a directory, which only the host itself can have made; remove it",
    )


def test_tree_that_is_no_directory_is_reported() -> None:
    state = replace(SETTLED, trees={"udoo1": TreeState(FileState("other"))})
    assert _plan(state).problems == ("udoo1: its boot tree is not a directory; remove it",)


def test_something_in_place_of_the_view_is_reported() -> None:
    planned = _plan(replace(SETTLED, views={VIEW: ViewState("other")}))
    assert planned.problems == (f"udoo1: tftp/{VIEW} is in the way of a directory of links; remove it",)
    assert planned.views == ()


def test_view_of_a_former_mac_address_is_emptied() -> None:
    former = "52-54-00-77-00-99"
    planned = _plan(replace(SETTLED, views={**SETTLED.views, former: SETTLED.views[VIEW]}))
    assert [(view.name, view.remove, view.links) for view in planned.views] == [(former, ("grub", "grub.pxe"), ())]


def test_view_of_a_mac_address_that_moved_to_another_host_is_turned_round() -> None:
    links = {**LINKS, "grub": f"{LINK_ROOT}/udoo2"}
    planned = _plan(replace(SETTLED, views={VIEW: ViewState("directory", links=links)}))
    assert [(view.remove, view.links) for view in planned.views] == [(("grub",), (("grub", LINKS["grub"]),))]


STALE = replace(
    SETTLED,
    other_trees={"udoo7": True},
    views={
        **SETTLED.views,
        "52-54-00-77-00-17": ViewState("directory", links={**LINKS, "grub": f"{LINK_ROOT}/udoo7"}),
    },
)


def test_stale_tree_is_only_reported() -> None:
    assert _plan(STALE) == Plan(stale=("udoo7",))


def test_stale_tree_is_removed_and_its_view_emptied_when_asked() -> None:
    planned = _plan(STALE, prune=True)
    assert (planned.stale, planned.prune) == (("udoo7",), ("udoo7",))
    assert [view.removed for view in planned.views] == [["52-54-00-77-00-17/grub", "52-54-00-77-00-17/grub.pxe"]]


def test_directory_without_marker_is_never_removed() -> None:
    assert _plan(replace(SETTLED, other_trees={"backup": False}), prune=True) == Plan(unmarked=("backup",))


def test_secrets_are_not_in_representations() -> None:
    assert "secret" not in repr(_plan(FleetState()))
