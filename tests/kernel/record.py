# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record what real kernels send: ``python -m tests.kernel.record`` writes tests/fixtures/netconsole.

Datagrams are stored as text, one character per byte (latin-1), with the kernel and the commands that made them.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import kernel_features

from .debian_kernel import kernel
from .guest import GUEST, HOST, Guest, guest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "netconsole"
REPOSITORY = Path(__file__).parents[2]
BOOT_LOGIC = REPOSITORY / "roles/initramfs/files/usr/lib/diskless"
SUITES = ("bookworm", "trixie-backports")
ROUTER_MAC = "52:55:0a:00:02:02"
TARGET = "/sys/kernel/config/netconsole/t"
LONGEST_RECORD = 900


class Recorder:
    """Writes the recordings of one kernel."""

    def __init__(self, host: Guest) -> None:
        self._host = host
        self.release = host.run("uname -r").strip()
        self.features = kernel_features(self.release)

    def record(self, name: str, *commands: str, seconds: float = 2) -> None:
        """Run the commands and keep what arrives until nothing more does."""
        self._host.pending()
        for command in commands:
            self._host.run(command)
        self.keep(name, commands, seconds)

    def keep(self, name: str, commands: tuple[str, ...], seconds: float) -> None:
        """Keep what arrives."""
        datagrams: list[bytes] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            datagrams += self._host.pending()
        content: dict[str, Any] = {
            "kernel": self.release,
            "commands": commands,
            "datagrams": [datagram.decode("latin-1") for datagram in datagrams],
        }
        path = FIXTURES / f"{name}-{'.'.join(self.release.split('.')[:2])}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
        print(path, len(datagrams))


def record(host: Guest) -> None:
    """All of one machine; the last is its end."""
    recorder = Recorder(host)
    head = "+r" if "release" in recorder.features else "+"
    way = f"@{GUEST}/eth0,{host.port}@{HOST}/{ROUTER_MAC}"
    host.run("echo 8 >/proc/sys/kernel/printk")
    recorder.record("legacy", f"/bin/modprobe netconsole netconsole={way}")
    host.run("/bin/modprobe -r netconsole")
    recorder.record("extended", f"/bin/modprobe netconsole netconsole={head}{way}")
    stage = "( . /usr/lib/diskless/report.sh; DISKLESS_HOST=udoo1;"
    long = f"/bin/printf '<6>{'ä' * (LONGEST_RECORD // 2)}\\n' >/dev/kmsg"
    error = "image diskless/udoo1/root does not exist"
    recorder.record(
        "markers",
        f"{stage} stage kernel release=$(uname -r); stage network dev=eth0 address=10.0.2.15/24 )",
        f"{stage} say 4 'retry step=map attempt=1 wait=2 error=\"{error}\" reason=no-image' )",
        f"{stage} stage_failed map no-image '{error}' )",
    )
    recorder.record(
        "characters",
        "/bin/printf '<6>grüße \\033[31mred\\033[0m back\\\\slash tab\\there nul and \\377\\376\\n' >/dev/kmsg",
        "/bin/printf '<3>two\\nlines\\n' >/dev/kmsg",
        "/bin/printf '<30>user: facility daemon\\n' >/dev/kmsg",
    )
    recorder.record("fragments", long, "echo '<6>short' >/dev/kmsg")
    recorder.record("dictionary", "/bin/ip link set eth1 name lan1", "echo '<6>behind it' >/dev/kmsg")
    host.run("/bin/modprobe -r netconsole; /bin/modprobe netconsole")
    if "userdata" in recorder.features:
        host.run(f"mkdir {TARGET} {TARGET}/userdata/host {TARGET}/userdata/rack; echo 1 >{TARGET}/extended")
        host.run(f"echo udoo1 >{TARGET}/userdata/host/value; echo 'row 2' >{TARGET}/userdata/rack/value")
        for feature in ("cpu_nr", "taskname", "release", "msgid"):
            if f"sysdata {feature}" in recorder.features:
                host.run(f"echo 1 >{TARGET}/userdata/{feature}_enabled")
        host.run(f"echo eth0 >{TARGET}/dev_name; echo {GUEST} >{TARGET}/local_ip; echo {HOST} >{TARGET}/remote_ip")
        host.run(
            f"echo {host.port} >{TARGET}/remote_port; echo {ROUTER_MAC} >{TARGET}/remote_mac; echo 1 >{TARGET}/enabled"
        )
        recorder.record("userdata", "echo '<6>with fields' >/dev/kmsg", long)
        host.run(f"rmdir {TARGET}/userdata/host {TARGET}/userdata/rack; rmdir {TARGET}")
    host.run("mkdir /sys/kernel/config/netconsole/new")
    tree = host.tree("/sys/kernel/config/netconsole/new")
    path = FIXTURES / f"configfs-{'.'.join(recorder.release.split('.')[:2])}.json"
    path.write_text(json.dumps({"kernel": recorder.release, "files": dict(sorted(tree.items()))}, indent=1) + "\n")
    host.run("rmdir /sys/kernel/config/netconsole/new; /bin/modprobe -r netconsole")
    host.run(f"/bin/modprobe netconsole netconsole={head}{way}; sleep 1")
    # Since Linux 7.0 netconsole sends a panic only where the kernel stops there; with kernel.panic it sends nothing.
    commands = ("echo 0 >/proc/sys/kernel/panic", "echo c >/proc/sysrq-trigger")
    host.run(commands[0])
    host.pending()
    host.type(commands[1])
    recorder.keep("panic", commands, 5)


def main() -> None:
    """Record every suite."""
    FIXTURES.mkdir(exist_ok=True)
    for suite in SUITES:
        with (
            tempfile.TemporaryDirectory() as directory,
            guest(kernel(suite), Path(directory), [(BOOT_LOGIC, "/usr/lib/diskless")]) as host,
        ):
            host.run("/bin/modprobe configfs; mount -t configfs none /sys/kernel/config")
            record(host)


if __name__ == "__main__":
    main()
