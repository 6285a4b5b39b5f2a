# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Raspberry Pi with power: a scripted firmware fetches what a Pi would, and QEMU boots exactly that; and so on.

Runs as a process of its own, in the switch's network namespace, from power on until the host powers itself off or the
process is killed. It holds the lock of the pid file, as QEMU does for other hosts.
"""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError
from lab.hardware import PRECEDENCE
from lab.patience import wait_until
from lab.processes import DIE_WITH_PARENT, run
from lab.state import REPOSITORY

RETRY = 5  # seconds between two tries of the firmware, whose BOOT_ORDER ends in "restart"


@dataclass(frozen=True)
class Board:
    """What the process has to know; ``qemu`` is the command without what is booted."""

    directory: str
    pid_file: str
    console_log: str
    tap: str
    mac: str
    serial: str
    qemu: Sequence[str]

    @property
    def port(self) -> str:
        """The firmware's cable, which takes the place of the operating system's."""
        return f"fw-{self.tap}"

    @property
    def fetched(self) -> Path:
        """What the firmware got: ``kernel``, ``initrd``, ``cmdline.txt``…"""
        return Path(self.directory) / "fetched"


def start(board: Board, switch: str) -> None:
    """Give the board power; it lives on by itself."""
    python = [sys.executable, "-m", "lab.pi_board", json.dumps(asdict(board))]
    logged = ["sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null', "sh", f"{board.directory}/board.log"]
    inside = ["ip", "netns", "exec", switch, "setsid", "--fork", *python]
    run([*PRECEDENCE, "env", "-C", str(REPOSITORY), *logged, *inside])


def main() -> None:
    """Boot, and boot again after every reset, until the host powers itself off."""
    board = Board(**json.loads(sys.argv[1]))
    with Path(board.pid_file).open("a", encoding="ascii") as pid_file:
        fcntl.lockf(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        while True:
            while not _fetch(board):
                time.sleep(RETRY)
            if not _boot(board):
                return


def _fetch(board: Board) -> bool:
    """Let the firmware fetch what is to be booted; return whether it got everything."""
    firmware = [sys.executable, "-m", "lab.pi_firmware", "--interface", "eth0", "--mac", board.mac]
    firmware += ["--serial", board.serial, "--out", str(board.fetched)]
    wait_for_cable = ["sh", "-c", 'read -r plugged && exec "$@"', "sh"]
    with Path(board.console_log).open("ab") as log:
        process = subprocess.Popen(
            [*DIE_WITH_PARENT, "unshare", "--net", "--", *wait_for_cable, *firmware],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _plug(board, process.pid)
            process.communicate(b"\n")
        finally:
            process.kill()
            process.wait()
            run(["ip", "link", "delete", board.port], check=False)  # it may have gone with the namespace
    return process.returncode == 0


def _plug(board: Board, pid: int) -> None:
    """Put a cable between the bridge and the firmware's own network namespace, once the host's own is not cut."""

    def has_namespace() -> bool:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino != Path("/proc/self/ns/net").stat().st_ino

    if not wait_until(has_namespace, 10, interval=0.02):
        raise LabError(f"{board.tap}: the firmware has no network namespace")
    while "UP" not in json.loads(run(["ip", "-j", "link", "show", board.tap]).stdout)[0]["flags"]:
        time.sleep(0.5)
    peer = ["peer", "name", "eth0", "address", board.mac, "netns", str(pid)]
    run(["ip", "link", "add", board.port, "type", "veth", *peer])
    run(["ip", "link", "set", board.port, "master", "br0", "up"])


def _boot(board: Board) -> bool:
    """Run what was fetched; return whether it ended in a reset."""
    events = Path(board.directory) / "events.sock"
    command_line = (board.fetched / "cmdline.txt").read_text(encoding="ascii").strip()
    argv = [*board.qemu, "-kernel", str(board.fetched / "kernel"), "-initrd", str(board.fetched / "initrd")]
    argv += ["-append", command_line, "-qmp", f"unix:{events},server=on,wait=off"]
    with subprocess.Popen([*DIE_WITH_PARENT, *argv], cwd=board.directory) as qemu:
        try:
            reason = _reason_of_end(events)
        finally:
            qemu.kill()
    return reason.endswith("reset")


def _reason_of_end(monitor: Path) -> str:
    """Follow QEMU's events to its end and return why it shut down, such as ``guest-reset`` or ``guest-shutdown``."""
    with socket.socket(socket.AF_UNIX) as connection:

        def connected() -> bool:
            return connection.connect_ex(str(monitor)) == 0

        if not wait_until(connected, 20, interval=0.05):
            raise LabError(f"{monitor}: nobody answers")
        reason = ""
        with connection.makefile("rw", encoding="utf-8") as stream:
            stream.write(json.dumps({"execute": "qmp_capabilities"}) + "\n")
            stream.flush()
            for line in stream:
                message = json.loads(line)
                if message.get("event") == "SHUTDOWN":
                    reason = str(message["data"]["reason"])
    return reason


if __name__ == "__main__":
    main()
