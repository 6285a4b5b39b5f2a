# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NETCONSOLE: 32 characters for two addresses, two ports and a MAC address."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_netconsole import Netconsole, NetconsoleKind

MAC = "dc:a6:32:01:36:c2"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("6665@169.254.1.1/,6666@/", "6665@169.254.1.1/,6666@/"),
        ({"src_ip": "10.0.0.1"}, "@10.0.0.1/,@/"),
        ({"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "dst_port": 1514}, "@10.0.0.1/,1514@10.0.0.2/"),
        ({"src_ip": "10.0.0.1", "dst_mac": MAC}, f"@10.0.0.1/,@/{MAC}"),
        ({"src_ip": "10.0.0.1", "src_port": 6665, "dst_port": "6666", "dst_ip": "255.255.255.255"}, "@10.0.0.1/,@/"),
        ({"src_ip": "192.168.100.12", "dst_ip": "192.168.100.1"}, "@192.168.100.12/,@192.168.100.1/"),
        ({"src_ip": "10.0.0.1", "dst_ip": None, "dst_mac": ""}, "@10.0.0.1/,@/"),
    ],
)
def test_how_it_is_written(value: Any, text: str) -> None:
    assert NetconsoleKind().render(value) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("6665@169.254.1.1,6666@", "expected src_port@src_ip/,dst_port@dst_ip/dst_mac with every separator"),
        ("6665@/,6666@10.0.0.1/", "src_ip '': expected an IPv4 address"),
        (
            "0@10.0.0.1/,70000@10.0.0.300/x",
            "dst_ip '10.0.0.300': expected an IPv4 address; src_port '0': expected a port",
        ),
        (f"@10.0.0.1/,@/{MAC[:-1]}", "dst_mac 'dc:a6:32:01:36:c': expected a MAC address"),
        ({"dst_ip": "10.0.0.1"}, "src_ip is missing; the bootloader does not find it out by itself"),
        ({"src_ip": "10.0.0.1", "dest_ip": "10.0.0.2"}, "no part dest_ip; did you mean dst_ip"),
    ],
)
def test_what_is_wrong_is_said(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        NetconsoleKind().render(value)


@pytest.mark.parametrize(
    ("value", "nearest"),
    [
        ("6665@192.168.100.12/,6666@192.168.100.1/", "@192.168.100.12/,@192.168.100.1/ fits (the same)"),
        (
            {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "dst_mac": MAC},
            "@10.0.0.1/,@10.0.0.2/ fits (with the default dst_mac 00:00:00:00:00:00)",
        ),
        (
            {"src_ip": "192.168.100.12", "dst_ip": "192.168.100.1", "dst_port": 1514},
            "@192.168.100.12/,@192.168.100.1/ fits (with the default dst_port 6666)",
        ),
        (
            {"src_ip": "192.168.100.120", "dst_ip": "192.168.100.1"},
            "@192.168.100.120/,@/ fits (with the default dst_ip 255.255.255.255)",
        ),
    ],
)
def test_what_is_too_long_is_refused_with_the_nearest_that_fits(value: Any, nearest: str) -> None:
    with pytest.raises(ValueError, match="but at most 32 are allowed") as raised:
        NetconsoleKind().render(value)
    assert str(raised.value).endswith(nearest)


def test_the_nearest_always_fits_and_says_nothing_new() -> None:
    ports, addresses = ("", "1", "6665", "65535"), ("", "9.9.9.9", "192.168.100.100")
    for parts in product(("10.0.0.1", "255.255.255.255"), ports, addresses, ports, ("", MAC.upper())):
        wanted = Netconsole(*parts)
        fits = wanted.nearest_that_fits()
        assert len(str(fits)) <= 32
        assert Netconsole.parse(str(fits)) == fits
        for name in ("src_port", "dst_ip", "dst_port", "dst_mac"):
            assert getattr(fits, name) in ("", getattr(wanted, name))
        if len(str(wanted.shortest())) <= 32:
            assert fits.complete() == wanted.complete()
