# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver with real sockets: what it keeps through restarts and kills, and what it does for systemd."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.bootlog.running_receiver import BOOT_SERVER, PACKAGE, RunningReceiver, Sender, eventually

ID = "0f2d3c51-6a7b-4c8d-9e0f-112233445566"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[RunningReceiver]:
    running = RunningReceiver(tmp_path)
    try:
        yield running
    finally:
        running.close()


def said(first: int, last: int) -> list[str]:
    """Messages of a kernel, as datagrams."""
    return [f"6,{seq},{seq * 1000},-;message {seq}\n" for seq in range(first, last)]


def numbers(receiver: RunningReceiver, host: int) -> list[int]:
    return [line["seq"] for line in receiver.lines(host) if line["seq"] is not None]


def tell(sender: Sender, message: str) -> None:
    sender.send(json.dumps({"time": time.time(), "message": message}))


def test_messages_reach_files_and_database(receiver: RunningReceiver) -> None:
    receiver.start()
    receiver.sender(0).send(*said(0, 50))
    receiver.sender(1).send(f"13,0,1000000,-;diskless: stage=network host=host1 boot={ID} dev=eth0\n")
    eventually(lambda: len(receiver.lines(0)) == 50 and len(receiver.lines(1)) == 1)
    eventually(lambda: len(receiver.rows("SELECT * FROM stage")) == 3)
    hosts = receiver.rows("SELECT name, received, lost FROM host ORDER BY name")
    assert [tuple(host.values()) for host in hosts] == [("host0", 50, 0), ("host1", 1, 0), ("host2", 0, 0)]
    assert receiver.stop() == 0
    assert receiver.rows("SELECT value FROM counter WHERE name = 'datagrams'") == [{"value": 51}]


def test_boot_server_is_believed_and_nobody_else(receiver: RunningReceiver) -> None:
    receiver.start()
    for source in (BOOT_SERVER, "127.77.0.66"):
        sender = receiver.sender(source, "events")
        number = 0 if source == BOOT_SERVER else 1
        mac = f"52:54:00:77:00:{number:02x}"
        tell(sender, "7 available DHCP range: 127.77.1.1 -- 127.77.1.1")
        tell(sender, "7 vendor class: PXEClient:Arch:00000:UNDI:002001")
        tell(sender, f"7 DHCPDISCOVER(eth0) {mac} ")
        tell(sender, f"7 DHCPOFFER(eth0) 127.77.1.{number + 1} {mac} ")
        tell(sender, f"sent /run/diskless/tftp/127.77.1.{number + 1}/grub.pxe to 127.77.1.{number + 1}")
    eventually(lambda: len(receiver.rows("SELECT * FROM stage")) == 2)
    assert [row["stage"] for row in receiver.rows("SELECT stage FROM stage ORDER BY time")] == ["dhcp", "loader"]
    assert receiver.rows("SELECT name FROM host WHERE boot IS NOT NULL") == [{"name": "host0"}]
    assert receiver.lines(None)[0]["sender"] == "127.77.0.66"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"time": "x", "message": "y"}',
        b'{"time": 1e999, "message": 7}',
        b"[" * 2000,
    ],
)
def test_event_that_is_none_is_counted(receiver: RunningReceiver, datagram: bytes) -> None:
    receiver.start()
    sender = receiver.sender(BOOT_SERVER, "events")
    sender.send(datagram)
    receiver.sender(0).send("still here")
    eventually(lambda: receiver.texts(0) == ["still here"])
    assert receiver.stop() == 0
    assert receiver.rows("SELECT value FROM counter WHERE name = 'events_rejected'") == [{"value": 1}]


def test_stranger_is_kept_apart(receiver: RunningReceiver) -> None:
    receiver.start()
    receiver.sender("127.77.0.66").send(f"13,0,0,-;diskless: stage=ready host=host0 boot={ID}\n")
    eventually(lambda: len(receiver.lines(None)) == 1)
    eventually(lambda: len(receiver.rows("SELECT * FROM unknown_sender")) == 1)
    assert receiver.rows("SELECT * FROM boot") == []
    line = receiver.lines(None)[0]
    assert list(line) == ["time", "host", "sender", "boot", "source", "level", "seq", "uptime", "text"]
    assert (line["host"], line["sender"], line["boot"]) == (None, "127.77.0.66", None)


def test_what_is_sent_during_a_restart_is_kept(receiver: RunningReceiver) -> None:
    """The socket is systemd's, and so is what waits in it."""
    receiver.start()
    sender = receiver.sender(0)
    sender.send(*said(0, 100))
    assert receiver.stop() == 0
    sender.send(*said(100, 200))
    before = time.time()
    time.sleep(0.5)
    receiver.start()
    sender.send(*said(200, 300))
    eventually(lambda: len(receiver.lines(0)) == 300)
    assert numbers(receiver, 0) == list(range(300))
    assert len(receiver.rows("SELECT * FROM boot")) == 1
    # It carries the time when it came, not when it was read.
    assert all(line["time"] < before for line in receiver.lines(0)[100:200])
    assert receiver.stop() == 0
    assert receiver.rows("SELECT lost, received FROM host WHERE name = 'host0'") == [{"lost": 0, "received": 300}]


def test_termination_takes_what_has_arrived(receiver: RunningReceiver) -> None:
    receiver.start()
    assert receiver.process is not None
    receiver.process.send_signal(signal.SIGSTOP)
    for number in range(3):
        receiver.sender(number).send(*said(0, 500))
    receiver.process.send_signal(signal.SIGTERM)
    receiver.process.send_signal(signal.SIGCONT)
    assert receiver.stop() == 0
    assert [numbers(receiver, number) for number in range(3)] == [list(range(500))] * 3


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.4, 1.3])
def test_kill_loses_at_most_what_was_in_flight(receiver: RunningReceiver, delay: float) -> None:
    """Killed at any moment under load, it has lost at most the last 0.2 s, and says how much."""
    receiver.start()
    sender = receiver.sender(0)
    sent = 0
    until = time.monotonic() + delay
    while sent == 0 or time.monotonic() < until:
        sender.send(*said(sent, sent + 20))
        sent += 20
        time.sleep(0.01)  # 2,000 a second
    receiver.stop(signal.SIGKILL)
    receiver.start()
    sender.send(*said(sent, sent + 20))
    eventually(lambda: numbers(receiver, 0)[-1:] == [sent + 19])
    assert receiver.stop() == 0
    found = numbers(receiver, 0)
    missing = sorted(set(range(sent + 20)) - set(found))
    assert found == sorted(set(found))  # nothing twice, nothing out of order
    assert len(missing) <= 0.2 * 2000 + 100
    assert missing == [] or missing[-1] - missing[0] == len(missing) - 1
    reported = sum(line.get("lost", 0) for line in receiver.lines(0))
    began = found[0]  # if the kill came before anything was written, nobody knows of what was before
    assert reported == len([number for number in missing if number > began])
    assert len(receiver.rows("SELECT * FROM boot")) == 1


def test_kill_does_not_forget_stages(receiver: RunningReceiver) -> None:
    """They are in the file before they are in the database."""
    receiver.start()
    sender = receiver.sender(0)
    stages = ["kernel", "network", "map", "root", "userspace", "ready"]
    for seq, stage in enumerate(stages):
        sender.send(f"13,{seq},{seq}000000,-;diskless: stage={stage} host=host0 boot={ID}\n")
    eventually(lambda: len(receiver.lines(0)) == len(stages))
    receiver.stop(signal.SIGKILL)
    receiver.start()
    assert receiver.stop() == 0
    assert [row["stage"] for row in receiver.rows("SELECT stage FROM stage ORDER BY rowid")] == stages
    assert receiver.rows("SELECT stage, boot_id, lines FROM boot") == [
        {"stage": "ready", "boot_id": ID, "lines": len(stages)}
    ]


def test_repetition_is_known_after_a_restart(receiver: RunningReceiver) -> None:
    """By the file: nothing of it is in memory."""
    receiver.start()
    sender = receiver.sender(0)
    sender.send(*said(0, 100))
    eventually(lambda: len(receiver.lines(0)) == 100)
    receiver.stop(signal.SIGKILL)
    receiver.start()
    sender.send(*said(0, 101))
    eventually(lambda: len(receiver.lines(0)) == 101)
    assert len(receiver.rows("SELECT * FROM boot")) == 1


def test_hosts_are_read_again(receiver: RunningReceiver) -> None:
    receiver.start()
    receiver.sender(0).send("one")
    receiver.sender(3).send("stranger")
    eventually(lambda: receiver.texts(0) == ["one"] and receiver.texts(None) == ["stranger"])
    receiver.set_hosts(4)
    assert receiver.process is not None
    receiver.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(receiver.rows("SELECT * FROM host")) == 4)
    receiver.sender(3).send("host")
    receiver.sender(0).send("two")
    eventually(lambda: receiver.texts(3) == ["host"] and receiver.texts(0) == ["one", "two"])


def test_hosts_stay_when_their_file_is_broken(receiver: RunningReceiver) -> None:
    receiver.start()
    receiver.hosts_file.write_text("[", encoding="utf-8")
    assert receiver.process is not None
    receiver.process.send_signal(signal.SIGHUP)
    receiver.sender(0).send("one")
    eventually(lambda: receiver.texts(0) == ["one"])
    assert receiver.stop() == 0
    assert "the hosts stay as they are" in receiver.rest


def test_systemd_is_told(receiver: RunningReceiver, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = tmp_path / "notify"
        manager.bind(str(path))
        manager.settimeout(20)
        receiver.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}
        receiver.start()
        assert manager.recv(100) == b"READY=1"
        assert [manager.recv(100) for _each in range(3)] == [b"WATCHDOG=1"] * 3
        receiver.stop()
        states: list[bytes] = []
        while not states or states[-1] != b"STOPPING=1":
            states.append(manager.recv(100))


def test_sockets_are_known_by_their_ports_where_they_have_no_names(receiver: RunningReceiver) -> None:
    receiver.environment = {"LISTEN_FDNAMES": "unknown:unknown"}
    receiver.start()
    assert "expected FileDescriptorName=netconsole" in receiver.greeting
    assert receiver.stop(0) == 1


def test_it_listens_itself_without_systemd(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = RunningReceiver(tmp_path, listen=[f"127.0.0.1:{port}", f"[::1]:{port}"])
    process = subprocess.Popen(
        [sys.executable, "-m", "bootlog", "receive", "--config", str(own.config)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
    )
    sender = Sender("127.77.1.1", ("127.0.0.1", port))
    try:
        eventually(own.database.exists)

        def heard() -> bool:
            sender.send("hello")
            return "hello" in own.texts(0)

        eventually(heard)
    finally:
        process.terminate()
        sender.close()
        own.close()
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"keep_boots": 0}, "keep_boots: 0; expected a number from 1"),
        ({"hosts_file": "/nonexistent/hosts.json", "listen": ["127.0.0.1:0"]}, "/nonexistent/hosts.json"),
        ({}, "listen: []; expected ADDRESS:PORT"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    own = RunningReceiver(tmp_path, **change)
    own.close()
    result = subprocess.run(
        [sys.executable, "-m", "bootlog", "receive", "--config", str(own.config)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_sockets_may_be_of_both_families(tmp_path: Path) -> None:
    """Then an IPv4 sender appears with an IPv6 address."""
    running = RunningReceiver(tmp_path, dual=True)
    try:
        running.start()
        running.sender(0).send("known")
        running.sender("127.77.0.66").send("stranger")
        tell(running.sender(BOOT_SERVER, "events"), "sent /run/diskless/tftp/127.77.1.2/grub.pxe to 127.77.1.2")
        eventually(lambda: running.texts(0) == ["known"] and len(running.texts(1)) == 1)
        eventually(lambda: [line["sender"] for line in running.lines(None)] == ["127.77.0.66"])
    finally:
        running.close()


def test_old_boots_are_deleted(receiver: RunningReceiver) -> None:
    receiver.start()
    ids = [f"{number:08d}{ID[8:]}" for number in range(5)]
    receiver.sender(0).send(*(f"[    1.000000] diskless: stage=kernel host=host0 boot={boot_id}\n" for boot_id in ids))
    eventually(lambda: len(receiver.lines(0)) == 5)
    receiver.stop()
    assert [row["boot_id"] for row in receiver.rows("SELECT boot_id FROM boot ORDER BY number")] == ids
    receiver.configure(keep_boots=2)
    receiver.start()
    eventually(lambda: len(receiver.lines(0)) == 2)
    eventually(lambda: [row["number"] for row in receiver.rows("SELECT number FROM boot")] == [4, 5])


def test_file_that_cannot_be_written_does_not_stop_the_others(receiver: RunningReceiver) -> None:
    receiver.log_directory.mkdir()
    (receiver.log_directory / "host0").write_text("in the way")
    receiver.start()
    receiver.sender(0).send("lost")
    receiver.sender(1).send("kept")
    eventually(lambda: receiver.texts(1) == ["kept"])
    assert receiver.stop() == 0
    assert "host0" in receiver.rest
    assert receiver.rows("SELECT value FROM counter WHERE name = 'unwritten'") == [{"value": 1}]
