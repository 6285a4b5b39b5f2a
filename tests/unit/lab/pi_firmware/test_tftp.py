# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TFTP against a server that behaves in ways that a real one seldom does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lab.patience import wait_until
from lab.pi_firmware.errors import TransferFailed
from lab.pi_firmware.tftp import BLOCK, Request, Tftp

CONTENT = bytes(range(256)) * 23  # 5888 bytes: five blocks, the last one not full
Sent = tuple[int, bytes]
Answer = Callable[[bytes], list[bytes]]


class Server:
    """Answers requests on one port and transfers on another, as ``answer`` says; notes what it was sent."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.heard: list[bytes] = []
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for each in self.sockets:
            each.bind(("127.0.0.1", 0))
            each.settimeout(0.05)
        self.port = int(self.sockets[0].getsockname()[1])
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        at = 0
        while not self.ended.is_set():
            try:
                received, client = self.sockets[at].recvfrom(2048)
            except TimeoutError:
                continue
            self.client = client
            self.heard.append(received)
            for packet in self.answer(received):
                at = 1
                self.sockets[1].sendto(packet, client)

    def close(self) -> None:
        self.ended.set()
        self.thread.join()
        for each in self.sockets:
            each.close()


def options(size: int | None = len(CONTENT), block: int | None = BLOCK) -> bytes:
    """Return an OACK."""
    return (
        b"\0\6"
        + (b"" if size is None else b"tsize\0%d\0" % size)
        + (b"" if block is None else b"blksize\0%d\0" % block)
    )


def data(number: int, content: bytes = CONTENT, block: int = BLOCK) -> bytes:
    """Return a block."""
    return struct.pack("!HH", 3, number) + content[(number - 1) * block :][:block]


def honest(received: bytes) -> list[bytes]:
    """Serve CONTENT as the protocol wants it."""
    if received[:2] == b"\0\1":
        return [options()]
    if received[:2] == b"\0\4":
        number = int.from_bytes(received[2:], "big") + 1
        return [data(number)] if (number - 1) * BLOCK <= len(CONTENT) else []
    return []


@contextlib.contextmanager
def serving(answer: Answer, timeout: float = 5) -> Iterator[tuple[Tftp, Server, list[Request]]]:
    """Serve for a moment."""
    server = Server(answer)
    log: list[Request] = []
    try:
        yield Tftp("127.0.0.1", timeout, 0.1, log.append, server.port), server, log
    finally:
        server.close()


def test_whole_file() -> None:
    with serving(honest) as (tftp, server, log):
        assert tftp.get("a/b") == CONTENT
        assert wait_until(lambda: server.heard[-1] == b"\0\4\0\5", 5, interval=0.01)
    assert server.heard[0] == b"\0\1a/b\0octet\0tsize\x000\0blksize\x001468\0"
    assert [str(request) for request in log] == ["sent 5888 a/b"]


def test_bootloader_ends_a_probe_before_the_first_block() -> None:
    with serving(honest) as (tftp, server, log):
        assert tftp.probe("a") == len(CONTENT)
        assert wait_until(lambda: server.heard[1:] == [b"\0\5\0\0Early terminate\0"], 5, interval=0.01)
    assert [str(request) for request in log] == ["probed 5888 a"]


def test_start4_elf_ends_a_probe_after_the_first_block() -> None:
    with serving(honest) as (tftp, server, log):
        assert tftp.peek("a") == len(CONTENT)
        heard = [b"\0\4\0\0", b"\0\5\0\0Early terminate\0"]
        assert wait_until(lambda: server.heard[1:] == heard, 5, interval=0.01)
    assert [str(request) for request in log] == ["peeked 5888 a"]


@pytest.mark.parametrize("ask", [Tftp.probe, Tftp.peek, Tftp.get])
def test_missing_file(ask: Callable[[Tftp, str], object]) -> None:
    with serving(lambda _received: [b"\0\5\0\1file not found\0"]) as (tftp, _, log):
        assert ask(tftp, "a") is None
    assert [str(request) for request in log] == ["missing 0 a"]


@pytest.mark.parametrize("size", [0, 1, 512, 1000, 1024])
def test_server_without_options(size: int) -> None:
    def plain(received: bytes) -> list[bytes]:
        number = 1 if received[:2] == b"\0\1" else int.from_bytes(received[2:], "big") + 1
        return [data(number, CONTENT[:size], 512)] if (number - 1) * 512 <= size else []

    with serving(plain) as (tftp, _, _):
        assert tftp.get("a") == CONTENT[:size]


@pytest.mark.parametrize("size", [0, BLOCK, 2 * BLOCK])
def test_file_that_fills_its_blocks_ends_with_an_empty_one(size: int) -> None:
    def serve(received: bytes) -> list[bytes]:
        number = int.from_bytes(received[2:4], "big") + 1
        full = (number - 1) * BLOCK <= size
        return [options(size)] if received[:2] == b"\0\1" else [data(number, CONTENT[:size])] if full else []

    with serving(serve) as (tftp, _, _):
        assert tftp.get("a") == CONTENT[:size]


def test_lost_packets_are_asked_for_again() -> None:
    lost: set[bytes] = set()

    def lossy(received: bytes) -> list[bytes]:
        if received[:2] in (b"\0\1", b"\0\4") and received not in lost:
            lost.add(received)  # everything is answered at the second time only
            return []
        return honest(received)

    with serving(lossy) as (tftp, _, _):
        assert tftp.get("a") == CONTENT


def test_repeated_blocks_are_taken_once() -> None:
    with serving(lambda received: [packet for packet in honest(received) for _ in range(3)]) as (tftp, _, _):
        assert tftp.get("a") == CONTENT


def test_nobody_answers() -> None:
    with serving(lambda _received: [], timeout=0.5) as (tftp, server, log):
        began = time.monotonic()
        with pytest.raises(TransferFailed, match=r"^TFTP: a/b: no answer within 0.5 s$"):
            tftp.get("a/b")
        assert time.monotonic() - began < 2
    assert len(server.heard) >= 2
    assert [str(request) for request in log] == ["failed 0 a/b"]


def test_closed_port_is_waited_for() -> None:
    with serving(lambda _received: []) as (tftp, server, _):
        server.close()
        quick = Tftp("127.0.0.1", 0.3, 0.1, port=tftp.port)
        with pytest.raises(TransferFailed, match="no answer within"):
            quick.get("a")


def test_server_that_falls_silent() -> None:
    with (
        serving(lambda received: honest(received) if received != b"\0\4\0\2" else [], timeout=0.5) as (tftp, _, _),
        pytest.raises(TransferFailed, match=r"^TFTP: a: 2936 bytes have arrived within 0.5 s$"),
    ):
        tftp.get("a")


def test_server_that_is_too_slow() -> None:
    def slow(received: bytes) -> list[bytes]:
        time.sleep(0.2)
        return honest(received)

    with serving(slow, timeout=0.5) as (tftp, _, _), pytest.raises(TransferFailed, match=r"have arrived within 0.5 s$"):
        tftp.get("a")


def test_transfer_that_the_server_ends() -> None:
    with (
        serving(lambda received: [b"\0\5\0\0disk on fire\0"] if received[:2] == b"\0\4" else honest(received)) as (
            tftp,
            _,
            _,
        ),
        pytest.raises(TransferFailed, match=r"^TFTP: a: 127.0.0.1 ended the transfer: disk on fire$"),
    ):
        tftp.get("a")


def test_file_that_became_shorter_while_it_was_sent() -> None:
    def replaced(received: bytes) -> list[bytes]:
        return [options(size=9999)] if received[:2] == b"\0\1" else honest(received)

    with serving(replaced) as (tftp, _, _), pytest.raises(TransferFailed, match="5888 bytes arrived of the 9999"):
        tftp.get("a")


def test_file_that_the_block_number_cannot_count() -> None:
    def huge(_received: bytes) -> list[bytes]:
        return [options(size=65535 * BLOCK)]

    with serving(huge) as (tftp, _, _), pytest.raises(TransferFailed, match="more than the 96205379"):
        tftp.get("a")


@pytest.mark.parametrize("answer", [options(block=9000), options(block=0), b"\0\6blksize\0many\0", b"\0\2x\0octet\0"])
def test_senseless_answer(answer: bytes) -> None:
    with (
        serving(lambda _received: [answer]) as (tftp, _, _),
        pytest.raises(TransferFailed, match=r"127\.0\.0\.1 answered"),
    ):
        tftp.get("a")


def test_packet_of_a_stranger_is_not_taken_for_an_answer() -> None:
    """It comes from another port than the one that the transfer is with."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger, serving(honest) as (tftp, server, _):

        def and_a_stranger(received: bytes) -> list[bytes]:
            if received[:2] == b"\0\4":
                client = server.client
                stranger.sendto(data(int.from_bytes(received[2:], "big") + 1, b"!" * 10000), client)
            return honest(received)

        server.answer = and_a_stranger
        assert tftp.get("a") == CONTENT
