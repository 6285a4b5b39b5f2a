# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one grant of osd caps is as much as another."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_osd_grant import OsdGrant, parse_osd_grant

HERE = ipaddress.ip_address("10.77.0.11")
NAMESPACE = "profile rbd pool=diskless namespace=pi1 network 10.77.0.11/32"
PARENT = 'allow r pool=diskless namespace="" object_prefix rbd_data.104c. network 10.77.0.11/32'


def covers(found: str, wanted: str) -> bool:
    one, other = parse_osd_grant(found), parse_osd_grant(wanted)
    assert one is not None
    assert other is not None
    return one.covers(other, HERE)


def test_words_of_a_grant() -> None:
    assert parse_osd_grant('allow r class-read pool=a namespace="" object_prefix b network 10.0.0.1/32') == OsdGrant(
        frozenset({"r", "class-read"}), "a", "", "b", "10.0.0.1/32"
    )


@pytest.mark.parametrize(
    "found",
    [
        NAMESPACE,
        "allow *",
        "allow rwx",
        "allow rwx pool=diskless",
        "allow pool diskless rwx",
        "allow rw class-read class-write pool=diskless namespace=pi1",
        "profile rbd",
        "profile=rbd pool=diskless namespace=pi*",
        'profile "rbd" pool="diskless" network 10.77.0.0/24',
    ],
)
def test_enough_for_the_own_namespace(found: str) -> None:
    assert covers(found, NAMESPACE)


@pytest.mark.parametrize(
    "found",
    [
        "allow rw pool=diskless",
        "profile rbd-read-only pool=diskless",
        "profile rbd pool=other",
        "profile rbd pool=diskless namespace=pi2",
        'profile rbd pool=diskless namespace=""',
        "profile rbd pool=diskless namespace=pi1 network 10.77.0.12/32",
        # Without a prefix length it matches nobody.
        "profile rbd pool=diskless namespace=pi1 network 10.77.0.11",
        "allow rwx pool=diskless object_prefix rbd_data.",
        "profile rdb pool=diskless namespace=pi1",
    ],
)
def test_too_little_for_the_own_namespace(found: str) -> None:
    assert not covers(found, NAMESPACE)


@pytest.mark.parametrize(
    ("found", "enough"),
    [
        (PARENT, True),
        ("allow r pool=diskless", True),
        ("profile rbd-read-only pool=diskless", True),
        ("profile rbd pool=diskless", True),
        ("allow rx pool=diskless object_prefix rbd_data.", True),
        (NAMESPACE, False),
        ("allow x pool=diskless", False),
        ("allow r pool=diskless object_prefix rbd_data.104c.00", False),
    ],
)
def test_parent_of_the_image(found: str, enough: bool) -> None:
    assert covers(found, PARENT) is enough


@pytest.mark.parametrize("found", ["allow rw tag rbd data=vms", "allow class lock", "allow x auid 1"])
def test_what_hangs_on_other_things_is_not_judged(found: str) -> None:
    assert parse_osd_grant(found) is None
