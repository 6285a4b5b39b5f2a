# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real rsyslog understands what is sent, and nobody waits for one that is away."""

from __future__ import annotations

import dataclasses
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bootlog.line import Line
from bootlog.syslog_output import LONGEST, Settings, SyslogOutput, encode

from tests.unit.bootlog.fluent_server import until

KNOWN = Line(1760000000.123456, "udoo1", 17, "netconsole", 4, 812, 3.21, "map", 3, "rbd: image mapped")


class Rsyslog:
    """An rsyslog that writes what it has understood, as JSON."""

    def __init__(self, directory: Path, transport: str) -> None:
        self.written = directory / "written"
        self.configuration = directory / "rsyslog.conf"
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as reserved:
            reserved.bind(("127.0.0.1", 0))
            self.port = int(reserved.getsockname()[1])
        names = {"facility": "syslogfacility-text", "severity": "syslogseverity-text", "host": "hostname"}
        names |= {"application": "app-name", "data": "structured-data", "text": "msg", "time": "timereported"}
        fields = ",".join(f'\\"{name}\\":\\"%{field}:::json%\\"' for name, field in names.items())
        fields = fields.replace("%timereported:::", "%timereported:::date-rfc3339,")
        self.configuration.write_text(
            f'module(load="im{transport}")\n'
            f'input(type="im{transport}" address="127.0.0.1" port="{self.port}")\n'
            f'template(name="fields" type="string" string="{{{fields}}}\\n")\n'
            f'action(type="omfile" file="{self.written}" template="fields")\n',
            encoding="utf-8",
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it in the foreground."""
        words = [
            "/usr/sbin/rsyslogd",
            "-n",
            "-f",
            str(self.configuration),
            "-i",
            str(self.configuration.with_suffix(".pid")),
        ]
        with subprocess.Popen(words) as process:
            try:
                until(lambda: self.configuration.with_suffix(".pid").exists())
                time.sleep(0.3)  # it opens its sockets at last
                assert process.poll() is None
                yield
            finally:
                process.terminate()
                process.wait(10)

    def read(self) -> list[dict[str, str]]:
        """Return what has arrived."""
        if not self.written.exists():
            return []
        return [json.loads(line) for line in self.written.read_text(encoding="utf-8").splitlines()]


def syslog(port: int, protocol: str = "tcp", **changed: Any) -> SyslogOutput:
    short = Settings(retry_seconds=(0.02, 0.1), close_seconds=0.5)
    return SyslogOutput("127.0.0.1", port, protocol, dataclasses.replace(short, **changed))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rsyslog_understands(tmp_path: Path, transport: str) -> None:
    server = Rsyslog(tmp_path, transport)
    lines = [
        KNOWN,
        KNOWN._replace(source="dhcp", level=None, seq=None, stage=None, lost=0, text="DHCPACK(eth0) mäc"),
        Line(1760000001.0, None, None, "netconsole", None, None, None, None, 0, 'who [am] "I" 100%', "10.0.0.9"),
        KNOWN._replace(source="bootlog", stage=None, text="3 lines are missing"),
        KNOWN._replace(source="firmware", level=None, text="Boot mode: NETWORK (02)"),
    ]
    with server.running():
        output = syslog(server.port, transport)
        output.send(lines)
        until(lambda: len(server.read()) == 5)
        output.close()
    first, dhcp, stranger, own, firmware = server.read()
    assert first == {
        "facility": "kern",
        "severity": "warning",
        "time": "2025-10-09T08:53:20.123456Z",
        "host": "udoo1",
        "application": "kernel",
        "data": '[bootlog@32473 boot="17" seq="812" stage="map" lost="3"]',
        "text": "rbd: image mapped",
    }
    assert (dhcp["facility"], dhcp["severity"], dhcp["application"]) == ("daemon", "info", "dnsmasq")
    assert (dhcp["data"], dhcp["text"]) == ('[bootlog@32473 boot="17"]', "DHCPACK(eth0) mäc")
    assert (stranger["host"], stranger["data"], stranger["text"]) == ("10.0.0.9", "-", 'who [am] "I" 100%')
    assert (own["application"], firmware["application"]) == ("bootlog", "firmware")
    assert output.counters() == {"syslog_sent": 5, "syslog_dropped": 0}


def test_lines_wait_for_a_server_that_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = Rsyslog(tmp_path, "tcp")
    output = syslog(server.port)
    with server.running():
        output.send([KNOWN._replace(text="first")])
        until(lambda: len(server.read()) == 1)
    time.sleep(0.1)
    for number in range(50):
        output.send([KNOWN._replace(text=f"line {number}")])
    until(lambda: caplog.records)
    with server.running():
        until(lambda: len(server.read()) == 51)
        output.close()
    assert [line["text"] for line in server.read()] == ["first", *(f"line {number}" for number in range(50))]
    assert [record.getMessage() for record in caplog.records] == [
        "syslog server 127.0.0.1: [Errno 111] Connection refused",
        "syslog server 127.0.0.1 takes lines again",
    ]


def test_octets_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        output = syslog(server.getsockname()[1])
        output.send([KNOWN._replace(text="mäc"), KNOWN])
        output.close()
        connection, _dummy = server.accept()
        with connection:
            said = connection.recv(65536)
    length, rest = said.split(b" ", 1)
    assert rest[: int(length)].decode().endswith("mäc")
    length, rest = rest[int(length) :].split(b" ", 1)
    assert int(length) == len(rest)


def test_server_that_does_not_read_holds_nobody_up() -> None:
    """What is sent fills the buffers of TCP, and what comes after that is dropped."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        output = syslog(server.getsockname()[1], queue_lines=1000, timeout=60)
        slowest, sent, given = 0.0, -1, 0
        while output.counters()["syslog_sent"] > sent:
            sent = output.counters()["syslog_sent"]
            began = time.monotonic()
            output.send([KNOWN._replace(text="x" * 2000)] * 1000)
            slowest = max(slowest, time.monotonic() - began)
            given += 1000
            time.sleep(0.2)
        assert slowest < 0.2
        began = time.monotonic()
        output.close()
        assert time.monotonic() - began < 2
        counted = output.counters()
        assert counted["syslog_dropped"] >= 1000
        assert sum(counted.values()) == given


def test_end_does_not_wait_for_a_server_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = int(reserved.getsockname()[1])
    output = syslog(port, retry_seconds=(30, 30))
    output.send([KNOWN] * 3)
    time.sleep(0.1)
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 1
    assert output.counters() == {"syslog_sent": 0, "syslog_dropped": 3}


@pytest.mark.parametrize("text", ["x" * 5000, "ä" * 5000])
def test_long_line_is_cut_between_characters(text: str) -> None:
    message = encode(KNOWN._replace(text=text))
    assert LONGEST - 1 <= len(message) <= LONGEST
    assert set(message.decode().rsplit(" ", 1)[1]) == {text[0]}


def test_name_that_would_add_a_field_does_not() -> None:
    """Names are the inventory's; the format has to hold all the same."""
    message = encode(KNOWN._replace(host="a b\nc", level=99, text="\ud800"))
    assert message.startswith(b"<7>1 2025-10-09T08:53:20.123456Z a_b_c kernel - - [")
    assert message.endswith(b"] ?")


def test_time_that_no_calendar_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        output = syslog(server.getsockname()[1])
        output.send([KNOWN._replace(time=1e300), KNOWN._replace(time=float("nan")), KNOWN])
        until(lambda: output.counters() == {"syslog_sent": 1, "syslog_dropped": 2})
        output.close()
