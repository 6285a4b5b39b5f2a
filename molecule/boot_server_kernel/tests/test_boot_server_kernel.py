# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's NFS server, as its own programs read its configuration; and itself where this kernel has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from testinfra.host import Host

served = pytest.mark.skipif(
    "\tnfsd\n" not in Path("/proc/filesystems").read_text(encoding="ascii"), reason="this kernel has no NFS server"
)


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("exports", "rootdir", "/srv/diskless"),
        ("nfsd", "host", "10.77.0.3"),
        ("nfsd", "vers3", "n"),
        ("nfsd", "lease-time", "10"),
        ("nfsd", "grace-time", "15"),
    ],
)
def test_settings_are_read(host: Host, section: str, option: str, value: str) -> None:
    assert host.check_output(f"nfsconf --get {section} {option}") == value


def test_exports_are_accepted(host: Host) -> None:
    """A word that exportfs does not know, or a directory that is not there, is a message."""
    assert host.run("exportfs -ra").stderr == ""


def test_every_host_has_an_export_of_its_own(host: Host) -> None:
    exports = [line.split(maxsplit=1) for line in host.check_output("exportfs -s").splitlines()]
    clients = {path: options.partition("(")[0] for path, options in exports}
    assert clients == {"/boot/udoo1": "10.77.0.11", "/boot/udoo2": "10.77.0.12"}
    for _, options in exports:
        words = set(options.partition("(")[2].rstrip(")").split(","))
        assert words >= {"rw", "sync", "no_root_squash", "sec=sys"}
        # subtree_check, which is what exportfs does not mention.
        assert "no_subtree_check" not in words


def test_exports_lie_below_the_boot_servers_directory(host: Host) -> None:
    """Hosts mount /boot/NAME. It is not taken for a directory of that name on this machine."""
    assert not host.file("/boot/udoo1").exists
    missing = "/etc/exports.d/missing.exports"
    try:
        host.check_output(f"echo '/boot/udoo9 10.77.0.19(ro,subtree_check)' > {missing}")
        assert "/srv/diskless/boot/udoo9: No such file" in host.run("exportfs -ra").stderr
    finally:
        host.check_output(f"rm {missing} && exportfs -ra")


def test_unit_is_started_at_boot(host: Host) -> None:
    assert host.service("nfs-server.service").is_enabled


@served
def test_host_reads_its_own_tree(host: Host) -> None:
    handle = host.check_output("ip netns exec udoo1 nfs.py handle /boot/udoo1/host.cpio")
    assert host.check_output(f"ip netns exec udoo1 nfs.py read {handle}").strip() == "key of udoo1"


@served
def test_host_does_not_see_the_tree_of_another(host: Host) -> None:
    assert host.check_output("ip netns exec udoo1 nfs.py handle /boot/udoo2/host.cpio").startswith("error:")
