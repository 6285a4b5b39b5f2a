# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we send is understood by a server that somebody else has written: @fluent-org/logger for Node.js."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bootlog.fluent_connection import Server
from bootlog.forward import Forward, Settings
from bootlog.line import Line

from tests.unit.bootlog.fluent_server import until

MODULES = Path(__file__).parents[3] / ".cache" / "fluent_peer" / "node_modules"


@contextmanager
def peer(**options: object) -> Iterator[tuple[int, list[list[Any]]]]:
    """Run the server; yield its port and the list of what has arrived."""
    program = str(Path(__file__).parent / "fluent_peer" / "server.js")
    environment = {**os.environ, "NODE_PATH": str(MODULES)}
    words = ["node", program, json.dumps({"port": 0, **options})]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            entries: list[list[Any]] = []
            reader = threading.Thread(target=lambda out: entries.extend(map(json.loads, out)), args=[process.stdout])
            reader.start()
            yield port, entries
        finally:
            process.kill()
    reader.join()


@pytest.mark.parametrize("key", [None, "s3cret"])
@pytest.mark.parametrize("tls", [False, True])
def test_lines_arrive_and_are_acknowledged(
    tmp_path: Path, certificates: dict[str, Path], key: str | None, tls: bool
) -> None:
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    certificate = certificates["own"]
    with peer(key=key, certificate=str(certificate) if tls else None) as (port, entries):
        server = Server(
            "127.0.0.1",
            port,
            shared_key_file=tmp_path / "key" if key else None,
            tls_ca_file=certificate if tls else None,
            ack_timeout=5,
        )
        output = Forward(server, Settings(tmp_path / "buffer", flush_seconds=0.02))
        known = Line(1760000000.123456, "udoo1", 17, "netconsole", 6, 0, 3.21, "map", 0, "mäpping")
        for number in range(100):
            output.send([known._replace(seq=number), known._replace(host="udoo2", seq=number)])
        until(lambda: output.counters() == {"forwarded": 200, "forward_dropped": 0, "forward_buffered_bytes": 0})
        output.close()
        until(lambda: len(entries) == 200)
    record = {"boot": 17, "source": "netconsole", "level": 6, "uptime": 3.21, "stage": "map", "text": "mäpping"}
    for host in ("udoo1", "udoo2"):
        assert [entry for entry in entries if entry[0] == f"diskless.{host}"] == [
            [f"diskless.{host}", "1760000000", "123456000", {"host": host, "seq": number, **record}]
            for number in range(100)
        ]


def test_wrong_key_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text("guess", encoding="utf-8")
    with peer(key="s3cret") as (port, entries):
        server = Server("127.0.0.1", port, shared_key_file=tmp_path / "key", ack_timeout=5)
        output = Forward(server, Settings(tmp_path / "buffer", flush_seconds=0.02))
        output.send([Line(1.0, "udoo1", 17, "netconsole", 6, 0, 3.21, None, 0, "x")])
        until(lambda: "refuses the login" in caplog.text)
        output.close()
    assert entries == []
