# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand lines to Fluentd: each at least once and in order, whatever happens to either side."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .disk_buffer import Chunk, DiskBuffer
from .fluent_connection import Connection, Server
from .fluent_protocol import ProtocolError, decode, encode
from .line import Line

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How lines are handed over.

    tag: prefix of the tag, before the name of the host.
    buffer_directory, buffer_max_bytes: where lines wait; beyond the limit the oldest are dropped.
    queue_lines: lines that wait in memory for the disk; what is more is dropped.
    flush_seconds, flush_lines: how long, and how many, lines are collected.
    retry_seconds: pause after the first and the longest after many failures.
    close_seconds: how long the end may take for what can still be delivered.
    """

    buffer_directory: Path
    buffer_max_bytes: int = 256 << 20
    tag: str = "diskless"
    queue_lines: int = 50_000
    flush_seconds: float = 1
    flush_lines: int = 5_000
    retry_seconds: tuple[float, float] = (1, 30)
    close_seconds: float = 2


class Forward:
    """An output to Fluentd.

    Lines go from a queue in memory to files, and from there to Fluentd; a file is deleted when Fluentd has acknowledged
    all that is in it. One thread writes the files and another sends, so neither a slow Fluentd nor none at all is felt
    in ``send``. Lines that were sent and not acknowledged before the process ended are sent again by the next.
    """

    def __init__(self, server: Server, settings: Settings) -> None:
        """Take over what a former process has left in the buffer directory, and start.

        :raises OSError: the buffer directory cannot be used.
        """
        self._server = server
        self._settings = settings
        self._buffer = DiskBuffer(settings.buffer_directory, settings.buffer_max_bytes)
        self._queue: deque[Line] = deque()
        self._arrived = threading.Condition()  # of lines in the queue
        self._written = threading.Event()  # there may be something in the buffer
        self._closing = threading.Event()
        self._dropped = 0  # lines that did not reach the buffer
        self._forwarded = 0
        self._connection: Connection | None = None
        self._failures = 0
        self._why = ""  # of the last failure
        self._writer = threading.Thread(target=self._write, name="forward-write", daemon=True)
        self._sender = threading.Thread(target=self._send, name="forward-send", daemon=True)
        self._writer.start()
        self._sender.start()

    def send(self, lines: Sequence[Line]) -> None:
        """Take lines; never waits for the disk or the network."""
        with self._arrived:
            room = self._settings.queue_lines - len(self._queue)
            self._queue.extend(lines[:room])
            self._dropped += max(0, len(lines) - room)
            self._arrived.notify()

    def counters(self) -> dict[str, int]:
        """Return lines that have arrived, lines that were dropped, and bytes that wait on disk."""
        return {
            "forwarded": self._forwarded,
            "forward_dropped": self._dropped + self._buffer.dropped,
            "forward_buffered_bytes": self._buffer.size,
        }

    def close(self) -> None:
        """Write down all lines and deliver what can be delivered soon; the rest is sent after the next start."""
        self._closing.set()
        with self._arrived:
            self._arrived.notify()
        self._writer.join()
        self._written.set()
        self._sender.join(self._settings.close_seconds)
        if self._sender.is_alive() and (connection := self._connection):
            connection.close()
            self._sender.join(self._settings.close_seconds)

    def _write(self) -> None:
        while lines := self._collect():
            try:
                self._buffer.append(encode(lines, self._settings.tag), len(lines))
            except Exception as error:  # whatever is wrong with these lines or the disk, the next ones may do
                self._dropped += len(lines)
                LOG.error("%s: %s; %d lines for Fluentd are lost", self._settings.buffer_directory, error, len(lines))
            self._written.set()

    def _collect(self) -> list[Line]:
        """Return the lines of the next chunk; none at the end."""
        enough = self._settings.flush_lines
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._closing.is_set())
            self._arrived.wait_for(
                lambda: len(self._queue) >= enough or self._closing.is_set(), self._settings.flush_seconds
            )
            return [self._queue.popleft() for dummy in range(min(enough, len(self._queue)))]

    def _send(self) -> None:
        """Deliver chunk by chunk until the end."""
        while True:
            self._written.clear()
            taken = self._buffer.take()
            if taken:
                chunk, content = taken
                if not self._deliver(chunk, content):
                    break
            elif self._closing.is_set() and not self._writer.is_alive():
                break
            else:
                self._written.wait()
        if self._connection:
            self._connection.close()

    def _deliver(self, chunk: Chunk, content: bytes) -> bool:
        """Deliver a chunk, as often as it takes; return whether it has arrived, or is of no use, before the end."""
        try:
            messages = list(decode(content))
        except ValueError as error:
            LOG.error("%s of the buffer for Fluentd is damaged and is dropped: %s", chunk.name, error)
            self._buffer.drop(chunk)
            return True
        arrived: set[str] = set()
        while True:
            try:
                self._connected().deliver(messages, arrived)
            except (OSError, ValueError, ProtocolError) as error:
                if not self._again(error):
                    return False
                continue
            if self._failures:
                LOG.warning("Fluentd %s takes lines again", self._server)
                self._failures, self._why = 0, ""
            self._forwarded += chunk.lines
            self._buffer.remove(chunk)
            return True

    def _connected(self) -> Connection:
        if self._connection and self._connection.lost():
            self._connection.close()
            self._connection = None
        if not self._connection:
            self._connection = Connection(self._server)
        return self._connection

    def _again(self, error: Exception) -> bool:
        """Wait after a failure; return whether there will be another try."""
        if self._connection:
            self._connection.close()
            self._connection = None
        if str(error) != self._why:
            LOG.warning("Fluentd %s: %s; lines wait in %s", self._server, error, self._settings.buffer_directory)
            self._why = str(error)
        first, longest = self._settings.retry_seconds
        pause = min(longest, first * 2 ** min(self._failures, 30))
        self._failures += 1
        return not self._closing.wait(pause)
