# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames on the wire."""

from __future__ import annotations

import struct

import pytest

from lab.pi_firmware.link import frame, message_in
from tests.unit.lab.pi_firmware.served import CM4


def answer(payload: bytes, protocol: int = 17, port: int = 68, options: bytes = b"") -> bytes:
    """Return the Ethernet frame of a packet from 10.0.0.3, padded as a network card does it."""
    udp = struct.pack("!HHHH", 67, port, 8 + len(payload), 0) + payload
    length = 20 + len(options)
    ip = struct.pack("!BBHHHBBH", 0x40 + length // 4, 0, length + len(udp), 0, 0, 64, protocol, 0)
    return bytes(14) + ip + bytes([10, 0, 0, 3]) + bytes(4) + options + udp + bytes(20)


def test_discover_goes_to_everybody_from_nobody() -> None:
    sent = frame(CM4.mac_bytes, bytes(322))
    assert len(sent) == 364
    assert sent[:14].hex(":") == "ff:ff:ff:ff:ff:ff:dc:a6:32:01:36:c2:08:00"
    assert sent[26:34] == bytes(4) + b"\xff" * 4
    assert struct.unpack("!HHHH", sent[34:42]) == (68, 67, 330, 0)


def test_checksum_of_the_header_is_right() -> None:
    header = frame(CM4.mac_bytes, bytes(322))[14:34]
    total = sum(struct.unpack("!10H", header))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


@pytest.mark.parametrize("options", [b"", b"\x94\x04\0\0"])
def test_message_and_its_source(options: bytes) -> None:
    received = message_in(answer(b"offer", options=options))
    assert received is not None
    assert (received[0], str(received[1])) == (b"offer", "10.0.0.3")


@pytest.mark.parametrize("other", [b"", bytes(14), answer(b"", protocol=6), answer(b"offer", port=67), bytes(60)])
def test_other_traffic_is_ignored(other: bytes) -> None:
    assert message_in(other) is None
