# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host: a QEMU machine with a network card, a serial console and a power button, and no disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import pi_board
from lab.accelerator import accelerator
from lab.errors import LabError
from lab.hardware import KINDS, PRECEDENCE, UEFI_VARIABLES
from lab.patience import wait_until
from lab.processes import kill, lock_holder, run
from lab.qmp import execute


@dataclass(frozen=True)
class Machine:
    """One host. ``switch`` is the network namespace that its TAP device is in."""

    name: str
    directory: Path
    switch: str
    tap: str
    mac: str
    kind: str = "bios"  # of lab.hardware
    serial: str = ""  # of a Pi

    @property
    def console_log(self) -> Path:
        """Everything that the serial console ever said."""
        return self.directory / "console.log"

    @property
    def console_socket(self) -> Path:
        """The serial console, for one client at a time."""
        return self.directory / "console.sock"

    @property
    def uefi_variables(self) -> Path:
        """What UEFI remembers."""
        return self.directory / "uefi-variables.fd"

    @property
    def pid_file(self) -> Path:
        """Locked by what runs the host, QEMU or lab.pi_board, for as long as it lives."""
        return self.directory / "qemu.pid"

    @property
    def monitor(self) -> Path:
        """QEMU's monitor."""
        return self.directory / "qmp.sock"

    def command(self, accel: str) -> list[str]:
        """Return the QEMU command. A PC boots from the network card only; a reset goes through PXE again."""
        kind = KINDS[self.kind]
        console = f"socket,id=console,path={self.console_socket},server=on,wait=off"
        # What is no PC is of another architecture than this machine, and always emulated.
        accelerated = ["kvm", "host"] if kind.is_pc and accel == "kvm" else ["tcg", kind.cpu]
        argv = [f"qemu-system-{kind.system}", *kind.machine, "-accel", accelerated[0], "-cpu", accelerated[1]]
        argv += ["-name", self.name, "-nodefaults", "-no-user-config", "-display", "none"]
        argv += ["-smp", "2", "-m", os.environ.get("LAB_MEMORY", str(kind.memory))]
        argv += ["-netdev", f"tap,id=net,ifname={self.tap},script=no,downscript=no"]
        argv += ["-device", f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=1{kind.card}"]
        argv += ["-device", "virtio-rng-pci"]
        argv += ["-chardev", f"{console},logfile={self.console_log},logappend=on", "-serial", "chardev:console"]
        argv += ["-qmp", f"unix:{self.monitor},server=on,wait=off"]
        return argv

    def pid(self) -> int | None:
        """Return the id of the process that runs the host, or None when it is off."""
        return lock_holder(self.pid_file)

    def is_on(self) -> bool:
        """Tell whether the host has power."""
        return self.pid() is not None

    def power_on(self) -> bool:
        """Give it power; return whether it was off.

        :raises LabError: when what runs it does not start.
        """
        if self.is_on():
            return False
        self.directory.mkdir(parents=True, exist_ok=True)
        accel = accelerator()
        if not KINDS[self.kind].is_pc:
            pi_board.start(self._board(accel), self.switch)
            if not wait_until(self.is_on, 10):
                raise LabError(f"{self.name}: its board does not start, see {self.directory}/board.log")
            return True
        if self.kind == "uefi" and not self.uefi_variables.exists():
            shutil.copyfile(UEFI_VARIABLES, self.uefi_variables)
        daemon = ["-daemonize", "-pidfile", str(self.pid_file)]
        inside = ["ip", "netns", "exec", self.switch, *self.command(accel), *daemon]
        run([*PRECEDENCE, "env", "-C", str(self.directory), *inside], timeout=30)
        return True

    def _board(self, accel: str) -> pi_board.Board:
        return pi_board.Board(
            str(self.directory),
            str(self.pid_file),
            str(self.console_log),
            self.tap,
            self.mac,
            self.serial,
            self.command(accel),
        )

    def power_off(self) -> bool:
        """Take the power away, as pulling the plug does; return whether it was on."""
        pid = self.pid()
        if pid is None:
            return False
        kill(pid, lambda pid: self.pid() == pid)
        return True

    def reset(self) -> None:
        """Press the reset button."""
        execute(self.monitor, "system_reset")

    def status(self) -> str:
        """Return ``off``, or QEMU's word: ``running``, ``paused``…"""
        if not self.is_on():
            return "off"
        try:
            return str(execute(self.monitor, "query-status", timeout=3)["status"])
        except LabError:
            return "on"

    def wait_off(self, timeout: float) -> bool:
        """Wait until the host has powered itself off; return whether it did."""
        return wait_until(lambda: not self.is_on(), timeout)
