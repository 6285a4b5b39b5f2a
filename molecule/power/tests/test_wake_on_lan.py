# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wake-on-LAN: the packet itself, as it arrives at the broadcast address of the loopback network."""

from __future__ import annotations

import socket
from typing import Any

import pytest


def test_magic_packet_goes_to_everybody_in_the_boot_network(role: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.bind(("127.255.255.255", 0))
        network.settimeout(5)
        done = role("on", {"driver": "wake_on_lan", "port": network.getsockname()[1]})
        assert done.answers["udoo1"] == ("unknown", False, "Wake-on-LAN cannot be asked")
        assert network.recv(2000) == b"\xff" * 6 + bytes.fromhex("525400770011") * 16
    assert done.succeeded


def test_packet_that_cannot_be_sent_is_an_error(role: Any) -> None:
    away = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    done = role("on", {"driver": "wake_on_lan", "via": "away"}, machines={"away": away})
    assert not done.succeeded
    assert "udoo1: not proven to be on within 60 s: network card 52:54:00:77:00:11 says unknown" in done.output
    assert "Connection refused" in done.output


@pytest.mark.full
def test_it_can_neither_switch_off_nor_cycle(role: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.bind(("127.255.255.255", 0))
        network.setblocking(False)
        done = role("cycle", {"driver": "wake_on_lan", "port": network.getsockname()[1]})
        assert not done.succeeded
        assert "can switch on and nothing else" in done.output
        assert "BlockingIOError" in _received(network)


def _received(network: socket.socket) -> str:
    try:
        return repr(network.recv(2000))
    except BlockingIOError as error:
        return repr(error)
