# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Ceph a kernel has mounted and mapped."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import (
    Device,
    Mount,
    parse_devices,
    parse_mounts,
)

FSID = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11"
MOUNTS = f"""\
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
/dev/rbd0p2 / ext4 rw,relatime,stripe=16 0 0
/dev/rbd1 /srv/with\\040blank xfs rw,relatime 0 0
10.0.0.1:6789,[fd00::2]:6789:/home /home ceph rw,relatime,name=pi3,secret=<hidden>,acl 0 0
pi3@{FSID}.cephfs=/ /mnt ceph rw,relatime,name=pi3,secret=<hidden>,acl,mon_addr=10.0.0.1:3300/10.0.0.2:3300 0 0
ceph-fuse /fuse fuse.ceph-fuse rw,nosuid,nodev,relatime,user_id=0,group_id=0,allow_other 0 0
"""


def test_both_syntaxes_of_a_cephfs_mount() -> None:
    assert parse_mounts(MOUNTS) == [
        Mount("/home", None, frozenset({"10.0.0.1:6789", "[fd00::2]:6789"})),
        Mount("/mnt", FSID, frozenset({"10.0.0.1:3300", "10.0.0.2:3300"})),
    ]


def test_devices_know_their_image_and_what_is_mounted_of_them() -> None:
    attributes = {
        "rbd0": {"pool": "diskless", "pool_ns": "pi3", "name": "root", "cluster_fsid": FSID, "client_id": "client4137"},
        "rbd1": {"pool": "data", "pool_ns": "", "name": "srv"},
    }
    assert parse_devices(attributes, MOUNTS) == [
        Device("rbd0", "diskless/pi3/root", FSID, "4137", ("/",)),
        Device("rbd1", "data/srv", None, None, ("/srv/with blank",)),
    ]


def test_nothing_mounted_and_nothing_mapped() -> None:
    assert parse_mounts("") == []
    assert parse_devices({}, "") == []
