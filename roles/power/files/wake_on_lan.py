# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a magic packet: wake_on_lan.py MAC ADDRESS PORT."""

from __future__ import annotations

import socket
import sys

# A network card looks for six times 255 and then sixteen times its own address, wherever that is in a frame
# (AMD, Magic Packet Technology, publication 20213).
SYNCHRONIZATION = b"\xff" * 6
REPETITIONS = 16
# Nobody answers, and a packet may get lost.
TIMES = 3


def magic_packet(mac: str) -> bytes:
    """Return what wakes the network card with this MAC address, six hexadecimal numbers with colons."""
    return SYNCHRONIZATION + bytes.fromhex(mac.replace(":", "")) * REPETITIONS


def main(mac: str, address: str, port: str) -> None:
    """Send it by UDP; the address may be that of a broadcast."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _attempt in range(TIMES):
            sender.sendto(magic_packet(mac), (address, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
