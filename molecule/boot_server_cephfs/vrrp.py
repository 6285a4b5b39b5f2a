#!/usr/bin/python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp.py SOURCE DESTINATION ADDRESS: say once that SOURCE has the address, with the highest priority (VRRP, RFC 3768).

The identifier of the router is the last number of the address.
"""

from __future__ import annotations

import socket
import struct
import sys

PROTOCOL, ADVERTISEMENT, HIGHEST = 112, 0x21, 255


def checksum(data: bytes) -> int:
    """Of the Internet."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advertisement(address: bytes) -> bytes:
    """One address, no authentication, every second."""
    head = struct.pack("!BBBBBB", ADVERTISEMENT, address[3], HIGHEST, 1, 0, 1)
    rest = address + bytes(8)
    return head + struct.pack("!H", checksum(head + bytes(2) + rest)) + rest


if __name__ == "__main__":
    source, destination, address = (socket.inet_aton(word) for word in sys.argv[1:])
    payload = advertisement(address)
    # The kernel fills in length and checksum.
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 255, PROTOCOL, 0, source, destination) + payload
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("8xi", socket.if_nametoindex("eth0")))
        wire.sendto(packet, (sys.argv[2], 0))
