# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab remembers, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.state import Directory, Host, State, checked_name, load, lock_path, locked, save


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("DISKLESS_LAB_STATE", str(tmp_path / "labs"))
    return Directory("lab")


@pytest.mark.parametrize("name", ["", "Lab", "-lab", "a/b", "..", "1a", "a" * 31, "a_b", "a\n"])
def test_names_that_could_be_a_path_or_no_host_name_are_refused(name: str) -> None:
    with pytest.raises(LabError, match=r"^lab name .*: expected at most 30 of a-z, 0-9 and '-'"):
        checked_name("lab", name)


def test_hosts_get_the_lowest_free_number_and_keep_it() -> None:
    state = State().with_host("a", "bios").with_host("b", "cm4").with_host("a", "bios")
    assert state.hosts == {"a": Host(11, "bios"), "b": Host(12, "cm4")}
    assert State(hosts={"b": Host(12)}).with_host("c", "uefi").hosts == {"b": Host(12), "c": Host(11, "uefi")}


def test_host_does_not_become_another_machine() -> None:
    with pytest.raises(LabError, match=r"^host a is of kind bios, not cm4$"):
        State().with_host("a", "bios").with_host("a", "cm4")


def test_full_lab_takes_no_more_hosts() -> None:
    state = State(hosts={f"h{number}": Host(number) for number in range(11, 100)})
    with pytest.raises(LabError, match=r"^host one-more: the lab is full \(89 hosts\)$"):
        state.with_host("one-more", "bios")


def test_state_comes_back_as_it_was(directory: Directory) -> None:
    assert load(directory) is None
    state = State("18", "memstore", {"a": Host(11, "cm4")}, router=True, boot_servers=2)
    save(directory, state)
    assert load(directory) == state


def test_broken_state_names_the_file_and_the_way_out(directory: Directory) -> None:
    save(directory, State())
    (directory.path / "state.json").write_text("{")
    with pytest.raises(LabError, match=r"state\.json: .*'lab down' removes it"):
        load(directory)


def test_last_lab_removes_the_parent_too(directory: Directory) -> None:
    save(directory, State())
    save(Directory("other"), State())
    directory.remove()
    assert not directory.path.exists()
    assert directory.path.parent.exists()
    Directory("other").remove()
    assert not directory.path.parent.exists()
    directory.remove()


def test_lock_is_exclusive(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    second = locked(path, "lab lab", timeout=0.1)
    with locked(path, "lab lab"), pytest.raises(LabError, match=r"^lab lab: another command has held"), second:
        pass


def test_lock_whose_file_was_deleted_by_its_holder_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, "lab lab"):
        path.unlink()
        with locked(path, "lab lab", timeout=0.1):
            assert path.exists()


def test_labs_have_locks_of_their_own() -> None:
    assert lock_path("a") != lock_path("b")
