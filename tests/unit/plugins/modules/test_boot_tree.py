# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module boot_tree on a real file system, with hosts that play foul in their trees."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _boot_tree_files
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree import LOCK
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_files import Busy, locked
from ansible_collections.diskless.ceph.plugins.modules import boot_tree
from ansible_collections.diskless.ceph.plugins.plugin_utils._cpio import Entry, newc

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root")

KEY = "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="
NEW_KEY = "AQBlAAAAAAAAABAAZmVkY2JhOTg3NjU0MzIxMA=="
MAC = "52:54:00:77:00:11"
VIEW = "52-54-00-77-00-11"
TREE = "/run/diskless/boot/udoo1"
SEED = {"kernel.cfg": b"set kernel=vmlinuz-1\nset initrd=initrd.img-1\n", "vmlinuz-1": b"K", "initrd.img-1": b"I"}
KERNEL_TXT = b"kernel=vmlinuz-1\ninitramfs host.cpio,initrd.img-1 followkernel\ndevice_tree=cm4.dtb-1\n"
PI_SEED = {**SEED, "kernel.txt": KERNEL_TXT, "start4.elf": b"F", "fixup4.dat": b"f", "cm4.dtb-1": b"D"}
FIRMWARE = {"model": "cm4", "dtb": "bcm2711-rpi-cm4.dtb", "files": ["start4.elf", "fixup4.dat"]}


class Failed(Exception):
    """fail_json was called."""


class Module:
    """As much of AnsibleModule as C(run) uses."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self._diff = True
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def fail_json(self, msg: str, **result: Any) -> None:
        raise Failed(msg)


def _host(name: str = "udoo1", mac: str = MAC, config: str = "config\n", key: str = KEY) -> dict[str, Any]:
    conf = f"DISKLESS_HOST={name}\n"
    cpio = newc([Entry("etc/diskless/host.conf", 0o600, conf.encode()), Entry("etc/diskless/key", 0o600, key.encode())])
    return {
        "name": name,
        "mac": mac,
        "board": "udoo_x86",
        "arch": "amd64",
        "loader": "grub",
        "files": {"grub.cfg": config},
        "views": ["grub"],
        "host_cpio": base64.b64encode(cpio).decode(),
        "firmware": None,
    }


def _pi(serial: str = "abcd1234", **changes: str) -> dict[str, Any]:
    host = _host(**changes)
    files = {"config.txt": "include kernel.txt\n", "cmdline.txt": "ro\n"}
    views = [serial, host["mac"].replace(":", "-")]
    return {
        **host,
        "board": "cm4",
        "arch": "arm64",
        "loader": "pi",
        "files": files,
        "views": views,
        "firmware": FIRMWARE,
    }


def _archive(path: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def _view(root: Path, name: str = VIEW) -> dict[str, str]:
    """What is in a view, and where it leads."""
    return {path.name: str(path.readlink()) for path in (root / "tftp" / name).iterdir()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A boot server's directory with loader and golden boot archives."""
    (tmp_path / "loader").mkdir()
    (tmp_path / "loader" / "grub.pxe").write_bytes(b"loader")
    _archive(tmp_path / "boot.tar", SEED)
    _archive(tmp_path / "pi.tar", PI_SEED)
    return tmp_path


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(root: Path) -> Run:
    """Run the module for these hosts. The result has its warnings too."""

    def _run(*hosts: dict[str, Any], check_mode: bool = False, **params: Any) -> dict[str, Any]:
        module = Module(
            {
                "root": str(root),
                "link_root": "/run/diskless/boot",
                "tftp_user": "nobody",
                "golden_boot": {"amd64": str(root / "boot.tar"), "arm64": str(root / "pi.tar")},
                "prune": False,
                "reseed": False,
                "rendered": base64.b64encode(zlib.compress(json.dumps(hosts).encode())).decode(),
                **params,
            },
            check_mode,
        )
        answer = boot_tree.run(module)
        return {**answer, "warnings": module.warnings}

    return _run


def _snapshot(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below the root: mode with type, owner, content or target."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_uid,
            str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def test_check_apply_apply_check(run: Run, root: Path) -> None:
    before = _snapshot(root)
    checked = run(_host(), check_mode=True)
    assert _snapshot(root) == before
    applied = run(_host())
    assert applied == checked
    assert applied["hosts"] == [
        {"name": "udoo1", "changes": ["directory", "seed", ".diskless", "grub.cfg", "host.cpio", "links"]}
    ]
    after = _snapshot(root)
    again = run(_host())
    assert (again["changed"], again["hosts"], again["diff"]) == (False, [], [])
    assert run(_host(), check_mode=True) == again
    assert _snapshot(root) == after


def test_tree_has_owners_and_modes_that_keep_the_key_from_others(run: Run, root: Path) -> None:
    run(_host())
    tree = root / "boot" / "udoo1"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tree.iterdir()} == {
        ".diskless": 0o644,
        "grub.cfg": 0o644,
        "host.cpio": 0o400,
        "initrd.img-1": 0o644,
        "kernel.cfg": 0o644,
        "vmlinuz-1": 0o644,
    }
    assert (tree / "host.cpio").owner() == "nobody"


def test_view_of_a_pc_shows_its_tree_as_grub_looks_for_it_and_the_loaders(run: Run, root: Path) -> None:
    run(_host())
    assert _view(root) == {
        "grub": TREE,
        "grub.pxe": f"{root}/loader/grub.pxe",
        "shimx64.efi": f"{root}/loader/shimx64.efi",
        "grubx64.efi": f"{root}/loader/grubx64.efi",
    }
    assert stat.S_IMODE((root / "tftp" / VIEW).stat().st_mode) == 0o755


def test_view_of_a_pi_shows_nothing_but_its_tree_by_serial_number_and_address(run: Run, root: Path) -> None:
    (root / "loader" / "grub.pxe").unlink()
    checked = run(_pi(), check_mode=True)
    assert run(_pi()) == checked
    assert checked["hosts"] == [
        {
            "name": "udoo1",
            "changes": ["directory", "seed", ".diskless", "config.txt", "cmdline.txt", "host.cpio", "links"],
        }
    ]
    assert _view(root) == {"abcd1234": TREE, VIEW: TREE}
    tree = root / "boot" / "udoo1"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tree.iterdir()} == {
        **dict.fromkeys((*PI_SEED, ".diskless", "config.txt", "cmdline.txt"), 0o644),
        "host.cpio": 0o400,
    }
    assert not run(_pi())["changed"]


def test_umask_of_the_run_does_not_hide_a_view_from_the_tftp_user(run: Run, root: Path) -> None:
    before = os.umask(0o077)
    try:
        run(_host())
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / "tftp" / VIEW).stat().st_mode) == 0o755
    (root / "tftp" / VIEW).chmod(0o700)
    assert run(_host())["hosts"] == [{"name": "udoo1", "changes": ["links"]}]
    assert stat.S_IMODE((root / "tftp" / VIEW).stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("change", "removed", "links"),
    [
        (_pi("00000001"), {"abcd1234"}, {"00000001", VIEW}),
        (_host(), {"abcd1234", VIEW}, {"grub", "grub.pxe", "shimx64.efi", "grubx64.efi"}),
    ],
    ids=["serial", "board"],
)
def test_former_serial_number_or_board_loses_its_links(
    run: Run, root: Path, change: dict[str, Any], removed: set[str], links: set[str]
) -> None:
    run(_pi())
    assert run(change, check_mode=True)["removed_links"] == [f"{VIEW}/{name}" for name in sorted(removed)]
    assert set(_view(root)) == {"abcd1234", VIEW}
    run(change)
    assert set(_view(root)) == links
    assert not run(change)["changed"]


def test_tree_of_a_former_host_is_not_shown_while_the_new_one_has_none(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_host(), _host("udoo2", "52:54:00:77:00:12"))
    moved = (_host(mac="52:54:00:77:00:99"), _host("udoo3"))
    replace = _boot_tree_files._replace

    def full(tree: int, wanted: Any, source: Any = None) -> None:
        assert "grub" not in _view(root)
        if wanted.name == "vmlinuz-1":
            raise OSError(28, "No space left on device")
        replace(tree, wanted, source)

    with monkeypatch.context() as patch:
        patch.setattr(_boot_tree_files, "_replace", full)
        with pytest.raises(Failed, match=r"udoo3: \[Errno 28\] No space left"):
            run(*moved)
    assert "grub" not in _view(root)
    run(*moved)
    assert _view(root)["grub"] == "/run/diskless/boot/udoo3"
    assert _view(root, "52-54-00-77-00-99")["grub"] == TREE


def _as_in_the_first_release(root: Path) -> None:
    """Put a link to the tree in place of the view."""
    shutil.rmtree(root / "tftp" / VIEW)
    (root / "tftp" / VIEW).symlink_to(TREE)


def test_link_of_the_first_release_becomes_a_directory(run: Run, root: Path) -> None:
    run(_host())
    wanted = _snapshot(root)
    _as_in_the_first_release(root)
    answer = run(_host())
    assert (answer["hosts"], answer["removed_links"]) == ([{"name": "udoo1", "changes": ["links"]}], [])
    assert answer["diff"][0]["before"] == f"link to {TREE}\n"
    assert _snapshot(root) == wanted


def test_machine_is_shown_the_old_tree_or_nothing_but_never_everything_when_a_run_dies(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_host())
    (root / "tftp" / "52-54-00-77-00-99").symlink_to(TREE)

    def fail(*args: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(_boot_tree_files, "finish", fail)
        with pytest.raises(OSError, match="Input/output error"):
            run(_host("udoo2", "52:54:00:77:00:12"), _pi())
    assert [_view(root, path.name) for path in (root / "tftp").iterdir()] == [{}, {}, {}]


def test_directory_that_cannot_be_made_leaves_the_link_of_the_first_release(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_host())
    _as_in_the_first_release(root)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fchmod", fail)
        with pytest.raises(OSError, match="No space left"):
            run(_host())
    assert [path.name for path in (root / "tftp").iterdir()] == [VIEW]
    assert str((root / "tftp" / VIEW).readlink()) == TREE


def test_diff_shows_where_a_view_leads(run: Run, root: Path) -> None:
    run(_pi())
    diff = run(_pi("00000001"))["diff"]
    header = f"{root}/tftp/{VIEW}"
    assert diff == [
        {
            "before_header": header,
            "after_header": header,
            "before": f"directory\n{VIEW} -> {TREE}\nabcd1234 -> {TREE}\n",
            "after": f"directory\n00000001 -> {TREE}\n{VIEW} -> {TREE}\n",
        }
    ]


@pytest.mark.parametrize("missing", ["start4.elf", "fixup4.dat", "kernel.txt", "cm4.dtb-1"])
def test_golden_image_that_does_not_boot_a_pi_is_refused_before_anything_changes(
    run: Run, root: Path, missing: str
) -> None:
    _archive(root / "pi.tar", {name: data for name, data in PI_SEED.items() if name != missing})
    before = _snapshot(root)
    with pytest.raises(Failed) as raised:
        run(_host("udoo2", "52:54:00:77:00:12"), _pi(), _pi("00000002", name="udoo3", mac="52:54:00:77:00:13"))
    problem = (
        "kernel.txt sets device_tree to cm4.dtb-1, which is not there" if missing == "cm4.dtb-1" else f"no {missing}"
    )
    assert str(raised.value) == (
        "Boot trees cannot be brought up to date:"
        f" golden boot archive {root}/pi.tar does not boot board cm4 (udoo1, udoo3): {problem};"
        " build the golden image anew, with the package raspi-firmware in it"
    )
    assert _snapshot(root) == before


def test_kernel_of_the_host_is_its_own_after_the_first_run(run: Run, root: Path) -> None:
    run(_host())
    kernel_config = root / "boot" / "udoo1" / "kernel.cfg"
    kernel_config.write_text("set kernel=vmlinuz-2\n")
    assert not run(_host())["changed"]
    assert kernel_config.read_text() == "set kernel=vmlinuz-2\n"


def test_diff_shows_settings_but_never_a_key(run: Run) -> None:
    first = run(_host())
    second = run(_host(config="other\n", key=NEW_KEY))
    assert [entry["after_header"].rpartition("/")[2] for entry in second["diff"]] == ["grub.cfg", "host.cpio"]
    config, cpio = second["diff"]
    assert (config["before"], config["after"]) == ("config\n", "other\n")
    assert cpio["before"].startswith("DISKLESS_HOST=udoo1\nsha256 ")
    assert cpio["after"].startswith("DISKLESS_HOST=udoo1\nsha256 ")
    assert cpio["before"] != cpio["after"]
    for key in (KEY, NEW_KEY):
        assert key not in json.dumps([first, second])


def test_diff_hides_a_key_that_a_host_has_put_in_the_wrong_place(run: Run, root: Path) -> None:
    run(_host())
    (root / "boot" / "udoo1" / "grub.cfg").write_text(f"# {KEY}\n")
    conf = f"{KEY}\nDISKLESS_HOST={KEY}\n".encode()
    (root / "boot" / "udoo1" / "host.cpio").write_bytes(newc([Entry("etc/diskless/host.conf", 0o600, conf)]))
    diff = run(_host())["diff"]
    assert KEY not in json.dumps(diff)
    assert diff[1]["before"].startswith("DISKLESS_HOST=(key)\n")


def test_links_and_devices_in_place_of_files_are_replaced_not_followed(run: Run, root: Path) -> None:
    run(_host())
    wanted = _snapshot(root)
    victim = root.parent / f"{root.name}-victim"
    victim.write_text("untouched")
    victim.chmod(0o640)
    tree = root / "boot" / "udoo1"
    for path in tree.iterdir():
        path.unlink()
    (tree / "host.cpio").symlink_to(victim)
    (tree / "grub.cfg").symlink_to("/dev/zero")
    (tree / "kernel.cfg").symlink_to(victim)
    os.mkfifo(tree / ".diskless")
    assert run(_host())["hosts"] == [{"name": "udoo1", "changes": ["seed", ".diskless", "grub.cfg", "host.cpio"]}]
    assert _snapshot(root) == wanted
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode), victim.stat().st_uid) == ("untouched", 0o640, 0)


def test_directory_in_place_of_a_file_stops_its_host_only(run: Run, root: Path) -> None:
    run(_host())
    (root / "boot" / "udoo1" / "host.cpio").unlink()
    (root / "boot" / "udoo1" / "host.cpio").mkdir()
    with pytest.raises(Failed, match=r"udoo1: host\.cpio in its boot tree is a directory"):
        run(_host(), _host("udoo2", "52:54:00:77:00:12"))
    assert (root / "boot" / "udoo2" / "host.cpio").is_file()


def test_large_file_in_place_of_a_small_one_is_not_read_to_its_end(run: Run, root: Path) -> None:
    run(_host())
    os.truncate(root / "boot" / "udoo1" / "grub.cfg", 1024**4)
    assert run(_host())["hosts"] == [{"name": "udoo1", "changes": ["grub.cfg"]}]


def test_run_that_dies_leaves_the_old_tree_and_the_next_run_cleans_up(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_host())
    before = _snapshot(root)

    class PowerCut(BaseException):
        """Nothing runs after it, not even the removal of the temporary file."""

    def rename(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(os, "unlink", rename)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        with pytest.raises(PowerCut):
            run(_host(config="other\n"))
    monkeypatch.undo()
    after = _snapshot(root)
    leftovers = set(after) - set(before)
    assert len(leftovers) == 1
    assert {path: entry for path, entry in after.items() if path not in leftovers} == before
    assert run(_host())["hosts"] == [{"name": "udoo1", "changes": ["leftovers"]}]
    assert _snapshot(root) == before


def test_seed_that_stops_half_way_is_done_again(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = _boot_tree_files._replace

    def full(tree: int, wanted: Any, source: Any = None) -> None:
        if wanted.name == "vmlinuz-1":
            raise OSError(28, "No space left on device")
        replace(tree, wanted, source)

    with monkeypatch.context() as patch:
        patch.setattr(_boot_tree_files, "_replace", full)
        with pytest.raises(Failed, match=r"udoo1: \[Errno 28\] No space left on device"):
            run(_host())
    assert not (root / "boot" / "udoo1" / "kernel.cfg").exists()
    assert _view(root) == {}
    assert run(_host())["hosts"][0]["changes"] == ["seed", ".diskless", "grub.cfg", "host.cpio", "links"]


def test_view_of_a_former_mac_address_is_emptied_but_stays(run: Run, root: Path) -> None:
    run(_host())
    removed = [f"{VIEW}/{name}" for name in sorted(_view(root))]
    changed = _host(mac="52:54:00:77:00:99")
    assert run(changed)["removed_links"] == removed
    assert _view(root) == {}
    assert _view(root, "52-54-00-77-00-99")["grub"] == TREE
    assert not run(changed)["changed"]


def test_stale_tree_is_reported_then_removed_when_asked(run: Run, root: Path) -> None:
    run(_host(), _host("udoo2", "52:54:00:77:00:12"))
    victim = root.parent / f"{root.name}-victim"
    victim.mkdir()
    (victim / "file").touch()
    (root / "boot" / "udoo2" / "escape").symlink_to(victim)
    reported = run(_host())
    assert (reported["changed"], reported["stale"], reported["pruned"]) == (False, ["udoo2"], [])
    assert "stale boot trees of hosts that are not in the inventory: udoo2" in reported["warnings"][0]
    assert run(_host(), prune=True)["pruned"] == ["udoo2"]
    assert [path.name for path in (root / "boot").iterdir()] == ["udoo1"]
    assert _view(root, "52-54-00-77-00-12") == {}
    assert _view(root)["grub"] == TREE
    assert not run(_host(), prune=True)["changed"]
    assert (victim / "file").exists()


def test_directory_without_marker_is_left_alone_with_a_warning(run: Run, root: Path) -> None:
    run(_host())
    (root / "boot" / "backup").mkdir()
    answer = run(_host(), prune=True)
    assert not answer["changed"]
    assert "backup belongs to no diskless host and has no marker .diskless; it is left alone" in answer["warnings"][0]
    assert (root / "boot" / "backup").is_dir()


def test_all_that_is_lacking_is_named_before_anything_changes(run: Run, root: Path) -> None:
    (root / "loader" / "grub.pxe").unlink()
    (root / "boot.tar").unlink()
    before = _snapshot(root)
    with pytest.raises(Failed) as raised:
        run(_host(), tftp_user="nosuchuser")
    assert str(raised.value) == (
        "Boot trees cannot be brought up to date:"
        " user nosuchuser (tftp_user) does not exist;"
        f" loader {root}/loader/grub.pxe does not exist; the role diskless.ceph.boot_server builds it;"
        f" golden boot archive {root}/boot.tar for amd64 does not exist"
    )
    assert _snapshot(root) == before


def test_check_mode_assumes_what_earlier_tasks_would_have_made(run: Run, root: Path) -> None:
    (root / "boot.tar").unlink()
    answer = run(_host(), check_mode=True, tftp_user="nosuchuser")
    assert answer["changed"]
    assert answer["warnings"] == [
        "user nosuchuser (tftp_user) does not exist; check mode assumes that an earlier task makes it",
        f"golden boot archive {root}/boot.tar for amd64 does not exist;"
        " check mode assumes that an earlier task makes it",
    ]


@pytest.mark.parametrize("golden_boot", [{}, {"arm64": "/boot.tar"}])
def test_missing_architecture_is_named(run: Run, golden_boot: dict[str, str]) -> None:
    with pytest.raises(Failed, match=r"golden_boot has no boot\.tar for amd64, from which to seed new boot trees"):
        run(_host(), golden_boot=golden_boot)


@pytest.mark.parametrize("check_mode", [False, True])
def test_second_run_at_the_same_time_is_refused(root: Path, check_mode: bool) -> None:
    (root / "boot").mkdir()
    with (
        locked(str(root), check_mode=False),
        pytest.raises(Busy, match="another run is at work on the boot trees"),
        locked(str(root), check_mode),
    ):
        pytest.fail("locked twice")


def test_lock_is_on_a_file_that_check_mode_does_not_make(root: Path) -> None:
    """ceph-fuse tells other machines of the locks on files, not of those on directories."""
    (root / "boot").mkdir()
    with locked(str(root), check_mode=True):
        assert list((root / "boot").iterdir()) == []
    with locked(str(root), check_mode=False), (root / "boot" / LOCK).open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_first_run_has_nothing_to_lock(root: Path) -> None:
    with locked(str(root), check_mode=False):
        assert not (root / "boot").exists()


def test_reseeded_tree_boots_the_golden_image_and_nothing_newer_that_the_host_had(run: Run, root: Path) -> None:
    """The hook in the host boots the newest kernel that it finds: one without modules in the new root must not stay."""
    run(_host(), _host("udoo2", "52:54:00:77:00:12"))
    fresh = _snapshot(root)
    victim = root.parent / f"{root.name}-victim"
    victim.write_text("untouched")
    for name in ("udoo1", "udoo2"):
        tree = root / "boot" / name
        (tree / "kernel.cfg").write_text("set kernel=vmlinuz-2\nset initrd=initrd.img-2\n")
        for file in ("vmlinuz-2", "initrd.img-2", "vmlinuz-1"):
            (tree / file).write_text("of the host")
        (tree / "escape").symlink_to(victim)
    other = _snapshot(root / "boot" / "udoo2")
    (root / "boot" / "udoo1" / "kept").mkdir()
    (root / "boot" / "udoo1" / "kept" / "vmlinuz-2").write_text("kept")

    checked = run(_host(), reseed=True, check_mode=True)
    assert run(_host(), reseed=True) == checked
    assert checked["hosts"] == [{"name": "udoo1", "changes": ["seed"]}]
    assert checked["warnings"] == []
    assert _snapshot(root / "boot" / "udoo2") == other
    shutil.rmtree(root / "boot" / "udoo1" / "kept")
    here = {path: state for path, state in fresh.items() if path.startswith("boot/udoo1/")}
    assert {path: state for path, state in _snapshot(root).items() if path.startswith("boot/udoo1/")} == here
    assert victim.read_text() == "untouched"


def test_reseeding_that_dies_before_its_end_has_removed_nothing(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(_host())
    tree = root / "boot" / "udoo1"
    (tree / "vmlinuz-2").write_text("of the host")
    (tree / "kernel.cfg").write_text("set kernel=vmlinuz-2\nset initrd=initrd.img-1\n")
    replace = _boot_tree_files._replace

    def full(directory: int, wanted: Any, source: Any = None) -> None:
        if wanted.name == "vmlinuz-1":
            raise OSError(28, "No space left on device")
        replace(directory, wanted, source)

    with monkeypatch.context() as patch:
        patch.setattr(_boot_tree_files, "_replace", full)
        with pytest.raises(Failed, match=r"udoo1: \[Errno 28\] No space left on device"):
            run(_host(), reseed=True)
    assert (tree / "vmlinuz-2").read_text() == "of the host"
    assert (tree / "kernel.cfg").read_text().startswith("set kernel=vmlinuz-2\n")


def _remove(root: Path, *names: str, check_mode: bool = False) -> dict[str, Any]:
    params = {"root": str(root), "link_root": "/run/diskless/boot", "rendered": json.dumps(names)}
    return boot_tree.remove(Module(params, check_mode))


def test_tree_of_a_retired_host_goes_and_all_others_stay(run: Run, root: Path) -> None:
    run(_host(), _host("udoo2", "52:54:00:77:00:12"), _host("udoo3", "52:54:00:77:00:13"))
    before = _snapshot(root)
    checked = _remove(root, "udoo2", check_mode=True)
    assert _snapshot(root) == before
    assert _remove(root, "udoo2") == checked
    assert checked["pruned"] == ["udoo2"]
    view = "52-54-00-77-00-12"
    assert checked["removed_links"] == [f"{view}/{name}" for name in ("grub", "grub.pxe", "grubx64.efi", "shimx64.efi")]
    # The empty view stays: to an address without one dnsmasq would show those of all.
    gone = {
        f"boot/udoo2{path}" for path in ("", *(f"/{name}" for name in (*SEED, ".diskless", "grub.cfg", "host.cpio")))
    }
    gone |= {f"tftp/{link}" for link in checked["removed_links"]}
    assert set(before) - set(_snapshot(root)) == gone
    assert _view(root, view) == {}
    again = _remove(root, "udoo2")
    assert (again["changed"], again["pruned"]) == (False, [])


def test_tree_that_the_collection_has_not_made_is_not_removed(run: Run, root: Path) -> None:
    run(_host(), _host("udoo2", "52:54:00:77:00:12"))
    (root / "boot" / "backup").mkdir()
    before = _snapshot(root)
    with pytest.raises(Failed, match=r"No boot tree was removed: backup: its boot tree has no marker \.diskless"):
        _remove(root, "backup", "udoo2")
    assert _snapshot(root) == before


def test_name_that_leads_out_of_the_trees_removes_nothing(run: Run, root: Path) -> None:
    run(_host())
    before = _snapshot(root)
    for name in ("..", ".", "../loader", "", "udoo1/../udoo1"):
        assert _remove(root, name)["changed"] is False
    assert _snapshot(root) == before
