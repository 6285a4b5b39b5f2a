# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand lines to a syslog server, in the format of RFC 5424.

Syslog has no acknowledgement: what is under way when a server goes away is lost. Whoever must not lose a line has the
files, or Fluentd.
"""

from __future__ import annotations

import contextlib
import logging
import re
import select
import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .line import Line

LOG = logging.getLogger(__name__)
KERNEL, DAEMON = 0, 3  # facilities
INFO = 6
HOST_NAME = 255  # characters
# 32473 is the number of nobody, for examples (RFC 5612); without one a name would be the IETF's to give away.
STRUCTURED_DATA = "bootlog@32473"
APPLICATIONS = {
    "netconsole": (KERNEL, "kernel"),
    "firmware": (DAEMON, "firmware"),
    "dhcp": (DAEMON, "dnsmasq"),
    "tftp": (DAEMON, "dnsmasq"),
}
SELF = (DAEMON, "bootlog")
NOT_NAMED = re.compile(r"[^\x21-\x7e]+")
# What a server has to take (RFC 5425, 4.3.1, and RFC 5426, 3.2): 2048 bytes.
LONGEST = 2048


@dataclass(frozen=True)
class Settings:
    """How lines are handed over.

    queue_lines: lines that wait in memory; what is more is dropped.
    timeout: seconds that connecting or sending may take.
    retry_seconds: pause after the first and the longest after many failures.
    close_seconds: how long the end may take for what waits.
    """

    queue_lines: int = 20_000
    timeout: float = 10
    retry_seconds: tuple[float, float] = (1, 30)
    close_seconds: float = 2


def encode(line: Line) -> bytes:
    """Return a line as a syslog message.

    Its host is the diskless host. A kernel message has the kernel's facility and severity; what has no severity is
    informational. The text is UTF-8 without the byte order mark, which servers would take for a part of the text.
    """
    facility, application = APPLICATIONS.get(line.source, SELF)
    level = INFO if line.level is None else min(max(line.level, 0), 7)
    time = datetime.fromtimestamp(line.time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    host = NOT_NAMED.sub("_", line.host or line.sender or "-")[:HOST_NAME]
    known = {"boot": line.boot, "seq": line.seq, "stage": line.stage, "lost": line.lost or None}
    parameters = "".join(f' {name}="{value}"' for name, value in known.items() if value is not None)
    data = f"[{STRUCTURED_DATA}{parameters}]" if parameters else "-"
    message = f"<{facility * 8 + level}>1 {time} {host} {application} - - {data} {line.text}"
    encoded = message.encode(errors="replace")
    # Cut in the middle of a character, that character goes as well.
    return encoded if len(encoded) <= LONGEST else encoded[:LONGEST].decode(errors="ignore").encode()


class SyslogOutput:
    """An output to a syslog server. A thread sends; ``send`` never waits for it."""

    def __init__(self, address: str, port: int = 514, protocol: str = "udp", settings: Settings | None = None) -> None:
        """Start; the server need not be there.

        address, port: of the server.
        protocol: ``udp`` (RFC 5426), or ``tcp`` with octet counting (RFC 6587, 3.4.1).
        """
        self._address = address
        self._port = port
        self._tcp = protocol == "tcp"
        self._settings = settings or Settings()
        self._queue: deque[Line] = deque()
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._dropped = 0
        self._sent = 0
        self._failures = 0
        self._why = ""  # of the last failure
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
        self._thread.start()

    def send(self, lines: Sequence[Line]) -> None:
        """Take lines; those for which there is no room are dropped."""
        with self._arrived:
            room = self._settings.queue_lines - len(self._queue)
            self._queue.extend(lines[:room])
            self._dropped += max(0, len(lines) - room)
            self._arrived.notify()

    def counters(self) -> dict[str, int]:
        """Return lines that were sent, and lines that were dropped."""
        return {"syslog_sent": self._sent, "syslog_dropped": self._dropped}

    def close(self) -> None:
        """Send what can be sent soon; the rest is dropped."""
        self._closing.set()
        with self._arrived:
            self._arrived.notify()
        self._thread.join(self._settings.close_seconds)
        if self._thread.is_alive() and (stuck := self._socket):
            with contextlib.suppress(OSError):
                stuck.shutdown(socket.SHUT_RDWR)
            self._thread.join(self._settings.close_seconds)

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._queue or self._closing.is_set())
                if not self._queue:
                    break
                line = self._queue[0]
            if self._sent_now(line):
                self._queue.popleft()
            elif self._closing.is_set():
                break
        with self._arrived:
            self._dropped += len(self._queue)
        self._disconnect()

    def _sent_now(self, line: Line) -> bool:
        """Send a line; return whether it is done with."""
        try:
            message = encode(line)
        except (ValueError, OverflowError, OSError):  # a time that no calendar has
            self._dropped += 1
            return True
        try:
            self._connected().sendall(b"%d %b" % (len(message), message) if self._tcp else message)
        except OSError as error:
            return self._failed(error)
        self._sent += 1
        if self._failures:
            LOG.warning("syslog server %s takes lines again", self._address)
            self._failures, self._why = 0, ""
        return True

    def _connected(self) -> socket.socket:
        if self._socket and self._tcp and select.select([self._socket], [], [], 0)[0]:
            self._disconnect()  # a syslog server says nothing: it has closed the connection
        if not self._socket:
            if self._tcp:
                self._socket = socket.create_connection((self._address, self._port), self._settings.timeout)
            else:
                found = socket.getaddrinfo(self._address, self._port, type=socket.SOCK_DGRAM)[0]
                self._socket = socket.socket(found[0], found[1])
                self._socket.connect(found[4])
        return self._socket

    def _disconnect(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _failed(self, error: OSError) -> bool:
        """Wait before the next try; return whether the line is lost."""
        self._disconnect()
        if str(error) != self._why:
            LOG.warning("syslog server %s: %s", self._address, error)
            self._why = str(error)
        first, longest = self._settings.retry_seconds
        pause = min(longest, first * 2 ** min(self._failures, 30))
        self._failures += 1
        self._closing.wait(pause)
        return False
