# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way down: exitrd, guard, and the last command."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import HOST, Shell

MOUNTS = """\
tmpfs / tmpfs rw 0 0
/dev/rbd0 /oldroot ext4 ro 0 0
tmpfs /oldroot/run tmpfs rw 0 0
10.0.0.3:/boot/pi3 /oldroot/boot nfs4 rw 0 0
/dev/rbd1 /oldroot/srv/my\\040data xfs rw 0 0
tmpfs /oldroot2 tmpfs rw 0 0
"""
FILESYSTEMS = "nodev\ttmpfs\nnodev\tnfs4\n\text4\n\txfs\n"
RELEASE = "at_most() { echo 1; }; holders() { :; }\n"
# What the guard waits on while it waits for nothing.
FIFO = 'FIFO=$T/fifo; mkfifo "$FIFO"'
# BusyBox as the end of the machine: the last sleep ends the shell that waits in it.
BUSYBOX = """#!/bin/sh
echo "$*" >>"$T/calls"
[ "$*" != "sleep 60" ] || kill $PPID
"""


def busybox(shell: Shell) -> str:
    path = shell.machine / "busybox"
    path.write_text(BUSYBOX, encoding="utf-8")
    path.chmod(0o755)
    return f"BUSYBOX={path}\n"


def test_everything_below_the_old_root_is_unmounted_last_mounted_first(shell: Shell) -> None:
    shell.write("proc/mounts", MOUNTS)
    shell.write("proc/filesystems", FILESYSTEMS)
    shell.output("umount_all", "shutdown")
    assert shell.read("calls").splitlines() == [
        "umount /oldroot/srv/my data",
        "umount -l /oldroot/boot",
        "umount -l /oldroot/run",
        "umount /oldroot",
    ]


def test_root_in_use_is_tried_again(shell: Shell) -> None:
    stubs = 'sleep() { :; }; umount_all() { echo x >>"$T/tries"; [ "$(wc -l <"$T/tries")" = 3 ]; }\n'
    assert shell.output(stubs + "umount_with_retries; echo $?", "shutdown") == "0\n"


@pytest.mark.parametrize(
    ("umount", "remount", "unmapped"),
    [("true", "true", ""), ("false", "true", "force"), ("false", "false", None), ("sleep 3", "true", None)],
)
def test_force_is_used_only_on_a_root_that_was_made_read_only(
    shell: Shell, umount: str, remount: str, unmapped: str | None
) -> None:
    script = (
        f"umount_with_retries() {{ {umount}; }}; remount_read_only() {{ {remount}; }}\n{RELEASE}"
        'unmap_all() { echo "unmapped $*" >>"$T/calls"; }; release_root; echo "$? $STEP"'
    )
    result = shell.output(HOST + script, "shutdown").split()
    if unmapped is None:
        assert result == ["1", "umount"]
        assert shell.read("calls") == ""
    else:
        assert result[0] == "0"
        assert shell.read("calls").strip() == f"unmapped {unmapped}".strip()


def test_root_that_hangs_is_a_timeout(shell: Shell) -> None:
    script = RELEASE + 'umount_with_retries() { sleep 3; }; release_root || echo "$REASON $TEXT"'
    assert shell.output(HOST + script, "shutdown").startswith("timeout the root could not be unmounted in time")


def test_all_devices_are_unmapped_the_root_last(shell: Shell) -> None:
    for number in (0, 1, 2):
        shell.write(f"sys/bus/rbd/devices/{number}/name", "x\n")
    shell.output('unmap() { echo "unmap $*" >>"$T/calls"; }; unmap_all', "shutdown")
    assert shell.read("calls").splitlines() == ["unmap 2", "unmap 1", "unmap 0"]


def test_exitrd_gives_up_before_the_guard_does(shell: Shell) -> None:
    shell.write("run/diskless/shutdown-deadline", "500\n")
    assert shell.output("shutdown_deadline", "shutdown") == "490\n"


def test_no_step_takes_longer_than_what_is_left(shell: Shell) -> None:
    script = "now() { echo 100; }; DEADLINE=130; at_most 20; at_most 45; DEADLINE=90; at_most 45"
    assert shell.output(script, "shutdown") == "20\n30\n1\n"


@pytest.mark.parametrize(
    ("action", "command", "sysrq"),
    [
        ("reboot", "reboot -n -f", "b\n"),
        ("poweroff", "poweroff -n -f", "o\n"),
        ("halt", "halt -n -f", ""),
        ("kexec", "reboot -n -f", "b\n"),
    ],
)
def test_machine_goes_down_as_asked_and_by_sysrq_if_that_fails(
    shell: Shell, action: str, command: str, sysrq: str
) -> None:
    shell.run(busybox(shell) + f"halt_machine {action}", "halt.sh")
    assert f"chroot . /bin/busybox {command}" in shell.read("calls").splitlines()
    assert shell.read("proc/sysrq-trigger") == sysrq


@pytest.mark.parametrize(("asked", "done"), [("reboot", "reboot"), ("poweroff", "poweroff"), ("kexec", "reboot")])
def test_guard_ends_a_shutdown_that_hangs(shell: Shell, asked: str, done: str) -> None:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3 DISKLESS_SHUTDOWN_TIMEOUT=0\n")
    script = f'keep_network() {{ :; }}; pause() {{ :; }}; {FIFO}; halt_machine() {{ echo "halt $1"; }}; main {asked}'
    assert shell.output(script, "guard") == f"halt {done}\n"
    assert f"stage=shutdown host=pi3 boot=3649c6a2-82ad-40d7-9792-cbd1188ea7bc action={asked}\n" in shell.read("kmsg")
    assert f'step=shutdown reason=timeout text="not down after 0 s: {asked} by force"' in shell.read("kmsg")
    assert shell.read("proc/sysrq-trigger") == "s\n"


def test_guard_tells_the_exitrd_its_deadline(shell: Shell) -> None:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3 DISKLESS_SHUTDOWN_TIMEOUT=60\n")
    stubs = "now() { echo 40; }; keep_network() { :; }; guard_until() { :; }; pause() { :; }; halt_machine() { :; }\n"
    shell.output(stubs + f"{FIFO}; main reboot", "guard")
    assert shell.read("run/diskless/shutdown-deadline") == "100\n"


def test_guard_keeps_its_deadline_when_keeping_the_network_hangs(shell: Shell) -> None:
    shell.write("etc/host.conf", "DISKLESS_HOST=pi3 DISKLESS_SHUTDOWN_TIMEOUT=1\n")
    hangs = "now() { date +%s; }; network_put_back() { exec >/dev/null 2>&1; sleep 40; }; pause() { sleep 0.1; }\n"
    script = f'{FIFO}; halt_machine() {{ echo "halt $1"; }}; main reboot'
    assert shell.output(hangs + script, "guard") == "halt reboot\n"


def test_guard_puts_the_network_back_without_reading_from_the_root(shell: Shell) -> None:
    """'ip addr show' opens /etc/iproute2/rt_scopes: only commands that change something may be used."""
    shell.write("sys/class/net/eth0/device/x", "")
    shell.write("sys/class/net/eth0/address", "52:54:00:77:00:11\n")
    shell.output(HOST + "network_put_back", "guard", "config.sh")
    assert shell.read("calls").splitlines() == [
        "ip link set dev eth0 up",
        "ip -4 addr add 10.77.0.11/24 dev eth0",
    ]


def test_exitrd_has_what_systemd_looks_for(shell: Shell, tmp_path: Path) -> None:
    made = tmp_path / "exitrd"
    shell.write("bin/busybox", "")
    shell.write("run/diskless/host.conf", "DISKLESS_HOST='pi3'\n")
    shell.output(f'BUSYBOX=$T/bin/busybox; fill_exitrd "{made}"', "exitrd.sh")
    assert (made / "shutdown").stat().st_mode & 0o111 == 0o111
    assert {"dev", "proc", "sys", "run", "oldroot"} <= {entry.name for entry in made.iterdir()}
    assert (made / "etc/initrd-release").is_file()
    assert (made / "etc/diskless/host.conf").read_text(encoding="utf-8") == "DISKLESS_HOST='pi3'\n"
    assert (made / "usr/lib/diskless/halt.sh").is_file()
    assert (made / "bin/sh").readlink().as_posix() == "busybox"
