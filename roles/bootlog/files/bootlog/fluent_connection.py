# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to Fluentd's in_forward."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgpack

from .fluent_protocol import Login, Message, ProtocolError, acknowledged

LARGEST_ANSWER = 1 << 20  # bytes
READ = 65536


@dataclass(frozen=True)
class Server:
    """Where a Fluentd listens, and how to talk to it.

    address, port: its address or name, which its certificate has to carry, and its TCP port.
    shared_key_file: file with the key of its ``<security>`` section; read whenever a connection is made.
    tls_ca_file: certificates by which to know its own; without, there is no TLS.
    name: what to call oneself; not the ``self_hostname`` of the server.
    connect_timeout, ack_timeout: seconds.
    """

    address: str
    port: int = 24224
    shared_key_file: Path | None = None
    tls_ca_file: Path | None = None
    name: str = field(default_factory=lambda: f"diskless-bootlog-{socket.gethostname()}")
    connect_timeout: float = 10
    ack_timeout: float = 30

    def __str__(self) -> str:
        """Return ADDRESS:PORT."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Connection:
    """A connection that is ready for messages."""

    def __init__(self, server: Server) -> None:
        """Connect and log in.

        :raises OSError: the server is not reached, its certificate is not good, or a file cannot be read.
        :raises ProtocolError: it is no in_forward, or refuses.
        """
        self._server = server
        self._unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape", max_buffer_size=LARGEST_ANSWER)
        self._socket = socket.create_connection((server.address, server.port), server.connect_timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if server.tls_ca_file:
                context = ssl.create_default_context(cafile=str(server.tls_ca_file))
                self._socket = context.wrap_socket(self._socket, server_hostname=server.address)
            if server.shared_key_file:
                self._log_in(server.shared_key_file.read_bytes().strip())
        except BaseException:
            self.close()
            raise

    def _log_in(self, key: bytes) -> None:
        login = Login(key, self._server.name)
        deadline = time.monotonic() + self._server.connect_timeout
        self._socket.sendall(login.ping(self._answer(deadline, "no HELO: has its in_forward a section <security>?")))
        login.check(self._answer(deadline, "no answer to PING"))

    def lost(self) -> bool:
        """Whether the server has closed the connection; told only while nothing is under way."""
        self._socket.settimeout(0)
        try:
            said = self._socket.recv(READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        self._unpacker.feed(said)
        return not said

    def deliver(self, messages: Iterable[Message], arrived: set[str]) -> None:
        """Send messages and wait until the server has acknowledged each.

        arrived: names of chunks; those that are in it are not sent, and the others are added when they have arrived.

        :raises OSError: the connection is lost, or the server takes too long.
        :raises ProtocolError: it acknowledges what was not sent.
        """
        waiting = [message for message in messages if message.chunk not in arrived]
        self._socket.settimeout(self._server.ack_timeout)
        self._socket.sendall(b"".join(message.data for message in waiting))
        sent = {message.chunk for message in waiting}
        deadline = time.monotonic() + self._server.ack_timeout
        while sent:
            chunk = acknowledged(self._answer(deadline, f"no acknowledgement within {self._server.ack_timeout:g} s"))
            if chunk not in sent:
                raise ProtocolError(f"acknowledges {chunk[:40]!r}, which was not sent")
            sent.remove(chunk)
            arrived.add(chunk)

    def _answer(self, deadline: float, otherwise: str) -> object:
        """Return what the server says next."""
        while True:
            try:
                return next(self._unpacker)
            except StopIteration:
                pass
            except Exception as error:  # msgpack has exceptions without a common ancestor
                raise ProtocolError(f"does not speak msgpack: {error!r}") from error
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(otherwise)
            self._socket.settimeout(left)
            try:
                said = self._socket.recv(READ)
            except TimeoutError:
                raise TimeoutError(otherwise) from None
            if not said:
                raise ConnectionResetError("closes the connection")
            try:
                self._unpacker.feed(said)
            except msgpack.BufferFull:
                raise ProtocolError("says more than any acknowledgement") from None

    def close(self) -> None:
        """End the connection; another thread that waits in it is told so."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
