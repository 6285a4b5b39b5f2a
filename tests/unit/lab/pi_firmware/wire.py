# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network in namespaces of its own: a switch, a boot server, a router, and a socket for a board."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.patience import patience, wait_until
from lab.processes import DIE_WITH_PARENT, run
from lab.state import REPOSITORY

BOOT, ROUTER = "10.98.0.3", "10.98.0.1"
MAC, SERIAL, ADDRESS = "52:54:00:98:00:12", "77a00012", "10.98.0.12"
# What the collection's boot server tells dnsmasq, for one host.
NETBOOT = f"""
dhcp-ignore=tag:!known
dhcp-host={MAC},{ADDRESS},cm41
dhcp-match=set:rpi,97,00:34:69:50:52:*
pxe-service=tag:rpi,0,"Raspberry Pi Boot"
enable-tftp
tftp-unique-root=mac
"""
FULL = f"{NETBOOT}\ndhcp-range=10.98.0.0,static,2m\n"
PROXY = f"{NETBOOT}\ndhcp-range=10.98.0.0,proxy\n"
# A router that has never heard of netboot.
HOME = f"no-ping\ndhcp-range=10.98.0.100,10.98.0.199,2m\ndhcp-option=option:router,{ROUTER}\n"


@dataclass(frozen=True)
class Boot:
    """How an attempt to boot ended: exit status, everything that was said, and the directory with what was fetched."""

    status: int
    said: str
    fetched: Path

    @property
    def requests(self) -> list[str]:
        """What was asked for, a line each: outcome, size, name."""
        return (self.fetched / "requests.log").read_text(encoding="utf-8").splitlines()


class Dnsmasq:
    """A running dnsmasq."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """What it said."""
        return self._log.read_text(encoding="utf-8")

    def pause(self) -> None:
        """Keep it from doing anything."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End it, also when it is paused."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Wire:
    """The network; ``directory`` is for files, ``directory/tftp`` is what the boot server serves."""

    name: str
    directory: Path

    @property
    def tree(self) -> Path:
        """The boot tree of the board: under its MAC address (tftp-unique-root) and its serial number."""
        return self.directory / "tftp" / MAC.replace(":", "-") / SERIAL

    @contextmanager
    def dnsmasq(self, station: str, configuration: str) -> Iterator[Dnsmasq]:
        """Run dnsmasq at a station, ``boot`` or ``router``."""
        log, conf = self.directory / f"{station}.log", self.directory / f"{station}.conf"
        log.unlink(missing_ok=True)
        files = f"dhcp-leasefile={self.directory}/{station}.leases\ntftp-root={self.directory}/tftp\n"
        common = f"port=0\nuser=root\ninterface=eth0\nbind-interfaces\nlog-dhcp\nlog-facility={log}\n"
        conf.write_text(common + files + configuration, encoding="utf-8")
        inside = ["ip", "netns", "exec", f"{self.name}-{station}"]
        process = subprocess.Popen(
            [*DIE_WITH_PARENT, *inside, "dnsmasq", "--keep-in-foreground", f"--conf-file={conf}"]
        )
        running = Dnsmasq(process, log)
        try:
            # It opens its sockets before it says the first word.
            assert wait_until(lambda: log.exists() and "started" in log.read_text(encoding="utf-8"), 10, interval=0.02)
            yield running
        finally:
            running.stop()

    def start(self, *options: str, serial: str = SERIAL, mac: str = MAC) -> subprocess.Popen[str]:
        """Give the board power, with every time-out a tenth of what it is; return the firmware's process."""
        program = [sys.executable, "-m", "lab.pi_firmware", "--interface", "eth0", "--out", str(self.directory / "out")]
        board = ["--mac", mac, "--serial", serial, "--scale", "0.1"]
        return subprocess.Popen(
            [*DIE_WITH_PARENT, "ip", "netns", "exec", f"{self.name}-board", *program, *board, *options],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )

    def boot(self, *options: str, serial: str = SERIAL, mac: str = MAC) -> Boot:
        """Give the board power and wait until the firmware has done what it can."""
        return self.end_of(self.start(*options, serial=serial, mac=mac))

    def end_of(self, process: subprocess.Popen[str], timeout: float = 60) -> Boot:
        """Wait for the firmware's end."""
        try:
            said, _ = process.communicate(timeout=timeout * patience())
        finally:
            process.kill()
        return Boot(process.returncode, said, self.directory / "out")


@contextmanager
def network(directory: Path) -> Iterator[Wire]:
    """Make the network, and delete it afterwards. Needs root."""
    wire = Wire(f"pf{os.getpid()}", directory)
    switch = f"{wire.name}-switch"
    with ExitStack() as stack:

        def namespace(name: str) -> None:
            stack.callback(run, ["ip", "netns", "delete", name], check=False)
            run(["ip", "netns", "add", name])

        namespace(switch)
        run(["ip", "-n", switch, "link", "add", "br0", "type", "bridge"])
        run(["ip", "-n", switch, "link", "set", "br0", "up"])
        for station, address in (("boot", BOOT), ("router", ROUTER), ("board", None)):
            inside = f"{wire.name}-{station}"
            namespace(inside)
            run(["ip", "-n", switch, "link", "add", station, "type", "veth", "peer", "name", "eth0", "netns", inside])
            run(["ip", "-n", switch, "link", "set", station, "master", "br0", "up"])
            if address:
                run(["ip", "-n", inside, "addr", "add", f"{address}/24", "dev", "eth0"])
                run(["ip", "-n", inside, "link", "set", "eth0", "up"])
        yield wire
