# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the blocklist, as Ceph prints them and as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    parse_address,
    parse_instance,
    parse_range_as_printed,
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("10.0.0.1", "10.0.0.1:0/0"),
        (" 10.0.0.1:0/4137 ", "10.0.0.1:0/4137"),
        ("10.0.0.1:6789/0", "10.0.0.1:6789/0"),
        ("v1:10.0.0.1:6789/0", "10.0.0.1:6789/0"),
        ("v2:10.0.0.1", "10.0.0.1:0/0"),
        ("any:[fd00::1]:0/1", "[fd00::1]:0/1"),
        ("fd00::1", "[fd00::1]:0/0"),
        ("[FD00:0::1]", "[fd00::1]:0/0"),
        ("10.8.0.0/16", "10.8.0.0/16"),
        ("10.8.1.2/16", "10.8.1.2/16"),
        ("fd00:8::/64", "fd00:8::/64"),
        ("cidr:10.8.0.0:0/16", "10.8.0.0/16"),
        ("cidr:[fd00:8::]:0/64", "fd00:8::/64"),
    ],
)
def test_address_comes_out_as_ceph_takes_it(text: str, printed: str) -> None:
    assert str(parse_address(text)) == printed
    assert str(parse_address(printed)) == printed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pi3", "'pi3' is no IP address: expected 10.0.0.1 (all of a host)"),
        ("", "'' is no IP address"),
        ("10.0.0.300:0/1", "'10.0.0.300' is no IP address"),
        ("10.0.0.1:4137", "is 4137 the nonce or the port? Write 10.0.0.1:0/4137 or 10.0.0.1:4137/0, or 10.0.0.1 for"),
        ("[fd00::1]:4137", "Write [fd00::1]:0/4137 or [fd00::1]:4137/0"),
        ("10.0.0.1/4137", "length of 0 to 32; the instance with nonce 4137 is 10.0.0.1:0/4137"),
        ("10.0.0.1/x", "'10.0.0.1/x': a range has a prefix length of 0 to 32"),
        ("fe80::1%eth0", "a zone index means nothing to Ceph"),
        ("10.0.0.1:65536/0", "the port is 65535 at most, the nonce 4294967295"),
        ("10.0.0.1:0/4294967296", "the port is 65535 at most"),
    ],
)
def test_what_is_no_address_says_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_address(text)
    assert problem in str(refused.value)


def test_range_is_no_instance_and_the_other_way_round() -> None:
    with pytest.raises(ValueError, match="is no IP address"):
        parse_instance("10.8.0.0/16")
    with pytest.raises(ValueError, match="is no range as Ceph prints it"):
        parse_range_as_printed("10.8.0.0:0/16")
