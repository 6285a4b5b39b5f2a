# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a boot server knows a host: DHCP, packet filter, NFS and the links for TFTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._boot_server_evidence import (
    NFS_SERVERS,
    Machine,
    configured_exports,
    is_admitted,
    is_exported,
    is_linked,
    nfs_server,
    text_of,
)
from ansible_collections.diskless.ceph.plugins.module_utils._nfs_exports import Export

UDOO1 = Machine("udoo1", "52:54:00:77:00:11", "10.77.0.11")
VIEW = "52-54-00-77-00-11"
DHCP_HOSTS = "52:54:00:77:00:11,10.77.0.11,udoo1\n52:54:00:77:00:12,10.77.0.12,udoo2\n"
GUARD = """\
  set hosts {
    elements = {
      52:54:00:77:00:11 . 10.77.0.11 comment "udoo1",
    }
  }
"""
GANESHA, KERNEL = NFS_SERVERS


def test_host_is_admitted_by_dhcp_and_by_the_packet_filter() -> None:
    assert is_admitted(UDOO1, DHCP_HOSTS, GUARD)


@pytest.mark.parametrize(
    ("dhcp_hosts", "guard"),
    [
        ("", GUARD),
        (DHCP_HOSTS, ""),
        (DHCP_HOSTS.replace("00:11,", "00:99,"), GUARD),  # the board was replaced
        (DHCP_HOSTS.replace(".11,", ".19,"), GUARD),
        (DHCP_HOSTS.replace("udoo1", "udoo11"), GUARD),
        (DHCP_HOSTS, GUARD.replace("10.77.0.11", "10.77.0.119")),
        (DHCP_HOSTS, GUARD.replace("00:11 .", "00:99 .")),
    ],
)
def test_host_that_one_of_them_knows_otherwise_is_not_admitted(dhcp_hosts: str, guard: str) -> None:
    assert not is_admitted(UDOO1, dhcp_hosts, guard)


EXPORT = Export("/srv/diskless/boot/udoo1", "/boot/udoo1", "10.77.0.11")


@pytest.mark.parametrize(
    ("configured", "served", "exported"),
    [
        ({EXPORT}, None, True),
        ({EXPORT}, {"/", EXPORT.path}, True),
        ({EXPORT}, {"/"}, False),  # the server has refused it
        (set(), {EXPORT.path}, False),
        ({EXPORT._replace(client="10.77.0.12")}, None, False),
        ({EXPORT._replace(pseudo="/boot/udoo2")}, None, False),
    ],
)
def test_export_counts_for_its_own_host_and_when_the_server_has_taken_it(
    configured: set[Export], served: set[str] | None, exported: bool
) -> None:
    assert is_exported(UDOO1, configured, served) is exported


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with the directories of a boot server, and the links for one PC."""
    directory = tmp_path / "srv/diskless"
    for name in ("loader", f"tftp/{VIEW}"):
        (directory / name).mkdir(parents=True)
    (tmp_path / "run/diskless/tftp").mkdir(parents=True)
    (directory / "loader/grub.pxe").write_bytes(b"loader")
    (directory / "tftp" / VIEW).chmod(0o755)
    (directory / "tftp" / VIEW / "grub").symlink_to("/run/diskless/boot/udoo1")
    for loader in ("grub.pxe", "shimx64.efi", "grubx64.efi"):
        (directory / "tftp" / VIEW / loader).symlink_to(directory / "loader" / loader)
    (tmp_path / "run/diskless/tftp/10.77.0.11").symlink_to(directory / "tftp" / VIEW)
    return tmp_path


def _linked(root: Path, loader: str = "grub") -> bool:
    names = {"grub": ["grub"], "pi": ["abcd1234", VIEW]}[loader]
    views = dict.fromkeys(names, "/run/diskless/boot/udoo1")
    return is_linked(UDOO1, loader, views, root / "srv/diskless", root)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="what TFTP shows belongs to root")


@needs_root
def test_pc_is_linked(root: Path) -> None:
    assert _linked(root)


@needs_root
def test_pi_is_linked_by_serial_number_and_address(root: Path) -> None:
    view = root / "srv/diskless/tftp" / VIEW
    for link in view.iterdir():
        link.unlink()
    assert not _linked(root, "pi")
    for name in ("abcd1234", VIEW):
        (view / name).symlink_to("/run/diskless/boot/udoo1")
    assert _linked(root, "pi")
    assert not _linked(root)


def _replace(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


@needs_root
@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "run/diskless/tftp/10.77.0.11").unlink(),
        lambda root: _replace(root / "run/diskless/tftp/10.77.0.11", "/srv/diskless/tftp/52-54-00-77-00-12"),
        lambda root: (root / "srv/diskless/tftp" / VIEW).rename(root / "srv/diskless/tftp/other"),
        lambda root: (root / "srv/diskless/tftp" / VIEW).chmod(0o700),
        lambda root: (root / "srv/diskless/tftp" / VIEW / "grub").unlink(),
        lambda root: (root / "srv/diskless/tftp" / VIEW / "shimx64.efi").unlink(),
        lambda root: _replace(root / "srv/diskless/tftp" / VIEW / "grub", "/run/diskless/boot/udoo2"),
        lambda root: (root / "srv/diskless/tftp" / VIEW / "more").symlink_to("/run/diskless/boot/udoo2"),
        lambda root: (root / "srv/diskless/loader/grub.pxe").unlink(),
    ],
    ids=["address", "other view", "no view", "mode", "tree", "loader", "other tree", "more", "loader itself"],
)
def test_pc_that_is_not_shown_all_of_its_own_or_something_else_is_not_linked(
    root: Path, change: Callable[[Path], object]
) -> None:
    change(root)
    assert not _linked(root)


def _write(root: Path, unit: str, text: str, time: int) -> None:
    path = root / NFS_SERVERS[unit]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time, time))


def test_nfs_server_is_the_one_that_was_set_up(tmp_path: Path) -> None:
    assert nfs_server([], tmp_path) is None
    assert nfs_server([KERNEL], tmp_path) is None  # somebody else's
    _write(tmp_path, KERNEL, "/boot/udoo1 10.77.0.11(rw)\n", 100)
    assert nfs_server([GANESHA], tmp_path) == KERNEL
    assert configured_exports(KERNEL, tmp_path) == {Export("/boot/udoo1", "/boot/udoo1", "10.77.0.11")}


def test_of_two_nfs_servers_it_is_the_one_that_runs_or_was_set_up_last(tmp_path: Path) -> None:
    _write(tmp_path, KERNEL, "", 100)
    _write(tmp_path, GANESHA, "", 200)
    assert nfs_server([], tmp_path) == GANESHA
    assert nfs_server([KERNEL], tmp_path) == KERNEL
    assert configured_exports(GANESHA, tmp_path) == set()


def test_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert text_of(tmp_path / "none") == ""
