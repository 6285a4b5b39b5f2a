# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver that runs as a process of its own, with hosts in 127.0.0.0/8."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import bootlog

PACKAGE = Path(bootlog.__file__).parents[1]
BOOT_SERVER = "127.77.0.2"
# Puts sockets where systemd puts them and becomes the receiver; LISTEN_PID has to be the process itself.
ACTIVATED = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
for place, number in enumerate(map(int, sys.argv[1].split(","))):
    os.dup2(number, 3 + place)
os.execv(sys.executable, [sys.executable, "-m", "bootlog", "receive", "--config", sys.argv[2]])
"""


def address_of(number: int) -> str:
    """Return the address of host N."""
    return f"127.77.{1 + number // 250}.{1 + number % 250}"


class Sender:
    """Sends from one address, as many datagrams as wanted."""

    def __init__(self, source: str, to: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.connect(to)

    def send(self, *datagrams: str | bytes) -> None:
        for datagram in datagrams:
            self._socket.send(datagram if isinstance(datagram, bytes) else datagram.encode())

    def close(self) -> None:
        self._socket.close()


class RunningReceiver:
    """The process and its files. Its sockets outlive it, as those of systemd do."""

    def __init__(self, directory: Path, hosts: int = 3, *, dual: bool = False, **config: Any) -> None:
        """Open the sockets and write the files; dual: IPv6 sockets that take IPv4 as well, as the role has them."""
        self.directory = directory
        self.config = directory / "bootlog.json"
        self.hosts_file = directory / "hosts.json"
        self.log_directory = directory / "log"
        self.database = directory / "bootlog.sqlite"
        self.sockets = [self._socket(dual) for _purpose in range(2)]
        self.environment: dict[str, str] = {}
        self.set_hosts(hosts)
        self.configure(**config)
        self.process: subprocess.Popen[str] | None = None
        self._senders: list[Sender] = []

    @staticmethod
    def _socket(dual: bool) -> socket.socket:
        own = socket.socket(socket.AF_INET6 if dual else socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if dual:
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        own.bind(("::" if dual else "127.0.0.1", 0))
        return own

    def configure(self, **config: Any) -> None:
        """Write the configuration."""
        settings = {
            "hosts_file": str(self.hosts_file),
            "log_directory": str(self.log_directory),
            "database": str(self.database),
            "boot_servers": [BOOT_SERVER],
            **config,
        }
        self.config.write_text(json.dumps(settings), encoding="utf-8")

    def set_hosts(self, hosts: int) -> None:
        entries = [
            {"name": f"host{number}", "address": address_of(number), "mac": f"52:54:00:77:00:{number:02x}"}
            for number in range(hosts)
        ]
        self.hosts_file.write_text(json.dumps(entries), encoding="utf-8")

    def start(self) -> None:
        """Start it with the sockets of systemd's protocol, and wait until it is ready."""
        numbers = [own.fileno() for own in self.sockets]
        high = [os.dup(number) for number in numbers]  # out of the way of 3 and 4
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "LISTEN_FDS": "2", **self.environment}
        environment.setdefault("LISTEN_FDNAMES", "netconsole:events")
        self.process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATED, ",".join(map(str, high)), str(self.config)],
            pass_fds=[*numbers, *high],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in high:
            os.close(number)
        assert self.process.stderr is not None
        self.greeting = self.process.stderr.readline()

    def sender(self, host: int | str, to: Literal["netconsole", "events"] = "netconsole") -> Sender:
        """Return a sender from the address of a host, or from any other."""
        own = self.sockets[0 if to == "netconsole" else 1]
        source = address_of(host) if isinstance(host, int) else host
        self._senders.append(Sender(source, ("127.0.0.1", own.getsockname()[1])))
        return self._senders[-1]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        assert self.process.stderr is not None
        self.rest = self.process.stderr.read()
        self.process.stderr.close()
        self.process = None
        return status

    def close(self) -> None:
        if self.process is not None:
            self.stop(signal.SIGKILL)
        for own in self.sockets:
            own.close()
        for sender in self._senders:
            sender.close()

    def lines(self, host: int | None) -> list[dict[str, Any]]:
        """Return the lines of all boots of a host, or of unknown senders."""
        if host is None:
            paths = sorted(self.log_directory.glob("unknown*.jsonl"))
        else:
            paths = sorted(self.log_directory.glob(f"host{host}/*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]

    def texts(self, host: int | None) -> list[str]:
        return [line["text"] for line in self.lines(host)]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what the page would read."""
        reader = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        reader.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in reader.execute(query)]
        finally:
            reader.close()


def eventually(what: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true; fail when it is not in time."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "in vain"
        time.sleep(0.02)
