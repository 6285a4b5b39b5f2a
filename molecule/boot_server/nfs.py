#!/usr/bin/python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NFSv4.0 (RFC 7530), as little as it takes to name, read and write a file; works without the kernel's NFS client.

nfs.py handle PATH: print the file handle in hexadecimal digits; nfs.py read HANDLE; nfs.py write HANDLE TEXT.
When the server refuses, print "error: NUMBER" (nfsstat4).
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable

SERVER = ("10.77.0.3", 2049)
PATIENCE = 75.0  # seconds; longer than Ceph waits for a client that has died
PROGRAM, VERSION, COMPOUND = 100003, 4, 1
GETFH, LOOKUP, PUTFH, PUTROOTFH, READ, WRITE = 10, 15, 22, 24, 25, 38
AUTH_SYS, FILE_SYNC, LAST = 1, 2, 1 << 31
NO_OPEN = bytes(16)  # the state id of those who have not opened the file


class RefusedError(Exception):
    """The server's answer was an error; the text is its number."""


def number(value: int) -> bytes:
    """XDR."""
    return struct.pack("!I", value)


def opaque(data: bytes) -> bytes:
    """XDR: a length, the data and up to three zeros."""
    return number(len(data)) + data + bytes(-len(data) % 4)


def operation(code: int, arguments: bytes = b"") -> bytes:
    """One operation of a compound."""
    return number(code) + arguments


class Answer:
    """Results, read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def number(self) -> int:
        """Take a number."""
        return int(struct.unpack("!I", self.take(4))[0])

    def take(self, count: int) -> bytes:
        """Take that many bytes."""
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def opaque(self) -> bytes:
        """Take variable-length data."""
        length = self.number()
        return self.take(length + -length % 4)[:length]

    def result(self) -> None:
        """Take the head of one operation's result: its code and status."""
        self.take(8)


def compound(*operations: bytes) -> Answer:
    """Send the operations as root; return the results of all, or raise RefusedError."""
    credentials = number(0) + opaque(b"test") + number(0) + number(0) + number(0)
    call = b"".join(map(number, (1, 0, 2, PROGRAM, VERSION, COMPOUND, AUTH_SYS))) + opaque(credentials) + bytes(8)
    call += opaque(b"") + number(0) + number(len(operations)) + b"".join(operations)
    # From a port that is root's alone: the kernel's NFS server asks for that.
    with socket.create_connection(SERVER, PATIENCE, ("", 512 + os.getpid() % 512)) as connection:
        connection.sendall(number(LAST | len(call)) + call)
        reply, last = b"", False
        with connection.makefile("rb") as stream:
            while not last:
                mark = Answer(stream.read(4)).number()
                reply, last = reply + stream.read(mark & ~LAST), bool(mark & LAST)
    answer = Answer(reply)
    answer.take(24)  # RPC: accepted
    status = answer.number()
    if status:
        raise RefusedError(status)
    answer.opaque()  # tag
    answer.number()  # of results
    return answer


def handle(path: str) -> str:
    """Return the file handle of a path."""
    names = path.strip("/").split("/")
    lookups = [operation(LOOKUP, opaque(name.encode())) for name in names]
    answer = compound(operation(PUTROOTFH), *lookups, operation(GETFH))
    for _ in range(len(names) + 2):
        answer.result()
    return answer.opaque().hex()


def read(file: str) -> str:
    """Return the beginning of the file with this handle."""
    what = NO_OPEN + struct.pack("!QI", 0, 4096)
    answer = compound(operation(PUTFH, opaque(bytes.fromhex(file))), operation(READ, what))
    answer.result()
    answer.result()
    answer.number()  # whether that was all
    return answer.opaque().decode(errors="replace")


def write(file: str, text: str) -> str:
    """Overwrite the beginning of the file with this handle."""
    what = NO_OPEN + struct.pack("!QI", 0, FILE_SYNC) + opaque(text.encode())
    compound(operation(PUTFH, opaque(bytes.fromhex(file))), operation(WRITE, what))
    return text


COMMANDS: dict[str, Callable[..., str]] = {"handle": handle, "read": read, "write": write}

if __name__ == "__main__":
    try:
        print(COMMANDS[sys.argv[1]](*sys.argv[2:]))
    except RefusedError as error:
        print("error:", error)
