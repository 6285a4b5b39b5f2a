# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dnsmasq logs reaches the log host, once and without privileges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from testinfra.host import Host

RECEIVER = r"""
import socket
log_host = socket.socket(type=socket.SOCK_DGRAM)
log_host.bind(("127.0.0.1", 6667))
with open("/run/events", "ab", buffering=0) as events:
    while True:
        events.write(log_host.recv(65536) + b"\n")
"""


@pytest.fixture(scope="module", autouse=True)
def log_host(host: Host) -> Iterator[None]:
    """Receive what is sent."""
    host.run_expect([0], "systemd-run --collect --unit=log-host python3 -c %s", RECEIVER)
    host.check_output("sleep 1")
    yield
    host.check_output("systemctl stop log-host; rm /run/events")


def messages(host: Host) -> list[str]:
    """Return what has arrived."""
    host.check_output("sleep 1")
    return [json.loads(line)["message"] for line in host.file("/run/events").content_string.splitlines()]


def test_boot_is_seen(host: Host) -> None:
    host.check_output("ip netns exec udoo1 firmware.py bios 52:54:00:77:00:11")
    host.check_output("ip netns exec udoo1 tftp.py grub.pxe.missing")
    said = messages(host)
    # A proxy's answer is logged in other words.
    assert any(re.search(r"(DHCPDISCOVER|PXE)\(boot\) (\S+ )?52:54:00:77:00:11", line) for line in said)
    assert "file /run/diskless/tftp/10.77.0.11/grub.pxe.missing not found for 10.77.0.11" in said


def test_restart_neither_loses_nor_repeats(host: Host) -> None:
    host.check_output("systemctl stop diskless-boot-events")
    assert host.run("systemctl is-failed diskless-boot-events").stdout == "inactive\n"
    host.check_output("ip netns exec udoo1 tftp.py while.down")
    host.check_output("systemctl start diskless-boot-events")
    line = "file /run/diskless/tftp/10.77.0.11/while.down not found for 10.77.0.11"
    assert messages(host).count(line) == 1
    host.check_output("systemctl restart diskless-boot-events")
    assert messages(host).count(line) == 1


def test_it_has_no_privileges(host: Host) -> None:
    pid = host.check_output("systemctl show --value --property=MainPID diskless-boot-events")
    status = host.file(f"/proc/{pid}/status").content_string
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert host.check_output(f"stat --format=%U /proc/{pid}") != "root"
