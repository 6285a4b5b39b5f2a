# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of Fluentd's forward protocol.

https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1

Why our own: the client library in Debian, python3-fluent-logger 0.10.0, has no acknowledgement, no authentication, no
TLS and no buffer on disk; it drops its buffer in memory as a whole when that is full.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgpack

from .line import Line

MICROSECONDS = 1_000_000
EVENT_TIME = 0  # number of the msgpack extension type
UNKNOWN = "unknown"  # end of the tag of senders that are no known host
LARGEST = 64 << 20  # bytes of a message, far more than there are


class ProtocolError(Exception):
    """The server does not say what the protocol expects of it."""


class Message(NamedTuple):
    """Lines of one tag, as they go over the wire, and the name by which they are acknowledged."""

    chunk: str
    data: bytes


def encode(lines: Sequence[Line], prefix: str) -> bytes:
    """Return messages in PackedForward mode, one for each host, with the lines in their order."""
    packer = msgpack.Packer(use_bin_type=True, unicode_errors="replace")
    entries: dict[str, list[bytes]] = {}
    for line in lines:
        packed: bytes = packer.pack([_event_time(line.time), record(line)])
        entries.setdefault(f"{prefix}.{UNKNOWN if line.host is None else line.host}", []).append(packed)
    messages = (
        [tag, b"".join(packed), {"size": len(packed), "chunk": base64.b64encode(os.urandom(16)).decode()}]
        for tag, packed in entries.items()
    )
    return b"".join(packer.pack(message) for message in messages)


def decode(content: bytes) -> Iterator[Message]:
    """Yield the messages that ``encode`` has made.

    :raises ValueError: it is something else.
    """
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=max(LARGEST, len(content)), strict_map_key=False)
    unpacker.feed(content)
    begin = 0
    while begin < len(content):
        try:
            message = unpacker.unpack()
            chunk = message[2]["chunk"]
        except Exception as error:  # msgpack has exceptions without a common ancestor, and anything may be in the file
            raise ValueError(f"no messages: {error!r}") from error
        if not isinstance(chunk, str):
            raise ValueError("no messages: the chunk has no name")
        end = unpacker.tell()
        yield Message(chunk, content[begin:end])
        begin = end


def record(line: Line) -> dict[str, str | int | float | None]:
    """Return a line as an object with the keys of the files, without the time."""
    fields: dict[str, str | int | float | None] = {"host": line.host}
    if line.sender is not None:
        fields["sender"] = line.sender
    fields |= {"boot": line.boot, "source": line.source, "level": line.level, "seq": line.seq, "uptime": line.uptime}
    if line.stage is not None:
        fields["stage"] = line.stage
    if line.lost:
        fields["lost"] = line.lost
    fields["text"] = line.text
    return fields


def _event_time(time: float) -> msgpack.ExtType:
    seconds, microseconds = divmod(round(time * MICROSECONDS), MICROSECONDS)
    return msgpack.ExtType(EVENT_TIME, seconds.to_bytes(4, "big") + (microseconds * 1000).to_bytes(4, "big"))


def acknowledged(message: object) -> str:
    """Return the name of the chunk that the server acknowledges.

    :raises ProtocolError: it does something else.
    """
    match message:
        case {"ack": str() as chunk}:
            return chunk
        case ["HELO", *_]:
            raise ProtocolError("asks for a shared key; none is configured here")
        case _:
            raise ProtocolError(f"said {str(message)[:100]} instead of an acknowledgement")


class Login:
    """Proof of a shared key, of both sides.

    key: the shared key.
    name: what the client calls itself; Fluentd refuses a client that is called like itself.
    """

    def __init__(self, key: bytes, name: str) -> None:
        self._key = key
        self._name = name
        self._salt = os.urandom(16)
        self._nonce = b""

    def ping(self, helo: object) -> bytes:
        """Answer the server's greeting.

        Fluentd sends a salt for passwords even if it asks for none, so the user name is left empty in any case; a
        server that wants one refuses.

        :raises ProtocolError: it is none.
        """
        match helo:
            case ["HELO", {"nonce": bytes() | str() as nonce}]:
                self._nonce = nonce if isinstance(nonce, bytes) else nonce.encode(errors="surrogateescape")
            case _:
                raise ProtocolError(f"said {str(helo)[:100]} instead of HELO")
        packed: bytes = msgpack.packb(["PING", self._name, self._salt, self._digest(self._name), "", ""])
        return packed

    def check(self, pong: object) -> None:
        """Check the server's answer.

        :raises ProtocolError: it refuses the key, or does not know it itself.
        """
        match pong:
            case ["PONG", True, _, str() as server, digest] if digest == self._digest(server):
                return
            case ["PONG", True, *_]:
                raise ProtocolError("does not know the shared key itself")
            case ["PONG", _, reason, *_]:
                raise ProtocolError(f"refuses the login: {str(reason)[:100]}")
            case _:
                raise ProtocolError(f"said {str(pong)[:100]} instead of PONG")

    def _digest(self, name: str) -> str:
        return hashlib.sha512(self._salt + name.encode() + self._nonce + self._key).hexdigest()
