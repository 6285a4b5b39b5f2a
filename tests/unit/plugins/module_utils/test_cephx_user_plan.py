# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of users."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import Profile
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_plan import (
    KeyTypes,
    UserPlan,
    caps_problems,
    key_type_problems,
    parse_key_types,
    plan_user,
    pool_problems,
    users_diff,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_wanted import WantedUser

CREATED = 1_700_000_000
KEY = base64.b64encode(struct.pack("<HIIH", 1, CREATED, 0, 16) + bytes(16)).decode()
READ = {"mon": "allow r"}
FOUND = CephxUser("client.a", READ, KEY)


def plan(wanted: WantedUser, found: CephxUser | None = FOUND, types: tuple[str, ...] = ("aes",)) -> UserPlan:
    return plan_user(wanted, found, 16, KeyTypes(types), lambda kind: f"new {kind}")


@pytest.mark.parametrize(
    ("wanted", "found", "action"),
    [
        (WantedUser("client.a", caps=READ), None, "created"),
        (WantedUser("client.a", caps={"mon": " allow  r"}), FOUND, "unchanged"),
        (WantedUser("client.a", caps={"mon": "allow rw"}), FOUND, "updated"),
        (WantedUser("client.a", caps={}), FOUND, "updated"),
        (WantedUser("client.a"), FOUND, "unchanged"),
        (WantedUser("client.a", present=False), FOUND, "removed"),
        (WantedUser("client.a", present=False), None, "unchanged"),
        (WantedUser("client.a", rotate=True), FOUND, "rotated"),
        (WantedUser("client.a", rotate=True), None, "created"),
        (WantedUser("client.a", oldest_key=CREATED), FOUND, "unchanged"),
        (WantedUser("client.a", oldest_key=CREATED + 1), FOUND, "rotated"),
        (WantedUser("client.a", profile=Profile("narrow_rbd_read_only", "vms")), FOUND, "updated"),
    ],
)
def test_actions(wanted: WantedUser, found: CephxUser | None, action: str) -> None:
    assert plan(wanted, found).action == action


def test_key_stays_with_new_caps_and_caps_with_a_new_key() -> None:
    updated = plan(WantedUser("client.a", caps={"mon": "allow rw"})).after
    rotated = plan(WantedUser("client.a", rotate=True)).after
    assert updated == CephxUser("client.a", {"mon": "allow rw"}, KEY)
    assert rotated == CephxUser("client.a", READ, "new aes")


def test_caps_that_mean_the_same_are_returned_as_they_stand() -> None:
    after = plan(WantedUser("client.a", caps={"mon": " allow  r"})).after
    assert after is not None
    assert after.caps == READ


def test_new_key_is_of_the_type_that_is_wanted_or_else_preferred() -> None:
    types = ("aes256k", "aes")
    keys = [plan(WantedUser("client.a", key_type=kind), None, types).after for kind in (None, "aes")]
    assert [user and user.key for user in keys] == ["new aes256k", "new aes"]


def test_diff_tells_of_a_new_key_but_not_which() -> None:
    diff = users_diff([plan(WantedUser("client.a", rotate=True)), plan(WantedUser("client.b"), FOUND)])
    assert diff["before"] == {"client.a": {"caps": {"mon": ["allow r"]}, "key": "aes key"}}
    assert diff["after"] == {"client.a": {"caps": {"mon": ["allow r"]}, "key": "new unknown key"}}
    assert KEY not in str(diff)


@pytest.mark.parametrize("release", ["14", "16", "18"])
def test_before_20_there_is_one_type_of_key(recorded: Callable[..., Any], release: str) -> None:
    assert parse_key_types(recorded("cephx_mon_dump", release)) == KeyTypes(("aes",))


def test_types_of_keys_on_20(recorded: Callable[..., Any]) -> None:
    assert parse_key_types(recorded("cephx_mon_dump", "20")) == KeyTypes(("aes", "aes256k"))


def test_type_of_key_that_nobody_could_use() -> None:
    users = [WantedUser("client.a", key_type="aes"), WantedUser("client.b")]
    assert key_type_problems(users, KeyTypes(("aes", "aes256k"))) == []
    assert key_type_problems(users, KeyTypes(("aes256k",))) == [
        "client.a: the cluster does not let in keys of key_type aes, only aes256k; "
        "ceph mon set auth_allowed_ciphers aes,aes256k changes that"
    ]
    assert key_type_problems([WantedUser("client.a", key_type="aes256k")], KeyTypes(("aes",))) == [
        "client.a: the cluster does not let in keys of key_type aes256k, only aes; Ceph 20 is the first that knows more"
    ]


def test_user_without_caps() -> None:
    plans = [plan(WantedUser("client.a", caps={})), plan(WantedUser("client.a"), None), plan(WantedUser("client.a"))]
    assert (
        caps_problems(plans)
        == [
            "client.a: a user without caps can do nothing, and Ceph imports none: give caps or profile, or state=absent"
        ]
        * 2
    )


def test_pool_that_does_not_exist() -> None:
    users = [WantedUser("client.a", profile=Profile("narrow_rbd", "vm")), WantedUser("client.b")]
    assert pool_problems(users, ["vms", "cephfs"]) == ["client.a: pool vm does not exist; did you mean vms?"]
