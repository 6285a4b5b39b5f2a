# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps a superblock alive."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_holders import MOST, Holder, find_holders
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import parse_mountinfo

MOUNTS = parse_mountinfo(
    "61 27 0:46 / /srv/web rw - ceph 10.0.0.1:/web rw,name=a\n"
    "62 61 0:47 / /srv/web/inner rw - ceph 10.0.0.1:/inner rw,name=a\n"
)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/mnt").symlink_to("mnt:[1]")
    return tmp_path


def process(proc: Path, pid: int, cwd: str = "/", files: tuple[str, ...] = ()) -> Path:
    directory = proc / str(pid)
    (directory / "ns").mkdir(parents=True)
    (directory / "ns/mnt").symlink_to("mnt:[1]")
    (directory / "fd").mkdir()
    for number, file in enumerate(files):
        (directory / "fd" / str(number)).symlink_to(file)
    (directory / "cwd").symlink_to(cwd)
    (directory / "root").symlink_to("/")
    (directory / "comm").write_text(f"p{pid}\n", encoding="ascii")
    return directory


def elsewhere(proc: Path, pid: int, namespace: int, mountinfo: str) -> None:
    directory = process(proc, pid)
    (directory / "ns/mnt").unlink()
    (directory / "ns/mnt").symlink_to(f"mnt:[{namespace}]")
    (directory / "mountinfo").write_text(mountinfo, encoding="ascii")


def test_open_files_and_working_directories(proc: Path) -> None:
    process(proc, 10, files=("/dev/null", "/srv/web/log", "socket:[7]"))
    process(proc, 11, cwd="/srv/web", files=("/srv/web/log",))
    process(proc, 12, files=("/srv/website/log", "/srv/web2"))
    process(proc, 9, files=("/srv/web/inner/x",))
    assert find_holders(MOUNTS, str(proc)) == {
        "0:46": [Holder(10, "p10", "file"), Holder(11, "p11", "directory")],
        "0:47": [Holder(9, "p9", "file")],
    }


def test_other_mount_namespace_counts_once_by_its_first_process(proc: Path) -> None:
    mounted = "900 800 0:46 / /data rw - ceph 10.0.0.1:/web rw,name=a\n"
    elsewhere(proc, 20, 2, mounted)
    elsewhere(proc, 21, 2, mounted)
    elsewhere(proc, 22, 3, "900 800 0:99 / /data rw - ceph 10.0.0.1:/web rw,name=a\n")
    assert find_holders(MOUNTS, str(proc)) == {"0:46": [Holder(20, "p20", "mount_namespace")], "0:47": []}


def test_process_that_has_ended_meanwhile_and_too_many(proc: Path) -> None:
    (proc / "5").mkdir()
    for pid in range(100, 100 + MOST + 5):
        process(proc, pid, cwd="/srv/web")
    assert len(find_holders(MOUNTS, str(proc))["0:46"]) == MOST
