#!/usr/bin/python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""say.py FROM PORT [COUNT] TEXT: send a datagram from an address of this machine; {} in TEXT is its number."""

from __future__ import annotations

import socket
import sys
import time

source, port, *count, text = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
    own.bind((source, 0))
    for number in range(int(count[0]) if count else 1):
        own.sendto(text.replace("{}", str(number)).encode(), ("127.0.0.1", int(port)))
        if number % 100 == 99:
            time.sleep(0.01)
