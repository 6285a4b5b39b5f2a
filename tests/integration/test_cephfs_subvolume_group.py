# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephfs_subvolume_group on a real cluster."""

from __future__ import annotations

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun


def test_directory_is_made(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.converge("cephfs_subvolume_group", file_system="cephfs", name="trees")
    assert result["path"] == "/volumes/trees"
    assert {"name": "trees"} in ceph.ceph("fs", "subvolumegroup", "ls", "cephfs")


def test_unknown_file_system_is_named_with_those_that_exist(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match="CephFS file system cpehfs does not exist; the cluster has cephfs"):
        module("cephfs_subvolume_group", file_system="cpehfs", name="trees")
