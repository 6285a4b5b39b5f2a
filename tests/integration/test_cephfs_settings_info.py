# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephfs_settings_info on real clusters."""

from __future__ import annotations

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun


def test_settings_and_ranks_are_returned(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.info("cephfs_settings_info")
    assert result["release"] == int(ceph.release)
    (found,) = result["file_systems"]
    mdsmap = ceph.ceph("fs", "get", "cephfs")["mdsmap"]
    assert found["ranks"] == [{"rank": 0, "mds": "a", "state": "up:active"}]
    for name in ("session_timeout", "session_autoclose", "max_mds", "max_file_size", "standby_count_wanted"):
        assert found[name] == mdsmap[name]
    assert ("required_client_features" in found) == (ceph.release != "14")
    assert module.info("cephfs_settings_info", file_systems=["cephfs"])["file_systems"] == [found]


def test_file_system_that_does_not_exist(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match="file system cephfs2 does not exist; did you mean cephfs"):
        module("cephfs_settings_info", file_systems=["cephfs2"])
