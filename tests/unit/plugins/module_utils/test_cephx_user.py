# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cephx users: reading, comparing, and the keyring that imports them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import (
    CephxUser,
    parse_users,
    render_keyring,
    same_caps,
)


def test_recorded_users(recorded: Callable[[str], Any]) -> None:
    users = parse_users(recorded("auth_ls"))
    assert users["client.diskless.pi1"].caps == {
        "mon": "profile rbd",
        "osd": "profile rbd pool=diskless namespace=pi1",
    }
    assert users["client.diskless.pi1"].key.startswith("AQ")


def test_key_is_not_in_the_repr() -> None:
    assert "secret" not in repr(CephxUser("client.x", {}, "secret"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("allow r, allow w", "allow w,allow r"),
        ("allow  r", "allow r "),
        ("allow r; allow w", "allow w, allow r"),
        ("allow command 'a b'", 'allow command "a b"'),
        ("allow r pool=a, allow r pool=b", "allow r  pool=b ,allow r pool=a"),
    ],
)
def test_order_and_spaces_do_not_matter(one: str, other: str) -> None:
    assert same_caps({"osd": one}, {"osd": other})


def test_no_caps_are_none() -> None:
    assert same_caps({"mon": ""}, {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"mon": "allow r"}, {"mon": "allow rw"}),
        ({"mon": "allow r"}, {"mon": "allow r", "osd": "allow r"}),
        ({"mon": "allow command 'a b'"}, {"mon": "allow command 'a  b'"}),
        ({"mon": "allow addr regex '^1{4,}$'"}, {"mon": "allow addr regex '^1{4}$'"}),
        ({"osd": 'allow r namespace=""'}, {"osd": "allow r namespace="}),
    ],
)
def test_everything_else_does(one: dict[str, str], other: dict[str, str]) -> None:
    assert not same_caps(one, other)


def test_keyring_quotes_what_ceph_unquotes() -> None:
    users = [
        CephxUser("client.b", {"osd": 'allow r namespace=""', "mon": "a\\b;#"}, "K1"),
        CephxUser("client.a", {}, "K2"),
    ]
    assert render_keyring(users) == (
        '[client.b]\n\tkey = K1\n\tcaps mon = "a\\\\b\\;\\#"\n'
        '\tcaps osd = "allow r namespace=\\"\\""\n[client.a]\n\tkey = K2\n'
    )
