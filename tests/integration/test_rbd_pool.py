# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_pool on a real cluster."""

from __future__ import annotations

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun


def test_pool_is_created_for_rbd(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.converge("rbd_pool", name="new")
    assert result["applications"] == ["rbd"]
    assert ceph.ceph("osd", "pool", "application", "get", "new") == {"rbd": {}}
    assert ceph.rbd("ls", "new") == []


def test_pool_of_a_file_system_is_refused(module: ModuleRun, ceph: CephCluster) -> None:
    with pytest.raises(ModuleFailed, match="pool cephfs_data is used by cephfs: choose another pool for RBD images"):
        module("rbd_pool", name="cephfs_data")
    assert list(ceph.ceph("osd", "pool", "application", "get", "cephfs_data")) == ["cephfs"]


def test_wrong_key_is_not_taken_for_an_empty_cluster(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match=r"the cluster refuses client\.admin: no key, a wrong key, or no such user"):
        module("rbd_pool", name="new", ceph_keyring="/nonexistent")
