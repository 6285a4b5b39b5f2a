# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of the boot logic by themselves, in each shell of an initramfs, with a made-up /sys and /proc."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

FILES = Path(__file__).parents[2] / "roles" / "initramfs" / "files"
LIB = FILES / "usr" / "lib" / "diskless"
BOOT_ID = "3649c6a2-82ad-40d7-9792-cbd1188ea7bc"
SHELLS = {"busybox": ["busybox", "sh"], "dash": ["dash"]}

# BusyBox prefers its own applets to programs on PATH: only a function keeps a test from the real ip or reboot.
FORBIDDEN = "".join(
    f'{name}() {{ echo "{name} $*" >>"$T/calls"; }}\n'
    for name in ("ip", "modprobe", "mount", "umount", "reboot", "busybox", "udevadm", "dmesg")
)
HOST = """
config_defaults
DISKLESS_HOST=pi3 DISKLESS_MAC=52:54:00:77:00:11 DISKLESS_ADDRESS=10.77.0.11/24 DISKLESS_MONITORS=10.77.0.1:3300
DISKLESS_MS_MODE=prefer-crc DISKLESS_USER=diskless.pi3 DISKLESS_POOL=diskless DISKLESS_NAMESPACE=pi3 DISKLESS_IMAGE=root
"""


@dataclass(frozen=True)
class Shell:
    """One shell and the directory that stands for the machine: proc, sys, dev, run and etc are below it."""

    argv: tuple[str, ...]
    machine: Path

    def environment(self) -> dict[str, str]:
        at = self.machine
        return {
            "PATH": os.environ["PATH"],
            "T": str(at),
            "LIB": str(LIB),
            "KMSG": str(at / "kmsg"),
            "CONSOLE": str(at / "console"),
            "PROC": str(at / "proc"),
            "SYS": str(at / "sys"),
            "DEV": str(at / "dev"),
            "RUN": str(at / "run/diskless"),
            "RUNTIME": str(at / "run"),
            "CONFIG": str(at / "etc"),
            "OLDROOT": "/oldroot",
            "DISKLESS_TEST": "yes",
        }

    def run(self, script: str, *parts: str) -> subprocess.CompletedProcess[str]:
        """Source PARTS (files of /usr/lib/diskless), then run SCRIPT."""
        sources = "".join(f'. "$LIB/{part}"\n' for part in parts)
        return subprocess.run(
            [*self.argv, "-c", sources + FORBIDDEN + script],
            env=self.environment(),
            cwd=self.machine,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def output(self, script: str, *parts: str) -> str:
        """Standard output of a script that must succeed."""
        result = self.run(script, *parts)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def write(self, path: str, text: str) -> None:
        target = self.machine / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        target = self.machine / path
        return target.read_text(encoding="utf-8") if target.exists() else ""


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.fail(f"{argv[0]} is not installed")
    made = Shell(tuple(argv), tmp_path)
    for directory in ("dev", "run/diskless", "etc", "sys/class/net", "sys/bus/rbd/devices"):
        (tmp_path / directory).mkdir(parents=True)
    made.write("proc/sys/kernel/printk", "7\t4\t1\t7\n")
    made.write("proc/sys/kernel/random/boot_id", BOOT_ID + "\n")
    made.write("proc/cmdline", "root=/dev/diskless/root ro\n")
    made.write("proc/sysrq-trigger", "")
    (tmp_path / "proc/uptime").symlink_to("/proc/uptime")
    return made
