# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every line reaches Fluentd, whatever Fluentd, the network and the process do."""

from __future__ import annotations

import dataclasses
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from bootlog.disk_buffer import DiskBuffer
from bootlog.fluent_connection import Server
from bootlog.forward import Forward, Settings
from bootlog.line import Line

from tests.unit.bootlog.fluent_server import FluentServer, acknowledge, until

Make = Callable[..., Forward]


def line(text: str, host: str | None = "udoo1", **fields: Any) -> Line:
    known = Line(1760000000.123456, host, 17, "netconsole", 6, 812, 3.21, None, 0, text)
    return known._replace(**fields)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make outputs with short times; those that a test leaves open are closed."""
    made: list[Forward] = []

    def forward(port: int, settings: dict[str, Any] | None = None, **server: Any) -> Forward:
        short = Settings(tmp_path / "buffer", flush_seconds=0.02, retry_seconds=(0.02, 0.1), close_seconds=0.5)
        to = Server("127.0.0.1", port, connect_timeout=2, ack_timeout=5)
        changed = dataclasses.replace(short, **(settings or {}))
        made.append(Forward(dataclasses.replace(to, **server), changed))
        return made[-1]

    yield forward
    for output in made:
        output.close()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return int(reserved.getsockname()[1])


def texts(count: int, begin: int = 0) -> list[str]:
    return [f"line {number}" for number in range(begin, begin + count)]


def test_lines_arrive_with_tag_time_and_record(make: Make) -> None:
    with FluentServer() as server:
        output = make(server.port)
        output.send([line("mapping", stage="map", lost=3), line("?", host=None, boot=None, sender="10.0.0.9")])
        until(lambda: len(server.entries) == 2)
        until(lambda: output.counters() == {"forwarded": 2, "forward_dropped": 0, "forward_buffered_bytes": 0})
    assert server.entries == [
        (
            "diskless.udoo1",
            1760000000_123456000,
            {
                **{"host": "udoo1", "boot": 17, "source": "netconsole", "level": 6, "seq": 812, "uptime": 3.21},
                **{"stage": "map", "lost": 3, "text": "mapping"},
            },
        ),
        (
            "diskless.unknown",
            1760000000_123456000,
            {
                **{"host": None, "sender": "10.0.0.9", "boot": None, "source": "netconsole", "level": 6, "seq": 812},
                **{"uptime": 3.21, "text": "?"},
            },
        ),
    ]


def test_time_is_not_rounded_into_a_second_of_a_billion_nanoseconds(make: Make) -> None:
    with FluentServer() as server:
        make(server.port).send([line("late", time=1760000000.9999998)])
        until(lambda: server.entries)
    assert server.entries[0][1] == 1760000001_000000000


def test_lines_stay_in_order_through_many_chunks(make: Make) -> None:
    with FluentServer() as server:
        output = make(server.port, {"flush_lines": 7})
        for begin in range(0, 1000, 10):
            output.send([line(text) for text in texts(10, begin)])
        until(lambda: len(server.entries) == 1000)
    assert server.texts() == texts(1000)


def test_prefix_of_the_tag(make: Make) -> None:
    with FluentServer() as server:
        make(server.port, {"tag": "lab.boot"}).send([line("x")])
        until(lambda: server.entries)
    assert server.entries[0][0] == "lab.boot.udoo1"


def test_lines_wait_on_disk_while_fluentd_is_away(
    make: Make, free_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = make(free_port)
    for text in texts(5):
        output.send([line(text)])
        time.sleep(0.05)
    until(lambda: len(list((tmp_path / "buffer").glob("*.chunk"))) == 5)
    assert output.counters()["forward_buffered_bytes"] > 0
    with FluentServer(free_port) as server:
        until(lambda: output.counters() == {"forwarded": 5, "forward_dropped": 0, "forward_buffered_bytes": 0})
        assert server.texts() == texts(5)
    assert list((tmp_path / "buffer").iterdir()) == []
    # Once, not with every try.
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == [
        f"[Errno 111] Connection refused; lines wait in {tmp_path}/buffer",
        f"Fluentd 127.0.0.1:{free_port} takes lines again",
    ]


def test_lines_survive_a_restart(make: Make, free_port: int) -> None:
    first = make(free_port)
    first.send([line("before")])
    first.close()
    second = make(free_port)
    second.send([line("after")])
    with FluentServer(free_port) as server:
        until(lambda: len(server.entries) == 2)
    assert server.texts() == ["before", "after"]


def test_end_delivers_what_can_be_delivered(make: Make) -> None:
    with FluentServer() as server:
        output = make(server.port, {"flush_seconds": 60})
        output.send([line("last words")])
        output.close()
        assert server.texts() == ["last words"]


def test_end_does_not_wait_for_a_fluentd_that_is_silent(make: Make, tmp_path: Path) -> None:
    with FluentServer(answer=lambda *_: None) as server:
        output = make(server.port)
        output.send([line("x")])
        until(lambda: server.entries)
        began = time.monotonic()
        output.close()
    assert time.monotonic() - began < 2
    assert len(list((tmp_path / "buffer").glob("*.chunk"))) == 1


def test_what_is_not_acknowledged_is_sent_again(make: Make) -> None:
    """Under the same name, so that a receiver that looks can tell."""

    def answer(connection: socket.socket, number: int, chunk: str) -> None:
        if number > 1:
            acknowledge(connection, number, chunk)

    with FluentServer(answer=answer) as server:
        output = make(server.port, ack_timeout=0.1)
        output.send([line("x")])
        until(lambda: output.counters()["forwarded"] == 1)
    assert server.texts() == ["x", "x"]
    assert server.chunks[0] == server.chunks[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ack": "another"}, "acknowledges 'another', which was not sent"),
        ({"nack": 1}, "said {'nack': 1} instead of an acknowledgement"),
        (["HELO", {"nonce": b""}], "asks for a shared key; none is configured here"),
        (7, "said 7 instead of an acknowledgement"),
    ],
)
def test_wrong_acknowledgement_is_none(make: Make, caplog: pytest.LogCaptureFixture, wrong: object, said: str) -> None:
    def answer(connection: socket.socket, number: int, chunk: str) -> None:
        if number == 1:
            connection.sendall(msgpack.packb(wrong))
        else:
            acknowledge(connection, number, chunk)

    with FluentServer(answer=answer) as server:
        output = make(server.port)
        output.send([line("x")])
        until(lambda: output.counters()["forwarded"] == 1)
    assert server.texts() == ["x", "x"]
    assert f": {said}; lines wait in" in caplog.text


@pytest.mark.parametrize(
    "garbage", [b"\xc1", b"HTTP/1.1 400 Bad Request\r\n", b"\xdb\xff\xff\xff\xff" + bytes(2 << 20)]
)
def test_server_that_speaks_something_else(make: Make, garbage: bytes) -> None:
    def answer(connection: socket.socket, number: int, chunk: str) -> None:
        if number == 1:
            connection.sendall(garbage)
        else:
            acknowledge(connection, number, chunk)

    with FluentServer(answer=answer) as server:
        output = make(server.port)
        output.send([line("x")])
        until(lambda: output.counters()["forwarded"] == 1)


def test_only_what_has_not_arrived_is_sent_again(make: Make) -> None:
    """The chunk of two hosts is two messages; the first is acknowledged before the connection breaks."""

    def answer(connection: socket.socket, number: int, chunk: str) -> None:
        if number == 2:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            acknowledge(connection, number, chunk)

    with FluentServer(answer=answer) as server:
        output = make(server.port)
        output.send([line("one", host="a"), line("two", host="b")])
        until(lambda: output.counters()["forwarded"] == 2)
    assert server.texts() == ["one", "two", "two"]


def test_idle_connection_that_was_closed_is_no_failure(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with FluentServer() as server:
        output = make(server.port)
        output.send([line("one")])
        until(lambda: output.counters()["forwarded"] == 1)
        server.hang_up()
        time.sleep(0.1)
        output.send([line("two")])
        until(lambda: output.counters()["forwarded"] == 2)
    assert server.texts() == ["one", "two"]
    assert caplog.records == []


def test_half_open_connection_holds_nobody_up(make: Make, tmp_path: Path) -> None:
    """The server accepts and never reads: what is sent fills the buffers of TCP, and what comes waits on disk."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        output = make(silent.getsockname()[1], {"flush_lines": 1000})
        long = "x" * 1000
        slowest = 0.0
        for _dummy in range(30):
            began = time.monotonic()
            output.send([line(long)] * 1000)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)
        until(lambda: output.counters()["forward_buffered_bytes"] > 30 * 1000 * 1000)
        assert slowest < 0.5
        assert output.counters()["forward_dropped"] == 0


def test_oldest_lines_are_dropped_when_the_disk_buffer_is_full(make: Make, free_port: int, tmp_path: Path) -> None:
    output = make(free_port, {"buffer_max_bytes": 20_000, "flush_lines": 10})
    for begin in range(0, 1000, 10):
        output.send([line(text) for text in texts(10, begin)])
    until(lambda: output.counters()["forward_dropped"] > 0)
    output.close()
    assert sum(path.stat().st_size for path in (tmp_path / "buffer").iterdir()) <= 20_000
    dropped = output.counters()["forward_dropped"]
    with FluentServer(free_port) as server:
        make(free_port)
        until(lambda: len(server.entries) == 1000 - dropped)
    # One chunk of ten was being tried when there was too much, and is kept; what is missing is older than all others.
    assert server.texts()[10:] == texts(990 - dropped, 10 + dropped)
    assert int(server.texts()[0].split()[1]) <= dropped


def test_damaged_file_is_dropped_and_the_next_is_sent(
    make: Make, free_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = make(free_port)
    for text in texts(3):
        first.send([line(text)])
        time.sleep(0.06)
    first.close()
    chunks = sorted((tmp_path / "buffer").glob("*.chunk"))
    assert len(chunks) == 3
    chunks[0].write_bytes(chunks[0].read_bytes()[:-5])
    chunks[1].write_bytes(b"\x93\x01\x02\x03")
    with FluentServer(free_port) as server:
        second = make(free_port)
        until(lambda: second.counters()["forwarded"] == 1)
    assert server.texts() == ["line 2"]
    assert second.counters()["forward_dropped"] == 2
    assert caplog.text.count("is damaged and is dropped") == 2


def test_memory_is_bounded_while_the_disk_stands_still(
    make: Make, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    goes_on = threading.Event()
    append = DiskBuffer.append

    def stuck(self: DiskBuffer, content: bytes, lines: int) -> None:
        goes_on.wait(10)
        append(self, content, lines)

    monkeypatch.setattr(DiskBuffer, "append", stuck)
    output = make(free_port, {"queue_lines": 100, "flush_lines": 10})
    began = time.monotonic()
    for _dummy in range(50):
        output.send([line("x")] * 10)
    assert time.monotonic() - began < 1
    # Ten, or none yet, are on their way to the disk.
    assert output.counters()["forward_dropped"] in (390, 400)
    goes_on.set()


def test_full_disk_is_told_and_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with FluentServer() as server, monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(Path, "write_bytes", full)
        output = make(server.port)
        output.send([line("x")] * 3)
        until(lambda: output.counters()["forward_dropped"] == 3)
        until(lambda: "No space left on device; 3 lines for Fluentd are lost" in caplog.text)
        patch.undo()
        output.send([line("after")])
        until(lambda: server.texts() == ["after"])


def test_line_that_cannot_be_encoded_ends_nothing(make: Make) -> None:
    with FluentServer() as server:
        output = make(server.port)
        output.send([line("x", seq=1 << 70)])
        until(lambda: output.counters()["forward_dropped"] == 1)
        output.send([line("lone \ud800 surrogate"), line("after")])
        until(lambda: server.texts() == ["lone ? surrogate", "after"])


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("s3cret\n", encoding="utf-8")
    return path


def test_shared_key(make: Make, key: Path) -> None:
    with FluentServer(key="s3cret") as server:
        output = make(server.port, shared_key_file=key)
        output.send([line("x")])
        until(lambda: output.counters()["forwarded"] == 1)
    assert server.refusals == 0


def test_wrong_shared_key_is_told_and_a_right_one_is_read_anew(
    make: Make, key: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FluentServer(key="other") as server:
        output = make(server.port, shared_key_file=key)
        output.send([line("x")])
        until(lambda: server.refusals > 2)
        assert "refuses the login: shared_key mismatch; lines wait in" in caplog.text
        key.write_text("other", encoding="utf-8")
        until(lambda: output.counters()["forwarded"] == 1)


def test_nothing_is_sent_to_a_server_that_does_not_know_the_key(
    make: Make, key: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def admit(_self: FluentServer, connection: socket.socket, _ping: object) -> bool:
        connection.sendall(msgpack.packb(["PONG", True, "", "impostor", "0" * 128]))
        return True

    monkeypatch.setattr(FluentServer, "_admit", admit)
    with FluentServer(key="guess") as server:
        make(server.port, shared_key_file=key).send([line("x")])
        until(lambda: "does not know the shared key itself" in caplog.text)
        time.sleep(0.1)
    assert server.entries == []


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (["HELO"], "said ['HELO'] instead of HELO"),
        (["HELO", {"nonce": 7}], "instead of HELO"),
        ({"ack": "x"}, "instead of HELO"),
    ],
)
def test_greeting_that_cannot_be_answered(
    make: Make, key: Path, caplog: pytest.LogCaptureFixture, greeting: object, said: str
) -> None:
    with FluentServer(greeting=greeting) as server:
        make(server.port, shared_key_file=key).send([line("x")])
        until(lambda: said in caplog.text)


def test_server_that_does_not_ask_for_the_key(make: Make, key: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FluentServer() as server:
        make(server.port, shared_key_file=key, connect_timeout=0.1).send([line("x")])
        until(lambda: "no HELO: has its in_forward a section <security>?" in caplog.text)
    assert server.entries == []


def test_key_that_cannot_be_read(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FluentServer(key="s3cret") as server:
        make(server.port, shared_key_file=tmp_path / "absent").send([line("x")])
        until(lambda: f"No such file or directory: '{tmp_path}/absent'" in caplog.text)


def test_tls_with_shared_key(make: Make, key: Path, certificates: dict[str, Path]) -> None:
    own = certificates["own"]
    with FluentServer(key="s3cret", certificate=str(own)) as server:
        output = make(server.port, shared_key_file=key, tls_ca_file=own)
        for text in texts(3):
            output.send([line(text)])
            time.sleep(0.05)
        until(lambda: output.counters()["forwarded"] == 3)
        assert len(server.connections) == 2  # one, as TCP and as TLS
    assert server.texts() == texts(3)


@pytest.mark.parametrize(("served", "trusted"), [("own", "other"), ("other", "other")])
def test_certificate_of_somebody_else(
    make: Make, certificates: dict[str, Path], caplog: pytest.LogCaptureFixture, served: str, trusted: str
) -> None:
    with FluentServer(certificate=str(certificates[served])) as server:
        make(server.port, tls_ca_file=certificates[trusted]).send([line("x")])
        until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
    assert server.entries == []


def test_many_lines_in_little_time(make: Make) -> None:
    """50,000 lines of 1,000 hosts, as one second of the largest storm brings them."""
    with FluentServer() as server:
        output = make(server.port, {"flush_seconds": 0.2})
        batch = [
            line("a line of usual length, as the kernel writes them when it finds a device", host=f"host{number}")
            for number in range(1000)
        ]
        for _dummy in range(50):
            output.send(batch)
        until(lambda: output.counters()["forwarded"] == 50_000, 60)
    assert output.counters()["forward_dropped"] == 0


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
