# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel said while nobody sent it, sent afterwards.

A record of /dev/kmsg and a datagram of extended netconsole have the same format
(https://docs.kernel.org/networking/netconsole.html), and the receiver drops what it has by its sequence number.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator

KMSG = "/dev/kmsg"
LONGEST_RECORD = 8192
# Not faster than a receiver's buffer can take from a whole fleet.
BURST = 20
PAUSE_SECONDS = 0.002


class Backlog:
    """The kernel's records from the oldest that it still has; those that were sent or skipped are behind us."""

    def __init__(self, path: str = KMSG) -> None:
        self._kmsg = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def skip(self) -> None:
        """All that was said until now has been sent by the kernel itself."""
        os.lseek(self._kmsg, 0, os.SEEK_END)

    def send(self, source: str, address: str, port: int, release: str = "") -> int:
        """Send what was said since; return how many records. Raises OSError.

        :param source: our own address, by which the log host knows us.
        :param release: of the kernel, if its records begin with that.
        """
        head = f"{release},".encode() if release else b""
        sent = 0
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 0))
            for record in self._records():
                sender.sendto(head + record, (address, port))
                sent += 1
                if sent % BURST == 0:
                    time.sleep(PAUSE_SECONDS)
        return sent

    def _records(self) -> Iterator[bytes]:
        while True:
            # EPIPE: the kernel has overwritten what we were about to read; the next read goes on behind it.
            with contextlib.suppress(BrokenPipeError):
                try:
                    record = os.read(self._kmsg, LONGEST_RECORD)
                except BlockingIOError:
                    return
                if not record:
                    return
                yield record
