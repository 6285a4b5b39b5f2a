# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mds_options_info on real clusters."""

from __future__ import annotations

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleRun

NOT_ON_14 = ["defer_client_eviction_on_laggy_osds", "deny_all_reconnect"]


def test_policy_is_one_structure(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.info("mds_options_info")
    word = "blacklist" if ceph.release == "14" else "blocklist"
    assert (result["release"], result["dialect"], result["mds"]) == (int(ceph.release), word, ["mds.a"])
    assert result["not_in_release"] == (NOT_ON_14 if ceph.release == "14" else [])
    assert result["options"]["session_blocklist_on_evict"] == {
        "option": f"mds_session_{word}_on_evict",
        "default": True,
        "configured": {},
        "left_under_old_name": {},
        "effective": {"mds.a": {"value": True, "source": "default"}},
    }
    assert result["options"]["client_blocklist_duration"]["effective"] == {
        "mon.a": {"value": 3600.0, "source": "default"}
    }
    assert result["drift"] == []


@pytest.mark.full
def test_what_is_configured_is_shown_by_section(module: ModuleRun, ceph: CephCluster) -> None:
    try:
        module("mds_options", reconnect_timeout=90, section="mds.a")
        result = module.info("mds_options_info")
        assert result["options"]["reconnect_timeout"]["configured"] == {"mds.a": 90.0}
        assert result["options"]["reconnect_timeout"]["effective"] == {"mds.a": {"value": 90.0, "source": "mon"}}
        assert result["drift"] == []
    finally:
        ceph.run("ceph", "config", "rm", "mds.a", "mds_reconnect_timeout")
