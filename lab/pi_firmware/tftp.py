# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TFTP as the firmware uses it: a remote file system that can be asked for sizes and whole files.

RFC 1350 with the options ``tsize`` (RFC 2349) and ``blksize`` (RFC 2348).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from lab.pi_firmware.errors import TransferFailed

PORT = 69
BLOCK = 1468  # bytes, what fits into an Ethernet frame; the bootloader asks for it since its release of 2022
PLAIN_BLOCK = 512  # of a server that knows no options
BLOCKS = 0xFFFF  # the block number does not start over (rpi-eeprom issue 720, fixed in September 2025)
RRQ, DATA, ACKNOWLEDGEMENT, ERROR, OPTIONS = 1, 3, 4, 5, 6
TWO = struct.Struct("!HH")  # opcode; block or error number
# How the firmware ends a transfer that it began for the size alone (observed).
ABORT = TWO.pack(ERROR, 0) + b"Early terminate\0"


class Outcome(Enum):
    """What became of a request."""

    PROBED = "probed"
    PEEKED = "peeked"
    SENT = "sent"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True)
class Request:
    """One request: the file, what became of it, and its size in bytes."""

    name: str
    outcome: Outcome
    size: int = 0

    def __str__(self) -> str:
        """Return it in a line, such as ``sent 4096 77a00012/config.txt``."""
        return f"{self.outcome.value} {self.size} {self.name}"


@dataclass(frozen=True)
class Tftp:
    """A TFTP server.

    file_timeout: seconds that one file may take.
    resend: seconds after which the firmware says again what was not answered.
    log: told of every request when it is over.
    """

    server: str
    file_timeout: float
    resend: float
    log: Callable[[Request], None] = lambda _request: None
    port: int = PORT

    def probe(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None when the server has none for us, as the bootloader looks for one.

        The transfer ends before the first block. A server that knows no options has only that block counted.

        :raises TransferFailed: when the server does not answer in time.
        """
        with self._transfer(name) as transfer:
            size = transfer.begin()
            if size is not None:
                transfer.abort()
            return self._logged(Outcome.PROBED, name, size)

    def peek(self, name: str) -> int | None:
        """Return the same as start4.elf looks for a file: the transfer ends after the first block.

        :raises TransferFailed: when the server does not answer in time.
        """
        with self._transfer(name) as transfer:
            size = transfer.begin()
            if size is not None:
                transfer.blocks(1)
                transfer.abort()
            return self._logged(Outcome.PEEKED, name, size)

    def get(self, name: str) -> bytes | None:
        """Return the content of a file, or None when the server has none for us.

        :raises TransferFailed: when it does not arrive whole in time.
        """
        with self._transfer(name) as transfer:
            content = None if transfer.begin() is None else transfer.whole()
            self._logged(Outcome.SENT, name, None if content is None else len(content))
            return content

    def _logged(self, outcome: Outcome, name: str, size: int | None) -> int | None:
        self.log(Request(name, Outcome.MISSING) if size is None else Request(name, outcome, size))
        return size

    @contextlib.contextmanager
    def _transfer(self, name: str) -> Iterator[_Transfer]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            try:
                yield _Transfer(connection, self, name)
            except TransferFailed:
                self.log(Request(name, Outcome.FAILED))
                raise


class _Transfer:
    """One transfer, on a port of its own."""

    def __init__(self, connection: socket.socket, tftp: Tftp, name: str) -> None:
        self.socket = connection
        self.tftp = tftp
        self.name = name
        self.deadline = time.monotonic() + tftp.file_timeout
        self.block = PLAIN_BLOCK
        self.size: int | None = None
        self.first: bytes | None = None  # the first block, of a server that knows no options
        self.number = 0  # of the last block that has arrived
        self.ended = False
        self.packet = bytearray(TWO.size + BLOCK)
        connection.settimeout(tftp.resend)

    def begin(self) -> int | None:
        """Ask for the file; return its size, or None when there is none for us."""
        options = b"tsize\x000\0blksize\0%d\0" % BLOCK
        asked = struct.pack("!H", RRQ) + self.name.encode("latin-1", "replace") + b"\0octet\0" + options
        opcode, answer = self._answer(asked)
        if opcode == ERROR:
            return None
        if opcode == OPTIONS:
            self._take(answer)
        elif opcode == DATA:
            self.first = answer[2:]
        else:
            raise self._failure(f"{self.tftp.server} answered with opcode {opcode}")
        return len(self.first or b"") if self.size is None else self.size

    def abort(self) -> None:
        """Do without the file."""
        with contextlib.suppress(OSError):
            self.socket.send(ABORT)

    def blocks(self, most: int) -> bytes:
        """Return what is in so many blocks; the last one is not acknowledged."""
        content = bytearray(self.first or b"")
        self.number = 0 if self.first is None else 1
        self.ended = self.first is not None and len(self.first) < self.block
        while not self.ended and self.number < most:
            self._acknowledge()
            self._check_time(f"{len(content)} bytes have arrived")
            block = self._receive(self.number + 1)
            if block is not None:
                self.number += 1
                content += block
                self.ended = len(block) < self.block
        return bytes(content)

    def whole(self) -> bytes:
        """Return the content."""
        content = self.blocks(BLOCKS)
        if not self.ended:
            raise self._failure(f"it has more than {BLOCKS} blocks, which this firmware cannot count")
        self._acknowledge()
        if self.size not in (None, len(content)):
            raise self._failure(f"{len(content)} bytes arrived of the {self.size} that were announced")
        return content

    def _answer(self, asked: bytes) -> tuple[int, bytes]:
        """Ask until there is an answer; from then on the port that it came from is the only one heard."""
        while True:
            self._check_time("no answer")
            with contextlib.suppress(OSError):  # no route or no ARP answer yet
                self.socket.sendto(asked, (self.tftp.server, self.tftp.port))
            try:
                answer, sender = self.socket.recvfrom(len(self.packet))
            except OSError:  # silence, or a port that is closed while the server restarts
                self._pause()
                continue
            if sender[0] == self.tftp.server and len(answer) >= TWO.size:
                self.socket.connect(sender)
                return TWO.unpack_from(answer)[0], answer[2:]

    def _take(self, options: bytes) -> None:
        words = options.rstrip(b"\0").split(b"\0")
        accepted = {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=False)}
        try:
            self.block = int(accepted.get(b"blksize", PLAIN_BLOCK))
            self.size = int(accepted[b"tsize"]) if b"tsize" in accepted else None
            sensible = 0 < self.block <= BLOCK
        except ValueError:
            sensible = False
        if not sensible:
            raise self._failure(f"{self.tftp.server} answered with the options {options!r}")
        if self.size is not None and self.size // self.block >= BLOCKS:
            most = BLOCKS * self.block - 1
            raise self._failure(f"{self.size} bytes are more than the {most} that this firmware can count")

    def _receive(self, number: int) -> memoryview | None:
        """Return the block with this number, or None when it is time to acknowledge the one before once more."""
        try:
            length = self.socket.recv_into(self.packet)
        except OSError:
            self._pause()
            return None
        if length < TWO.size:
            return None
        packet = memoryview(self.packet)[:length]
        opcode, block = TWO.unpack_from(packet)
        if opcode == ERROR:
            said = bytes(packet[TWO.size :]).rstrip(b"\0").decode("latin-1")
            raise self._failure(f"{self.tftp.server} ended the transfer: {said}")
        return packet[TWO.size :] if (opcode, block) == (DATA, number) else None

    def _acknowledge(self) -> None:
        with contextlib.suppress(OSError):  # an ICMP message about the packet before
            self.socket.send(TWO.pack(ACKNOWLEDGEMENT, self.number))

    def _pause(self) -> None:
        """Do not spin when errors come at once instead of after a timeout."""
        time.sleep(min(0.01, self.tftp.resend))

    def _check_time(self, so_far: str) -> None:
        if time.monotonic() > self.deadline:
            raise self._failure(f"{so_far} within {self.tftp.file_timeout:g} s")

    def _failure(self, text: str) -> TransferFailed:
        return TransferFailed(f"TFTP: {self.name}: {text}")
