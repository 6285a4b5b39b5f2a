# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From module options to wanted users."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import Profile
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_wanted import (
    WantedUser,
    caps_for,
    own_user,
    wanted_users,
)

NOW = 1_795_000_000.0
ITEM = dict.fromkeys(
    ("caps", "profile", "pool", "namespace", "network", "state", "key_type", "key_max_age", "key_not_before", "rotate")
)
NOTHING = {**ITEM, "name": None, "users": None, "state": "present", "rotate": "when_due"}


def one(**options: Any) -> WantedUser:
    wanted = wanted_users({**NOTHING, "name": "client.a", **options}, NOW)
    assert wanted.problems == ()
    return wanted.users[0]


def problems(**options: Any) -> list[str]:
    return list(wanted_users({**NOTHING, **options}, NOW).problems)


def test_single_user() -> None:
    assert one() == WantedUser("client.a")
    assert one(caps={"mon": "allow r ", "osd": ""}).caps == {"mon": "allow r"}
    assert one(caps={}).caps == {}
    assert one(state="absent", network="nonsense").present is False
    assert one(profile="narrow_rbd", pool="vms").profile == Profile("narrow_rbd", "vms")
    assert one(key_max_age="1h").oldest_key == NOW - 3600
    assert one(key_max_age="90d", key_not_before="2026-11-18").oldest_key == 1794960000
    assert one(rotate="always").rotate


def test_items_take_what_they_do_not_say_from_the_module() -> None:
    users = [
        {**ITEM, "name": "client.a"},
        {**ITEM, "name": "client.b", "caps": {"mon": "allow r"}, "state": "absent"},
        {**ITEM, "name": "client.c", "caps": {"mon": "allow r"}},
        {**ITEM, "name": "client.d", "profile": "narrow_rbd_read_only", "namespace": "n"},
    ]
    wanted = wanted_users({**NOTHING, "users": users, "profile": "narrow_rbd", "pool": "vms"}, NOW)
    assert wanted.problems == ()
    assert [(user.present, user.caps, user.profile) for user in wanted.users] == [
        (True, None, Profile("narrow_rbd", "vms")),
        (False, None, None),
        (True, {"mon": "allow r"}, None),
        (True, None, Profile("narrow_rbd_read_only", "vms", "n")),
    ]


def test_caps_of_the_module_yield_to_an_items_profile() -> None:
    users = [{**ITEM, "name": "client.a", "profile": "narrow_rbd", "pool": "vms"}]
    assert wanted_users({**NOTHING, "users": users, "caps": {"mon": "allow r"}}, NOW).users[0].caps is None


def test_caps_are_restricted_to_the_network() -> None:
    assert caps_for(one(caps={"mon": "allow r"}, network="10.0.0.1"), 16) == {"mon": "allow r network 10.0.0.1/32"}
    assert caps_for(one(), 16) is None
    narrow = caps_for(one(profile="narrow_rbd", pool="vms", network="10.0.0.0/8"), 16)
    assert narrow is not None
    assert narrow["mon"].count("network 10.0.0.0/8") == 3


def test_problems_of_all_users_at_once() -> None:
    users = [
        {**ITEM, "name": "backup", "network": "10.0.0.1"},
        {**ITEM, "name": "client.a", "caps": {"rgw": "allow r"}, "pool": "vms"},
        {**ITEM, "name": "client.a", "profile": "narrow_rbd"},
        {**ITEM, "name": "osd.1", "key_max_age": "90d"},
        {**ITEM, "name": "client.b", "key_max_age": "soon"},
    ]
    assert problems(users=users) == [
        "backup: the name of a user is TYPE.ID, as in client.backup, with TYPE client, mds, mgr, mon or osd",
        "backup: network restricts the caps or the profile given with it, and there is neither",
        "client.a: caps for 'rgw': there are caps for mds, mgr, mon, osd",
        "client.a: pool and namespace go with profile; caps name theirs in the grants",
        "client.a: profile narrow_rbd needs a pool",
        "osd.1: a daemon has its key in a file of its own, where a new one has to go too: rotate it there",
        "client.b: key_max_age 'soon' is not a number with h, d or w, such as 90d",
        "client.a is listed more than once",
    ]


@pytest.mark.parametrize("name", ["client.", "foo.a", "client.a b", 'client."', "client.[a]", "CLIENT.a", "client.a#b"])
def test_bad_name(name: str) -> None:
    assert len(problems(name=name)) == 1


@pytest.mark.parametrize(
    "name", ["client.diskless.pi3", "osd.12", "mds.a", "client.user@example.org", "client.rgw/x-1"]
)
def test_good_name(name: str) -> None:
    assert problems(name=name) == []


def test_user_of_the_task_does_not_lock_itself_out() -> None:
    users = [one(state="absent"), one(rotate="always"), one(key_max_age="90d"), one(caps={})]
    assert len(own_user(users, "client.a")) == 3
    assert own_user(users, "client.admin") == []
