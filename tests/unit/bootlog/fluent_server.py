# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of Fluentd's forward protocol that can misbehave. Written from the specification, not from our client."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import msgpack

Entry = tuple[str, int, dict[str, Any]]  # tag, time in nanoseconds, record
NAME = "fluentd.example.org"
NONCE = bytes(range(200, 216))  # which is no UTF-8


class FluentServer:
    """Listens on loopback. What it does with a message is decided by ``answer``.

    answer: called with the connection, and the number of the message since the beginning and its chunk.
    """

    def __init__(
        self,
        port: int = 0,
        key: str | None = None,
        greeting: object = None,
        certificate: str | None = None,
        answer: Callable[[socket.socket, int, str], None] | None = None,
    ) -> None:
        self.key = key
        self.greeting = greeting
        self.answer = answer or acknowledge
        self.entries: list[Entry] = []
        self.chunks: list[str] = []
        self.connections: list[socket.socket] = []
        self.refusals = 0
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _dummy = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.connections.append(connection)
            unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 30)
            if self.key is not None or self.greeting is not None:
                greeting = self.greeting or ["HELO", {"nonce": NONCE, "auth": b"salt", "keepalive": True}]
                connection.sendall(msgpack.packb(greeting))
                if not self._admit(connection, read(connection, unpacker)):
                    self.refusals += 1
                    return
            while True:
                self._take(connection, read(connection, unpacker))
        except OSError:
            pass
        finally:
            connection.close()

    def _admit(self, connection: socket.socket, ping: list[Any]) -> bool:
        word, host, salt, digest, user, password = ping
        assert (word, user, password) == ("PING", "", "")
        key = (self.key or "").encode()
        good: bool = digest == hashlib.sha512(salt + host.encode() + NONCE + key).hexdigest()
        own = hashlib.sha512(salt + NAME.encode() + NONCE + key).hexdigest()
        pong = ["PONG", True, "", NAME, own] if good else ["PONG", False, "shared_key mismatch", "", ""]
        connection.sendall(msgpack.packb(pong))
        return good

    def _take(self, connection: socket.socket, message: list[Any]) -> None:
        tag, packed, option = message
        taken: list[Entry] = []
        for stamp, record in msgpack.Unpacker(io.BytesIO(packed), raw=False):
            assert stamp.code == 0
            seconds, nanoseconds = int.from_bytes(stamp.data[:4], "big"), int.from_bytes(stamp.data[4:], "big")
            assert nanoseconds < 1_000_000_000
            taken.append((tag, seconds * 1_000_000_000 + nanoseconds, record))
        assert len(taken) == option["size"]
        self.entries += taken
        self.chunks.append(option["chunk"])
        self.answer(connection, len(self.chunks), option["chunk"])

    def texts(self) -> list[str]:
        """Return the texts in the order of their arrival."""
        return [entry[-1]["text"] for entry in self.entries]

    def hang_up(self) -> None:
        """Close all connections."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def close(self) -> None:
        """Go away."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        self.hang_up()

    def __enter__(self) -> FluentServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def acknowledge(connection: socket.socket, number: int, chunk: str) -> None:
    """Do what the specification says."""
    connection.sendall(msgpack.packb({"ack": chunk}))


def read(connection: socket.socket, unpacker: msgpack.Unpacker) -> list[Any]:
    """Return the next message."""
    while True:
        for message in unpacker:
            assert isinstance(message, list)
            return message
        said = connection.recv(65536)
        if not said:
            raise ConnectionResetError
        unpacker.feed(said)


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
