# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The value of netconsole=, both ways. The grammar is that of the kernel's documentation."""

from __future__ import annotations

import re

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_parameter import (
    Destination,
    parse_parameter,
    render_parameter,
)

MAC = "52:54:00:77:00:03"
FULL = Destination("10.0.0.3", 514, MAC, "eth0", "10.0.0.11", 4444, extended=True, release=True)


@pytest.mark.parametrize(
    ("destination", "text"),
    [
        (Destination("10.0.0.3"), "@/,@10.0.0.3/"),
        (FULL, f"+r4444@10.0.0.11/eth0,514@10.0.0.3/{MAC}"),
        (Destination("10.0.0.3", device=MAC, extended=True), f"+@/{MAC},@10.0.0.3/"),
        (Destination("fd00::3", 6666, local_address="fd00::11"), "@fd00::11/,6666@fd00::3/"),
    ],
)
def test_target_is_written_and_read_back(destination: Destination, text: str) -> None:
    assert render_parameter([destination]) == text
    assert parse_parameter(text) == [destination]


def test_several_targets_are_one_value() -> None:
    text = render_parameter([Destination("10.0.0.3"), FULL])
    assert text == f"@/,@10.0.0.3/;{FULL}"
    assert parse_parameter(text) == [Destination("10.0.0.3"), FULL]


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        (Destination("log.example.org"), "remote_address 'log.example.org': expected an IP address"),
        (Destination("10.0.0.3", local_address="fd00::1"), "expected both to be IPv4 or both to be IPv6"),
        (Destination("10.0.0.3", 0), "remote_port 0: expected a port from 1 to 65535"),
        (Destination("10.0.0.3", local_port=65536), "local_port 65536: expected a port"),
        (Destination("10.0.0.3", remote_mac="52:54:00"), "remote_mac '52:54:00': expected a MAC address"),
        (Destination("10.0.0.3", device="eth0,1@2/"), "device 'eth0,1@2/': expected the name of a network card"),
        (Destination("10.0.0.3", device="a" * 16), "expected the name of a network card"),
        (Destination("10.0.0.3", release=True), "release: expected extended as well"),
    ],
)
def test_what_the_kernel_would_misread_is_refused(destination: Destination, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        render_parameter([destination])


def test_more_than_the_module_takes_is_refused() -> None:
    assert len(render_parameter([FULL] * 4)) <= 255
    with pytest.raises(ValueError, match="5 targets need 264 characters, but the module takes 255"):
        render_parameter([FULL] * 5)


@pytest.mark.parametrize(
    "text", ["", "10.0.0.3", "@/eth0,@/", "@/eth0@10.0.0.3/", "++@/,@10.0.0.3/", "@/,99999@10.0.0.3/"]
)
def test_what_is_no_target_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_parameter(text)
