# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters netconsole_parameter, netconsole_parse and netconsole_firmware."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.netconsole import FilterModule

FILTERS = FilterModule().filters()
SPEC = {"name": "pi3", "address": "10.77.0.12", "netconsole": ["[fd00::3]:6666", "10.77.0.3:6666"]}


def test_target_becomes_the_parameter_and_back() -> None:
    target = {"remote_address": "10.0.0.3", "remote_mac": "52:54:00:77:00:03", "device": "eth0", "extended": True}
    text = FILTERS["netconsole_parameter"](target)
    assert text == "+@/eth0,@10.0.0.3/52:54:00:77:00:03"
    (parsed,) = FILTERS["netconsole_parse"](text)
    assert {name: value for name, value in parsed.items() if value} == target
    assert FILTERS["netconsole_parameter"](FILTERS["netconsole_parse"](f"{text};{text}")) == f"{text};{text}"


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([], "expected a target as a dictionary, or a list"),
        ("x", "expected a target as a dictionary, or a list"),
        (["x"], "'x': expected a dictionary with remote_address at least"),
        ({"remote_adress": "10.0.0.3"}, "'remote_adress' is no part of a target; did you mean remote_address"),
        ({"remote_address": "10.0.0.3", "remote_port": "514"}, "remote_port '514': expected a number"),
        ({"remote_address": "10.0.0.3", "release": True}, "release: expected extended as well"),
    ],
)
def test_what_is_wrong_with_a_target_is_said(targets: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(said)):
        FILTERS["netconsole_parameter"](targets)


@pytest.mark.parametrize("text", ["nothing", 5, "@/,@x/"])
def test_what_is_no_parameter_is_refused(text: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="netconsole_parse: "):
        FILTERS["netconsole_parse"](text)


def test_bootloader_gets_the_first_target_that_it_can_send_to() -> None:
    assert FILTERS["netconsole_firmware"](SPEC) == "@10.77.0.12/,@10.77.0.3/"
    assert FILTERS["netconsole_firmware"]({**SPEC, "netconsole": ["10.77.0.3:514"]}) == "@10.77.0.12/,514@10.77.0.3/"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "expected a host spec"),
        ({**SPEC, "netconsole": []}, "pi3: diskless_netconsole is an empty list; expected an IPv4 target"),
        ({**SPEC, "netconsole": ["[fd00::3]:6666"]}, "pi3: diskless_netconsole is [fd00::3]:6666; expected an IPv4"),
        (
            {**SPEC, "address": "192.168.100.120", "netconsole": ["192.168.100.1:6666"]},
            "pi3: NETCONSOLE of the bootloader: @192.168.100.120/,@192.168.100.1/ has 33 characters, but at most 32",
        ),
    ],
)
def test_what_the_bootloader_cannot_is_refused_with_the_reason(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(said)):
        FILTERS["netconsole_firmware"](spec)
