# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CephFS mounts in mountinfo."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import parse_mountinfo

from .cephfs_fixture import FSID, mounts


def test_older_syntax() -> None:
    (mount,) = mounts("5.10/healthy")
    assert (mount.path, mount.device, mount.root, mount.read_only) == ("/srv/web", "0:46", "/", False)
    assert (mount.source, mount.directory, mount.user) == ("10.77.0.2:6789:/web", "/web", "web1")
    assert (mount.fsid, mount.file_system, mount.monitors) == (None, None, frozenset({"10.77.0.2:6789"}))
    assert (mount.recover_session, mount.fsc, mount.option("wsize"), mount.option("acl")) == (
        False,
        False,
        "16777216",
        "",
    )


def test_newer_syntax_and_a_bind_mount_of_the_same_superblock() -> None:
    whole, part = mounts("6.1/stuck")
    assert (whole.fsid, whole.file_system, whole.directory, whole.user) == (FSID, "cephfs", "/data", "web1")
    assert (whole.monitors, whole.recover_session, whole.fsc) == (frozenset({"10.77.0.2:3300"}), True, True)
    assert (part.device, part.root, part.path) == (whole.device, "/logs", "/var/log/shared")


def test_blank_in_a_path_and_several_monitors_and_optional_fields() -> None:
    line = (
        "91 27 0:52 / /srv/with\\040blank ro,relatime shared:31 master:2 - ceph 10.0.0.1:6789,[fd00::2]:6789:/a\\040b "
        "rw,name=pi3,secret=<hidden>,mds_namespace=second"
    )
    (mount,) = parse_mountinfo(line)
    assert (mount.path, mount.directory, mount.read_only) == ("/srv/with blank", "/a b", True)
    assert mount.monitors == frozenset({"10.0.0.1:6789", "[fd00::2]:6789"})
    assert mount.file_system == "second"


def test_root_of_the_default_file_system_without_a_path() -> None:
    (mount,) = parse_mountinfo("91 27 0:52 / /mnt rw - ceph 10.0.0.1:/ rw,name=pi3")
    assert mount.directory == "/"


def test_other_file_systems_are_left_out() -> None:
    assert (
        parse_mountinfo("27 1 253:0 / / rw shared:1 - ext4 /dev/ceph rw\n30 1 0:9 / /f rw - fuse.ceph-fuse x rw\n")
        == []
    )
