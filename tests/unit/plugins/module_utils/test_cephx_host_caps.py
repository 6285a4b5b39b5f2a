# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The caps of a diskless host. What they allow and refuse is tested against a real cluster."""

from __future__ import annotations

import re

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps, host_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import NONCE
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Parent, parse_snapshot_name

PARENT = Parent(parse_snapshot_name("diskless/golden@root"), "104cca2f767f")


def test_caps_of_a_host() -> None:
    caps = host_caps(HostCaps("10.77.0.11", "diskless", "pi1", PARENT), 16)
    here = "network 10.77.0.11/32"
    where = 'pool=diskless namespace="" object_prefix'
    assert caps == {
        "mon": f"profile simple-rados-client {here}, "
        f"allow command 'osd blocklist' with blocklistop=add addr regex '^10[.]77[.]0[.]11:0/{NONCE}$' {here}, "
        f"allow command 'osd blacklist' with blacklistop=add addr regex '^10[.]77[.]0[.]11:0/{NONCE}$' {here}",
        "osd": f"profile rbd pool=diskless namespace=pi1 {here}, "
        f"allow class-read {where} rbd_directory {here}, "
        f"allow r class-read {where} rbd_header.104cca2f767f {here}, "
        f"allow r class-read {where} rbd_object_map.104cca2f767f {here}, "
        f"allow r {where} rbd_data.104cca2f767f. {here}",
    }


def test_ceph_14_knows_only_the_former_word() -> None:
    caps = host_caps(HostCaps("10.77.0.11", "diskless", "pi1", None), 14)
    assert "blacklistop=add" in caps["mon"]
    assert "blocklist" not in caps["mon"]


def test_flattened_root_image_needs_no_parent() -> None:
    caps = host_caps(HostCaps("10.77.0.11", "diskless", "pi1", None), 16)
    assert caps["osd"] == "profile rbd pool=diskless namespace=pi1 network 10.77.0.11/32"


@pytest.mark.filterwarnings("ignore:Possible nested set")  # Python warns of [[], which C++ and POSIX take
@pytest.mark.parametrize(
    ("address", "network", "own", "others"),
    [
        (
            "10.77.0.11",
            "10.77.0.11/32",
            "10.77.0.11:0/2654949452",
            [
                "10.77.0.12:0/2654949452",
                "10.77.0.11:0/0",
                "10.77.0.11:0/999",
                "10.77.0.11:0/0000",
                "10.77.0.11:0/0024",
                "10.77.0.11:0/4294967296",
                "10.77.0.110:0/2654949452",
                "1077.0.11:0/2654",
            ],
        ),
        (
            "fd77:0::11",
            "fd77::11/128",
            "[fd77::11]:0/2654949452",
            ["[fd77::12]:0/2654949452", "[fd77::11]:0/0", "fd77::11:0/2654949452"],
        ),
    ],
)
def test_blocklisting_is_for_the_own_former_self(address: str, network: str, own: str, others: list[str]) -> None:
    mon = host_caps(HostCaps(address, "diskless", "pi1", PARENT), 16)["mon"]
    pattern = re.search(r"regex '([^']*)'", mon)
    assert pattern is not None
    assert re.search(pattern[1], own)
    assert not [instance for instance in others if re.search(pattern[1], instance)]
    assert mon.count(f"network {network}") == 3
