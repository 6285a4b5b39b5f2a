# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of users that real clusters listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import generate_key, read_header
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, parse_users
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_description import describe_user

from tests.unit.plugins.module_utils.conftest import RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_users(recorded: Callable[..., Any], release: str) -> None:
    users = {
        name: describe_user(user, int(release), 1000.0)
        for name, user in parse_users(recorded("cephx_auth_ls", release)).items()
    }
    reach = "host" if release == "14" else "network"
    assert users["client.cephx.fencer"] == {
        "name": "client.cephx.fencer",
        "caps": {"mon": "profile rbd network 10.0.0.0/8, allow r", "osd": "profile rbd pool=diskless"},
        "networks": ["10.0.0.0/8"],
        "restricted": False,
        "matches_nobody": [],
        "key_type": "aes",
        "key_created": None,  # recordings hold a key that was never one
        "key_age_seconds": None,
        "can_fence": [{"grant": "profile rbd network 10.0.0.0/8", "reach": reach, "network": "10.0.0.0/8"}],
    }
    nobody = users["client.cephx.nobody"]
    assert (nobody["networks"], nobody["restricted"], nobody["matches_nobody"]) == (["10.0.0.1"], True, ["10.0.0.1"])
    plain = users["client.cephx.plain"]
    assert (plain["caps"], plain["restricted"], plain["can_fence"]) == ({}, False, [])
    fencing = {name for name, user in users.items() if user["can_fence"]}
    assert fencing == {"client.cephx.fencer", "client.admin", "mgr.a", "osd.0", "mds.a"}


def test_age_of_the_key() -> None:
    user = CephxUser("client.a", {}, generate_key("aes256k"))
    created = read_header(user.key).created
    told = describe_user(user, 20, created + 3600.5)
    assert (told["key_type"], told["key_age_seconds"]) == ("aes256k", 3600)
    assert told["key_created"].endswith("Z")
    assert user.key not in str(told)
    assert describe_user(replace(user, key="?"), 20, 0.0)["key_type"] == "unknown"
