# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow caps by name. What they allow and refuse is tested against real clusters."""

from __future__ import annotations

import re

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import (
    NONCE,
    Profile,
    fence_one_instance,
    profile_caps,
    profile_problems,
)


@pytest.mark.parametrize("nonce", [1000, 9999, 2654949452, 3999999999, 4294899999, 4294959999])
def test_pattern_takes_what_clients_have(nonce: int) -> None:
    assert re.fullmatch(NONCE, str(nonce))


@pytest.mark.parametrize("nonce", ["0", "16", "0000", "0024", "00001234", str(2**32), str(2**32 + 24), "9" * 20, ""])
def test_pattern_refuses_what_ceph_takes_for_a_host_or_a_network(nonce: str) -> None:
    assert not re.fullmatch(NONCE, nonce)


def test_old_word_is_granted_as_long_as_there_are_clients_that_use_it() -> None:
    assert [grant.split("'")[1] for grant in fence_one_instance("x", 16)] == ["osd blocklist", "osd blacklist"]
    assert [grant.split("'")[1] for grant in fence_one_instance("x", 14)] == ["osd blacklist"]


def test_caps_of_the_profiles() -> None:
    caps = profile_caps(Profile("narrow_rbd", "vms", "hv1"), 14)
    assert caps == {
        "mon": "profile simple-rados-client, "
        f"allow command 'osd blacklist' with blacklistop=add addr regex '^[^/]+:0/{NONCE}$'",
        "osd": "profile rbd pool=vms namespace=hv1",
    }
    assert profile_caps(Profile("narrow_rbd_read_only", "vms"), 16) == {
        "mon": "profile simple-rados-client",
        "osd": "profile rbd-read-only pool=vms",
    }


def test_problems() -> None:
    assert profile_problems(Profile("narrow_rbd", "vms", "hv1")) == []
    assert profile_problems(Profile("narrow_rbd", "")) == ["profile narrow_rbd needs a pool"]
    assert profile_problems(Profile("narrow_rbd", "vms", "a, allow *")) == [
        "namespace 'a, allow *': only letters, digits and . _ - can stand in caps"
    ]
