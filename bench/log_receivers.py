# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot log, rsyslog and netconsd, each started to take netconsole datagrams and write a file per host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from lab.images import ensure_image, recipe
from lab.podman import podman

PORT = 16666
ROOT = Path(__file__).resolve().parents[1]
RSYSLOG = """
global(net.enableDNS="off" workDirectory="/out" maxMessageSize="4k")
module(load="imudp" threads="2" batchSize="128")
template(name="file" type="string" string="/out/%fromhost-ip%.log")
template(name="line" type="string" string="%rawmsg%\\n")
ruleset(name="all" queue.type="LinkedList" queue.size="2000000" queue.dequeueBatchSize="2048") {
  action(type="omfile" dynaFile="file" template="line" dynaFileCacheSize="1100" asyncWriting="on" flushOnTXEnd="off")
}
input(type="imudp" address="127.0.0.1" port="PORT" rcvbufSize="64m" ruleset="all")
"""


def address(number: int) -> str:
    """Return the address from which the generator sends as sender N."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


class Receiver(Protocol):
    """What is measured."""

    name: str

    def start(self, directory: Path, senders: int) -> int:
        """Start it, with its files in a directory; return the process id."""

    def stop(self) -> None:
        """Stop it and wait until everything is written."""

    def messages(self, directory: Path) -> int:
        """Return how many messages are in the files."""


class BootLog:
    """The receiver of this collection, as the role starts it, but for systemd's sockets."""

    name = "boot log"

    def start(self, directory: Path, senders: int) -> int:
        hosts = [{"name": f"host{number}", "address": address(number)} for number in range(senders)]
        (directory / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")
        config = {
            "listen": [f"127.0.0.1:{PORT}"],
            "hosts_file": str(directory / "hosts.json"),
            "log_directory": str(directory / "log"),
            "database": str(directory / "bootlog.sqlite"),
        }
        (directory / "bootlog.json").write_text(json.dumps(config), encoding="utf-8")
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "bootlog", "receive", "--config", str(directory / "bootlog.json")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "roles" / "bootlog" / "files")},
            stderr=subprocess.DEVNULL,
        )
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)

    def messages(self, directory: Path) -> int:
        return count_lines((directory / "log").glob("*/*.jsonl"), b'"source": "netconsole"')


class _Container:
    """A peer from Debian 13, in the machine's own network and with its files in ``directory``."""

    name = ""

    def command(self, directory: Path) -> list[str]:
        raise NotImplementedError

    def start(self, directory: Path, senders: int) -> int:
        image = ensure_image(recipe("log_receivers"), lambda text: print(text, file=sys.stderr, flush=True))
        command = self.command(directory)
        self._container = podman(
            *("run", "--detach", "--rm", "--network=host", f"--volume={directory}:/out", "--workdir=/out", image),
            *command,
        ).stdout.strip()
        return int(podman("inspect", "--format={{.State.Pid}}", self._container).stdout)

    def stop(self) -> None:
        podman("stop", "--time=30", self._container, check=False)

    def messages(self, directory: Path) -> int:
        return count_lines(path for path in directory.iterdir() if "127.1." in path.name)


class Rsyslog(_Container):
    """imudp: each datagram is a line; it knows neither the extended format nor fragments."""

    name = "rsyslog"

    def command(self, directory: Path) -> list[str]:
        (directory / "rsyslog.conf").write_text(RSYSLOG.replace("PORT", str(PORT)), encoding="utf-8")
        return ["rsyslogd", "-n", "-f", "/out/rsyslog.conf", "-i", "NONE"]


class Netconsd(_Container):
    """With the module that writes a file per host, two listeners and two workers.

    It leaves the receive buffer as the kernel makes it (sysctl net.core.rmem_default); there is no option for that.
    """

    name = "netconsd"

    def command(self, directory: Path) -> list[str]:
        return [
            "netconsd",
            "-l",
            "2",
            "-w",
            "2",
            "-a",
            "::ffff:127.0.0.1",
            "-u",
            str(PORT),
            "/usr/libexec/netconsd/logger.so",
        ]


def count_lines(paths: Iterable[Path], mark: bytes = b"") -> int:
    """Return how many lines with a mark the files have."""
    count = 0
    for path in paths:
        with path.open("rb") as handle:
            count += sum(mark in line for line in handle)
    return count
