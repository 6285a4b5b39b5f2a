# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot-events sends what is new in a journal to the log hosts: each line once, whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "roles" / "boot_server" / "files" / "boot-events"
UNIT = "diskless-dnsmasq.service"
# Follows a file as journalctl follows the journal: entries after a cursor, or all.
JOURNALCTL = f"""#!{sys.executable}
import json, sys, time
words = dict(word.partition("=")[::2] for word in sys.argv[1:])
entries = open({{path!r}}, "rb")
if "--lines" in words:
    assert words["--lines"] == "1" and "--unit" not in words
    sys.stdout.buffer.write((entries.readlines() or [b""])[-1])
    sys.exit()
assert words["--unit"] == {UNIT!r} and "--follow" in words and "--no-tail" in words
after = words.get("--after-cursor")
while True:
    line = entries.readline()
    if line == b"end\\n":
        sys.exit(1)
    if not line:
        time.sleep(0.01)
    elif after is None:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
    elif json.loads(line)["__CURSOR"] == after:
        after = None
"""


class Machine:
    """A boot server and a log host."""

    def __init__(self, directory: Path) -> None:
        self.entries = directory / "entries"
        self.entries.touch()
        self.state = directory / "state"
        self.state.mkdir()
        self.programs = directory / "bin"
        self.programs.mkdir()
        journalctl = self.programs / "journalctl"
        journalctl.write_text(JOURNALCTL.format(path=str(self.entries)), encoding="utf-8")
        journalctl.chmod(0o755)
        self.log_host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log_host.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.log_host.bind(("127.0.0.1", 0))
        self.log_host.settimeout(5)
        self.port = int(self.log_host.getsockname()[1])
        self.count = 0
        self.running: list[subprocess.Popen[str]] = []

    def write(self, *messages: object, **fields: object) -> None:
        """Add entries to the journal."""
        with self.entries.open("a", encoding="utf-8") as file:
            for message in messages:
                self.count += 1
                entry = {
                    "__CURSOR": f"s=x;i={self.count}",
                    "__REALTIME_TIMESTAMP": "1760000000223456",
                    "MESSAGE": message,
                }
                stamp = {"_SOURCE_REALTIME_TIMESTAMP": "1760000000123456", "_TRANSPORT": "syslog"}
                file.write(json.dumps({**entry, **stamp, **fields}) + "\n")

    def start(self, *log_hosts: str) -> subprocess.Popen[str]:
        """Start the program."""
        environment = {"PATH": f"{self.programs}:{os.environ['PATH']}", "STATE_DIRECTORY": str(self.state)}
        words = [sys.executable, str(PROGRAM), UNIT, *(log_hosts or [f"127.0.0.1:{self.port}"])]
        self.running.append(
            subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
        )
        return self.running[-1]

    def started(self, *log_hosts: str) -> subprocess.Popen[str]:
        """Start the program, and wait until it knows its place in the journal."""
        process = self.start(*log_hosts)
        deadline = time.monotonic() + 10
        while not (self.state / "cursor").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        return process

    def messages(self, count: int) -> list[str]:
        """Receive so many datagrams; return their texts."""
        return [json.loads(self.log_host.recv(65536))["message"] for dummy in range(count)]

    def silence(self) -> None:
        """Assert that nothing arrives."""
        self.log_host.settimeout(0.3)
        with pytest.raises(TimeoutError):
            self.log_host.recv(65536)
        self.log_host.settimeout(5)


def stop(process: subprocess.Popen[str]) -> str:
    """End it as systemd does; return what it said."""
    process.send_signal(signal.SIGTERM)
    _dummy, said = process.communicate(timeout=10)
    assert process.returncode in (0, -signal.SIGTERM), said  # or before it has begun
    return said


def kill(process: subprocess.Popen[str]) -> None:
    """End it and its children, as when the machine crashes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr:
        process.stderr.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    machine.write("before it was installed")
    yield machine
    for process in machine.running:
        kill(process)
    machine.log_host.close()


def test_datagram_is_the_line_and_when_it_was_written(machine: Machine) -> None:
    machine.started()
    machine.write("sent /run/diskless/tftp/10.77.0.11/grub.pxe to 10.77.0.11")
    assert json.loads(machine.log_host.recv(65536)) == {
        "time": 1760000000.123456,
        "message": "sent /run/diskless/tftp/10.77.0.11/grub.pxe to 10.77.0.11",
    }


def test_every_log_host_gets_every_line(machine: Machine) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as second:
        second.bind(("::1", 0))
        second.settimeout(5)
        machine.started(f"127.0.0.1:{machine.port}", f"[::1]:{second.getsockname()[1]}")
        machine.write("a", "b")
        assert machine.messages(2) == ["a", "b"]
        assert [json.loads(second.recv(65536))["message"] for dummy in range(2)] == ["a", "b"]


def test_restart_neither_loses_nor_repeats(machine: Machine) -> None:
    first = machine.started()
    machine.write("a", "b")
    assert machine.messages(2) == ["a", "b"]
    stop(first)
    machine.write("c")
    machine.started()
    machine.write("d")
    assert machine.messages(2) == ["c", "d"]
    machine.silence()


def test_first_start_counts_even_if_nothing_was_written(machine: Machine) -> None:
    stop(machine.started())
    machine.write("while it was down")
    machine.started()
    assert machine.messages(1) == ["while it was down"]


def test_journal_that_is_empty(machine: Machine) -> None:
    machine.entries.write_text("", encoding="utf-8")
    machine.start()
    time.sleep(0.5)
    machine.write("first of all")
    assert machine.messages(1) == ["first of all"]


def test_restarts_in_a_storm(machine: Machine) -> None:
    process = machine.started()
    for begin in range(0, 3000, 500):
        machine.write(*(str(number) for number in range(begin, begin + 500)))
        time.sleep(0.05)
        stop(process)
        process = machine.start()
    assert machine.messages(3000) == [str(number) for number in range(3000)]
    machine.silence()


def test_killed_it_repeats_little(machine: Machine) -> None:
    """What was sent in the moment before may be sent again; nothing is lost."""
    process = machine.started()
    machine.write("a")
    assert machine.messages(1) == ["a"]
    time.sleep(0.2)
    kill(process)
    machine.write("b")
    machine.start()
    assert machine.messages(1) == ["b"]


def test_damaged_note_of_the_place_is_no_end(machine: Machine) -> None:
    (machine.state / "cursor").write_text("\0\0\0", encoding="utf-8")
    machine.start()
    time.sleep(0.5)
    machine.write("a")
    assert machine.messages(1) == ["a"]


Write = Callable[[Machine], None]


@pytest.mark.parametrize(
    ("write", "sent"),
    [
        (lambda machine: machine.write("Started.", _TRANSPORT="journal"), []),  # by systemd
        (lambda machine: machine.write(None), []),  # so the journal writes what is too long
        (lambda machine: machine.write([0xFF, 65]), ["\ufffdA"]),
        (lambda machine: machine.write("ä" * 8000), ["ä" * 4096]),
        (lambda machine: machine.write("out", _TRANSPORT="stdout", _SOURCE_REALTIME_TIMESTAMP=None), ["out"]),
    ],
)
def test_odd_entries(machine: Machine, write: Write, sent: list[str]) -> None:
    machine.started()
    write(machine)
    machine.write("next")
    assert machine.messages(len(sent) + 1) == [*sent, "next"]


def test_log_host_that_is_not_reached_holds_up_no_other(machine: Machine) -> None:
    process = machine.started("255.255.255.255:9", f"127.0.0.1:{machine.port}")
    machine.write(*"abc")
    assert machine.messages(3) == ["a", "b", "c"]
    assert stop(process).splitlines() == ["log host 255.255.255.255 is not reached, its lines are lost"]


def test_end_of_the_journal_is_an_error(machine: Machine) -> None:
    """systemd starts it again."""
    process = machine.started()
    with machine.entries.open("a", encoding="utf-8") as file:
        file.write("end\n")
    _dummy, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (1, "journalctl has ended\n")


@pytest.mark.parametrize("word", ["10.77.0.4", "log.example.org:6667", "10.77.0.4:x", "fd00::4:6667"])
def test_address_that_is_none(machine: Machine, word: str) -> None:
    process = machine.start(word)
    _dummy, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert said.startswith(f"{word}: expected ADDRESS:PORT")
