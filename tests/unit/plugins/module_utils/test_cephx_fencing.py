# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can fence others off; the same table is tried on real clusters in tests/integration/test_cephx_user_info.py."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_fencing import can_blocklist_itself, can_fence
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps, host_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import Profile, profile_caps

EVERYWHERE = [
    "allow *",
    "allow rw",
    "allow rwx",
    "allow r, allow w",
    "allow r;allow w",
    "allow service osd rw",
    "allow service=osd *",
    "allow r, allow service osd w",
    "profile rbd",
    "allow profile rbd",
    'profile "rbd"',
    "profile=rbd",
    "profile rbd-read-only",
    "profile rbd-mirror",
    "profile rbd-mirror-peer",
    "profile mds",
    "profile mgr",
    "profile osd",
    "profile read-write",
    "allow r, profile rbd network 10.0.0.0/8",
]
NOWHERE = [
    "",
    "allow r",
    "allow w",
    "allow rx",
    "allow service osd w",
    "allow service auth rw",
    "allow service auth *",
    "allow command 'osd dump'",
    "profile simple-rados-client",
    "profile simple-rados-client-with-blacklist",
    "profile fs-client",
    "profile mon",
    "profile role-definer",
    "profile bootstrap-osd",
    "profile crash",
    "profile read-only",
]


def reaches(caps: str, release: int) -> set[str]:
    return {fence.reach for fence in can_fence(caps, release)}


@pytest.mark.parametrize("caps", EVERYWHERE)
def test_a_whole_network_or_before_16_a_whole_host(caps: str) -> None:
    assert reaches(caps, 14) == {"host"}
    assert reaches(caps, 16) == {"network"}


@pytest.mark.parametrize("caps", NOWHERE)
@pytest.mark.parametrize("release", [14, 16, 20])
def test_nobody(caps: str, release: int) -> None:
    assert can_fence(caps, release) == []


@pytest.mark.parametrize(
    ("caps", "on_14", "on_16"),
    [
        ("profile simple-rados-client-with-blocklist", set(), {"network"}),
        ("allow command 'osd blocklist'", set(), {"network"}),
        ("allow command 'osd blacklist'", {"host"}, {"host"}),
        ('allow command "osd blocklist" with blocklistop=add', set(), {"network"}),
        ('allow command "osd blocklist" with blocklistop=rm', set(), set()),
        ('allow command "osd blocklist" with blocklistop="add" addr prefix 10.0.', set(), {"network"}),
        ('allow command "osd blocklist" with addr regex ".*"', set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '^[^/]+:0/[0-9]+$'", set(), {"network"}),
        # Four digits at least, but 0024 and 0000 are four digits too.
        ("allow command 'osd blocklist' with addr regex '^[^/]+:0/[0-9]{4,}$'", set(), {"network"}),
        ("allow command 'osd blacklist' with addr regex '^[^/]+:0/[0-9]{4,}$'", {"host"}, {"host"}),
        ("allow command 'osd blocklist' with addr regex '^10[.]0[.]0[.]1:0/[0-9]{4,}$'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '^[[]fd77::11[]]:0/[0-9]+$'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '^[^/]+:0/[1-9][0-9]{3,8}$'", set(), set()),
        ("allow command 'osd blocklist' with addr regex '[[:digit:].]+:0/[1-9][0-9]{3,8}'", set(), set()),
        ("allow command 'osd blocklist' with addr regex '.+:0/[[:digit:]]+'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '^10[.]0[.][0-9.]+:0/[0-9]+$'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '.*|[^/]+:0/[1-9][0-9]{3}'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '[^/]+:0/[1-9][0-9]{3}|.*'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '[0-9.]+(:0/[1-9][0-9]{3})?'", set(), {"network"}),
        ("allow command 'osd blocklist' with addr regex '[^/]+:0/0'", set(), {"network"}),
        ('allow command "osd blocklist" with blocklistop regex "rm|clear"', set(), set()),
        ("allow command 'osd blocklist' with addr regex '(('", set(), {"network"}),
        ("allow command 'osd blocklist' with addr=10.0.0.1:0/12345", set(), set()),
        ("allow command 'osd blocklist' with addr=10.0.0.1:0/16", set(), {"network"}),
    ],
)
def test_commands(caps: str, on_14: set[str], on_16: set[str]) -> None:
    assert reaches(caps, 14) == on_14
    assert reaches(caps, 16) == on_16


@pytest.mark.parametrize("release", [14, 16, 18, 20])
@pytest.mark.parametrize("address", ["10.77.0.11", "fd77::11"])
def test_own_narrow_caps_pass(release: int, address: str) -> None:
    own = [profile_caps(Profile(name, "vms"), release) for name in ("narrow_rbd", "narrow_rbd_read_only")]
    own.append(host_caps(HostCaps(address, "diskless", "pi1", None), release))
    assert [can_fence(caps["mon"], release) for caps in own] == [[], [], []]


def test_what_is_told() -> None:
    caps = "allow r, profile rbd network 10.0.0.0/8, allow service osd w"
    assert [fence.as_dict() for fence in can_fence(caps, 16)] == [
        {"grant": "allow service osd w", "reach": "network", "network": ""},
        {"grant": "profile rbd network 10.0.0.0/8", "reach": "network", "network": "10.0.0.0/8"},
    ]


@pytest.mark.parametrize("release", [14, 16, 18, 20])
@pytest.mark.parametrize("address", ["10.77.0.11", "fd77::11"])
def test_own_narrow_caps_are_enough_for_the_own_former_self(release: int, address: str) -> None:
    word = "blacklist" if release == 14 else "blocklist"
    caps = host_caps(HostCaps(address, "diskless", "pi1", None), release)["mon"]
    assert can_blocklist_itself(caps, word, address, release) is True
    other = {"10.77.0.11": "10.77.0.12", "fd77::11": "fd77::12"}[address]
    assert can_blocklist_itself(caps, word, other, release) is False


@pytest.mark.parametrize("caps", EVERYWHERE)
@pytest.mark.parametrize("word", ["blocklist", "blacklist"])
def test_who_can_fence_others_off_can_blocklist_itself(caps: str, word: str) -> None:
    assert can_blocklist_itself(caps, word, "10.0.0.1", 16) is True


@pytest.mark.parametrize("caps", NOWHERE)
def test_nobody_can_blocklist_itself_without_being_allowed_to(caps: str) -> None:
    assert can_blocklist_itself(caps, "blocklist", "10.0.0.1", 16) is False


@pytest.mark.parametrize(
    ("grant", "can"),
    [
        ("allow command 'osd blocklist'", True),
        ('allow command "osd blocklist" with blocklistop=add', True),
        ('allow command "osd blocklist" with blocklistop="add" addr prefix 10.0.0.', True),
        ("allow command 'osd blocklist' with addr regex '^[^/]+:0/[0-9]{4,}$'", True),
        ("allow command 'osd blocklist' with blocklistop regex 'add|rm'", True),
        ("profile rbd network 10.0.0.0/24", True),
        ("allow r network 10.0.0.1/32, allow w network 10.0.0.1/32", True),
        ("allow command 'osd blacklist'", False),
        ("allow command 'osd blocklist' with blocklistop=rm", False),
        ("allow command 'osd blocklist' with addr prefix 10.0.1.", False),
        ("allow command 'osd blocklist' with addr=10.0.0.1:0/2736153118", False),
        # Long numbers only: hosts would now and then be stuck.
        ("allow command 'osd blocklist' with addr regex '^[^/]+:0/[0-9]{9,}$'", False),
        ("allow command 'osd blocklist' with expire=60", False),
        ("allow command 'osd blocklist' network 10.0.0.2/32", False),
        ("profile rbd network 10.0.0.1", False),
        ("allow r, allow w network 10.0.0.2/32", False),
        ("allow command 'osd blocklist' with addr regex '.+:0/[[:digit:]]+'", None),
        ("allow command 'osd blocklist' with addr regex '(('", None),
    ],
)
def test_who_can_blocklist_itself(grant: str, can: bool | None) -> None:
    assert can_blocklist_itself(grant, "blocklist", "10.0.0.1", 16) is can
