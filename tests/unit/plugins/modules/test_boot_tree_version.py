# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module boot_tree_version on a real file system, with hosts that play foul in their trees."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_version_files import read_versions
from ansible_collections.diskless.ceph.plugins.modules import boot_tree_version, boot_tree_version_info

OLD = {"kernel.cfg": "set kernel=vmlinuz-1\nset initrd=initrd.img-1\n", "vmlinuz-1": "K1", "initrd.img-1": "I1"}
NEW = {"kernel.cfg": "set kernel=vmlinuz-2\nset initrd=initrd.img-2\n", "vmlinuz-2": "K2", "initrd.img-2": "I2"}
OURS = {"host.cpio": "secret", "grub.cfg": "config", ".diskless": "marker"}


class Failed(Exception):
    """fail_json was called."""


class Module:
    """As much of AnsibleModule as C(run) uses."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode

    def fail_json(self, msg: str) -> None:
        raise Failed(msg)


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The boot tree of udoo1."""
    tree = tmp_path / "boot" / "udoo1"
    tree.mkdir(parents=True)
    put(tree, {**OURS, **OLD})
    return tree


@pytest.fixture
def run(tmp_path: Path, tree: Path) -> Run:
    """Run the module for udoo1 or other hosts."""

    def _run(
        state: str, name: str, *hosts: str, keep_as: str | None = None, check_mode: bool = False
    ) -> dict[str, Any]:
        params = {"root": str(tmp_path), "hosts": list(hosts or ("udoo1",)), "name": name}
        return boot_tree_version.run(Module({**params, "state": state, "keep_as": keep_as}, check_mode))

    return _run


def put(tree: Path, files: dict[str, str]) -> None:
    """Replace files as kernel packages do: a new file gets the name."""
    for name, text in files.items():
        part = tree / f"{name}.new"
        part.write_text(text)
        part.rename(tree / name)


def upgrade(tree: Path) -> None:
    """Bring another kernel, and remove the old one."""
    put(tree, NEW)
    for name in ("vmlinuz-1", "initrd.img-1"):
        (tree / name).unlink()


def content(tree: Path) -> dict[str, str]:
    """The regular files of a directory."""
    return {path.name: path.read_text() for path in tree.iterdir() if path.is_file() and not path.is_symlink()}


def test_host_boots_again_what_it_did_after_the_old_kernel_was_removed(run: Run, tree: Path) -> None:
    checked = run("kept", "before", check_mode=True)
    assert not (tree / "kept").exists()
    assert run("kept", "before") == checked
    assert checked["hosts"] == {"udoo1": {"kernel": "vmlinuz-1", "versions": ["before"]}}
    upgrade(tree)
    checked = run("restored", "before", keep_as="after", check_mode=True)
    assert content(tree) == {**OURS, **NEW}
    assert run("restored", "before", keep_as="after") == checked
    assert checked["hosts"] == {"udoo1": {"kernel": "vmlinuz-1", "versions": ["after", "before"]}}
    # Nothing newer is left: the hook in the host would make the newest kernel the one that boots.
    assert content(tree) == {**OURS, **OLD}
    assert content(tree / "kept" / "after") == NEW
    assert run("restored", "before")["changed"] is False


def test_version_holds_nothing_that_the_playbooks_write_and_no_secret(run: Run, tree: Path) -> None:
    run("kept", "before")
    assert content(tree / "kept" / "before") == OLD


def test_version_does_not_change_with_what_somebody_edits_in_the_tree(run: Run, tree: Path) -> None:
    """In place, and before as after it was restored."""
    run("kept", "before")
    for _time in range(2):
        put(tree, {"vmlinuz-2": "K2", "initrd.img-2": "I2"})
        (tree / "kernel.cfg").write_text(NEW["kernel.cfg"])
        assert content(tree / "kept" / "before") == OLD
        assert run("restored", "before")["hosts"]["udoo1"]["kernel"] == "vmlinuz-1"
        assert content(tree) == {**OURS, **OLD}
        assert run("restored", "before")["changed"] is False


def test_version_that_exists_stays_as_it_is(run: Run, tree: Path) -> None:
    run("kept", "before")
    upgrade(tree)
    assert run("kept", "before")["changed"] is False
    assert content(tree / "kept" / "before") == OLD


def test_restoring_one_of_the_files_that_are_still_there_leaves_no_second_name(run: Run, tree: Path) -> None:
    run("kept", "before")
    put(tree, NEW)
    run("restored", "before")
    assert set(content(tree)) == {*OURS, *OLD}


def test_removed_version_is_gone_and_the_others_stay(run: Run, tree: Path) -> None:
    run("kept", "one")
    run("kept", "two")
    assert run("absent", "one")["hosts"]["udoo1"]["versions"] == ["two"]
    assert not (tree / "kept" / "one").exists()
    assert content(tree) == {**OURS, **OLD}
    assert run("absent", "one")["changed"] is False


def test_version_that_is_not_there_is_named_with_the_nearest(run: Run) -> None:
    run("kept", "before-upgrade")
    with pytest.raises(Failed, match=r"host udoo1: its boot tree has no version before-update; did you mean before-up"):
        run("restored", "before-update")


def test_version_that_does_not_boot_is_not_restored(run: Run, tree: Path) -> None:
    run("kept", "before")
    (tree / "kept" / "before" / "vmlinuz-1").unlink()
    upgrade(tree)
    with pytest.raises(
        Failed, match=r"version before of its boot tree does not boot: kernel\.cfg sets kernel to vmlinuz-1"
    ):
        run("restored", "before")
    assert content(tree) == {**OURS, **NEW}


def test_version_that_the_firmware_of_a_pi_would_not_boot_is_not_restored(run: Run, tree: Path) -> None:
    names = "[cm4]\nkernel=vmlinuz-1\ninitramfs host.cpio,initrd.img-1 followkernel\ndevice_tree=cm4.dtb-1\n"
    put(tree, {"kernel.txt": names, "cm4.dtb-1": "D1"})
    run("kept", "before")
    (tree / "kept" / "before" / "cm4.dtb-1").unlink()
    upgrade(tree)
    with pytest.raises(Failed, match=r"does not boot: kernel\.txt sets device_tree to cm4\.dtb-1, which is not there$"):
        run("restored", "before")
    (tree / "kept" / "before" / "cm4.dtb-1").write_text("D1")
    run("restored", "before")
    assert content(tree) == {**OURS, **OLD, "kernel.txt": names, "cm4.dtb-1": "D1"}


def test_problems_of_all_hosts_are_told_before_anything_changes(run: Run, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "boot" / "udoo2").mkdir()
    with pytest.raises(Failed) as raised:
        run("kept", "x", "udoo1", "udoo2", "udoo3")
    assert str(raised.value) == (
        "No boot tree was changed: host udoo2: its boot tree has no kernel.cfg, so it boots nothing that could be kept;"
        " host udoo3 has no boot tree"
    )
    assert not (tree / "kept").exists()


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "-x", "a" * 101])
def test_name_that_is_no_file_name_is_refused(run: Run, name: str) -> None:
    with pytest.raises(Failed, match="expected up to 100 letters, digits and"):
        run("kept", name or " ")


@pytest.mark.parametrize("host", ["..", "udoo1/kept", ""])
def test_host_that_leads_elsewhere_is_refused(run: Run, host: str) -> None:
    with pytest.raises(Failed, match="is no name of a host"):
        run("kept", "x", host, "udoo1")


def test_link_in_place_of_the_kept_directory_is_not_followed(run: Run, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "before").mkdir(parents=True)
    (tree / "kept").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        run("kept", "before2")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["before"]
    with pytest.raises(Failed, match="no version before"):
        run("restored", "before")


def test_links_and_pipes_of_the_host_are_neither_kept_nor_read(run: Run, tree: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("secret of others")
    (tree / "initrd.img-9").symlink_to(victim)
    os.mkfifo(tree / "vmlinuz-9")
    run("kept", "before")
    assert set(content(tree / "kept" / "before")) == set(OLD)
    (tree / "kernel.cfg").unlink()
    (tree / "kernel.cfg").symlink_to(victim)
    found = read_versions(str(tmp_path), ["udoo1"])["udoo1"]
    assert found is not None
    assert found.current.text("kernel.cfg") == ""
    run("restored", "before")
    assert content(tree) == {**OURS, **OLD}
    assert victim.read_text() == "secret of others"


def test_tree_boots_one_or_the_other_wherever_a_restore_dies(
    run: Run, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("kept", "before")
    upgrade(tree)

    class PowerCut(BaseException):
        """Nothing runs after it."""

    rename, unlink = os.rename, os.unlink
    for limit in range(12):
        calls = 0

        def counted(function: Callable[..., None]) -> Callable[..., None]:
            def call(*args: Any, **kwargs: Any) -> None:
                nonlocal calls
                calls += 1
                if calls > limit:  # noqa: B023 -- used within the round
                    raise PowerCut
                function(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", counted(rename))
            patch.setattr(os, "unlink", counted(unlink))
            try:
                run("restored", "before")
            except PowerCut:
                pass
            else:
                break
        there = content(tree)
        for setting in there["kernel.cfg"].split():
            if "=" in setting:
                assert setting.partition("=")[2] in there, (limit, sorted(there))
    assert limit > 4  # it died at several places
    assert {name: text for name, text in content(tree).items() if not name.startswith(".diskless-tmp")} == {
        **OURS,
        **OLD,
    }


def test_version_that_dies_half_way_has_no_name(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            run("kept", "before")
    assert list((tree / "kept").iterdir()) == []


def test_what_a_power_cut_left_of_a_version_is_removed_with_the_next(run: Run, tree: Path) -> None:
    (tree / "kept" / ".diskless-tmp-before-1").mkdir(parents=True)
    (tree / "kept" / ".diskless-tmp-before-1" / "vmlinuz-1").touch()
    run("kept", "before")
    assert [path.name for path in (tree / "kept").iterdir()] == ["before"]


def test_what_is_kept_is_told(run: Run, tree: Path, tmp_path: Path) -> None:
    run("kept", "before")
    upgrade(tree)
    run("kept", "now")
    found = read_versions(str(tmp_path), ["udoo1", "udoo2"])
    assert found["udoo2"] is None
    assert found["udoo1"] is not None
    assert boot_tree_version_info.described(found["udoo1"]) == {
        "kernel": "vmlinuz-2",
        "files": ["initrd.img-2", "vmlinuz-2", "kernel.cfg"],
        "versions": {
            "before": {
                "kernel": "vmlinuz-1",
                "files": ["initrd.img-1", "vmlinuz-1", "kernel.cfg"],
                "current": False,
            },
            "now": {"kernel": "vmlinuz-2", "files": ["initrd.img-2", "vmlinuz-2", "kernel.cfg"], "current": True},
        },
    }
