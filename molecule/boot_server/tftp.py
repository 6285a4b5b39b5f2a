#!/usr/bin/python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tftp.py FILE [PORT]: read a file by TFTP (RFC 1350); print "data: …", "data: SIZE bytes", "error: …" or "silence".

PORT is the one to ask from; any by default.
"""

from __future__ import annotations

import socket
import sys

BOOT_SERVER = ("10.77.0.3", 69)
READ, DATA, ACKNOWLEDGE, ERROR = b"\0\1", b"\0\3", b"\0\4", b"\0\5"
BLOCK = 512


def main() -> None:
    """Fetch the file and say how it went."""
    data = b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.bind(("", int(sys.argv[2]) if len(sys.argv) > 2 else 0))
        client.sendto(READ + sys.argv[1].encode() + b"\0octet\0", BOOT_SERVER)
        while True:
            try:
                answer, server = client.recvfrom(4 + BLOCK)
            except TimeoutError:
                print("silence")
                return
            if answer[:2] == ERROR:
                print("error:", answer[4:].decode(errors="replace").strip("\0"))
                return
            data += answer[4:]
            client.sendto(ACKNOWLEDGE + answer[2:4], server)
            if len(answer) < 4 + BLOCK:
                print("data:", data.decode().strip() if len(data) < BLOCK else f"{len(data)} bytes")
                return


main()
