# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netconsole in early boot: who the log hosts' neighbours are, asked on a real link, and what the module is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from .conftest import HOST, Shell

PARTS = ("report.sh", "config.sh", "job.sh", "network.sh", "netconsole.sh")
NEIGHBOUR = "52:54:00:77:00:03"
KERNEL = "uname() { echo 6.1.0-32-amd64; }\n"
LINK = """netconsole_hop() { echo "$2 10.77.0.11"; }
netconsole_mac() { case $2 in *.9[0-9]) return 1 ;; esac; echo 0$2; }
"""
START = "netconsole_forget; netconsole_start eth0\n"
SILENT = "ping() { :; }; sleep() { :; }; now() { date +%s%N | cut -c 1-11; }\n"  # a tenth of a second for each second


def carrier(shell: Shell) -> None:
    shell.write("sys/class/net/eth0/carrier", "1\n")


def loaded(shell: Shell) -> list[str]:
    return [line for line in shell.read("calls").splitlines() if line.startswith("modprobe")]


def warnings(shell: Shell) -> list[str]:
    return [line for line in shell.read("kmsg").splitlines() if line.startswith("<4>diskless: netconsole ")]


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, timeout=10)


@pytest.fixture
def link(shell: Shell) -> Iterator[tuple[Shell, str]]:
    """A shell on a host with eth0, and the namespace of the machine at the other end of the cable."""
    host, other = (f"dl-ncsh-{os.getpid()}-{name}" for name in ("host", "other"))
    try:
        for namespace in (host, other):
            _ip("netns", "add", namespace)
        _ip("-n", host, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other)
        _ip("-n", other, "link", "set", "eth0", "address", NEIGHBOUR)
        addresses = {host: ("10.77.0.11/24", "fd77::11/64"), other: ("10.77.0.3/24", "fd77::3/64", "fe80::77/64")}
        for namespace, given in addresses.items():
            for address in given:
                _ip("-n", namespace, "addr", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []))
            _ip("-n", namespace, "link", "set", "eth0", "up")
        carrier(shell)
        yield replace(shell, argv=("ip", "netns", "exec", host, *shell.argv)), other
    finally:
        for namespace in (host, other):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, timeout=10, capture_output=True)


# "ip" of BusyBox or iproute2, as the shell finds it; the "ping" of an initramfs is BusyBox's.
REAL = KERNEL + f'unset -f ip; ping() {{ {shutil.which("busybox")} ping "$@"; }}\n'


@pytest.mark.parametrize(
    ("route", "target", "expected"),
    [
        ("", "10.77.0.3:6666", "@10.77.0.11/eth0,6666@10.77.0.3/"),
        ("", "[fd77::3]:514", "@fd77::11/eth0,514@fd77::3/"),
        ("ip route add default via 10.77.0.3", "192.0.2.9:6666", "@10.77.0.11/eth0,6666@192.0.2.9/"),
        ("ip -6 route add default via fe80::77 dev eth0", "[2001:db8::9]:6666", "@fd77::11/eth0,6666@2001:db8::9/"),
    ],
)
def test_frames_go_to_the_log_host_or_to_the_router_on_the_way(
    link: tuple[Shell, str], route: str, target: str, expected: str
) -> None:
    shell, _dummy = link
    shell.output(f"{HOST}{REAL}{route}\nDISKLESS_NETCONSOLE='{target}'\n{START}", *PARTS)
    assert loaded(shell) == [f"modprobe netconsole netconsole=+{expected}{NEIGHBOUR}"]
    assert warnings(shell) == []


def test_silent_log_host_costs_three_seconds_and_no_other_its_log(link: tuple[Shell, str]) -> None:
    shell, _dummy = link
    targets = "10.77.0.98:6666 10.77.0.3:6666 10.77.0.99:6666 192.0.2.9:6666"
    began = time.monotonic()
    shell.output(f"{HOST}{REAL}DISKLESS_NETCONSOLE='{targets}'\n{START}", *PARTS)
    assert time.monotonic() - began < 5
    assert loaded(shell) == [f"modprobe netconsole netconsole=+@10.77.0.11/eth0,6666@10.77.0.3/{NEIGHBOUR}"]
    (warning,) = warnings(shell)
    assert "no way to 10.77.0.98:6666 10.77.0.99:6666 192.0.2.9:6666:" in warning


def test_log_host_that_appears_later_gets_the_whole_log(link: tuple[Shell, str]) -> None:
    shell, other = link
    appears = f"nsenter --net=/run/netns/{other} ip addr add 10.77.0.4/24 dev eth0\n"
    script = f"DISKLESS_NETCONSOLE='10.77.0.3:6666 10.77.0.4:6666'\n{START}{appears}netconsole_start eth0\n"
    shell.output(HOST + REAL + script, *PARTS)
    first = f"+@10.77.0.11/eth0,6666@10.77.0.3/{NEIGHBOUR}"
    assert loaded(shell) == [
        f"modprobe netconsole netconsole={first}",
        "modprobe -r netconsole",
        f"modprobe netconsole netconsole={first};+@10.77.0.11/eth0,6666@10.77.0.4/{NEIGHBOUR}",
    ]


def test_address_of_the_link_alone_is_not_used_to_reach_farther(link: tuple[Shell, str]) -> None:
    """Until a router has announced the network: nobody could know the host by such an address."""
    shell, _dummy = link
    script = "ip -6 addr del fd77::11/64 dev eth0; ip -6 route add default via fe80::77 dev eth0; sleep() { :; }\n"
    shell.output(f"{HOST}{REAL}{script}DISKLESS_NETCONSOLE='[2001:db8::9]:6666'\n{START}", *PARTS)
    assert loaded(shell) == []
    assert len(warnings(shell)) == 1


def test_module_is_loaded_once_per_boot(shell: Shell) -> None:
    carrier(shell)
    script = f"DISKLESS_NETCONSOLE=10.77.0.3:6666\n{START}netconsole_start eth0; netconsole_start eth0\n"
    shell.output(HOST + KERNEL + LINK + script, *PARTS)
    assert loaded(shell) == ["modprobe netconsole netconsole=+@10.77.0.11/eth0,6666@10.77.0.3/010.77.0.3"]
    assert shell.read("proc/sys/kernel/printk") == "8\n"


def test_log_host_that_stays_away_makes_no_other_hear_everything_again(shell: Shell) -> None:
    carrier(shell)
    script = f"DISKLESS_NETCONSOLE='10.77.0.3:6666 10.77.0.99:6666'\n{START}netconsole_start eth0\n"
    shell.output(HOST + KERNEL + LINK + SILENT + script, *PARTS)
    assert loaded(shell) == ["modprobe netconsole netconsole=+@10.77.0.11/eth0,6666@10.77.0.3/010.77.0.3"]
    assert len(warnings(shell)) == 2


@pytest.mark.parametrize(
    "script", ["", "DISKLESS_NETCONSOLE=10.77.0.3:6666; rm sys/class/net/eth0/carrier\n"], ids=["unwanted", "no link"]
)
def test_nothing_happens_without_target_or_link(shell: Shell, script: str) -> None:
    carrier(shell)
    shell.output(HOST + KERNEL + LINK + script + START + "netconsole_start ''\n", *PARTS)
    assert loaded(shell) == []
    assert shell.read("kmsg") == ""
    assert shell.read("proc/sys/kernel/printk") == "7\t4\t1\t7\n"


def test_kernel_that_refuses_is_one_warning_and_the_boot_goes_on(shell: Shell) -> None:
    carrier(shell)
    refusal = (
        'modprobe() { echo "modprobe $*" >>"$T/calls"; echo "FATAL: Module netconsole not found" >&2; return 1; }\n'
    )
    script = f"DISKLESS_NETCONSOLE=10.77.0.3:6666\n{START}netconsole_start eth0; echo on\n"
    assert shell.output(HOST + KERNEL + LINK + refusal + script, *PARTS) == "on\n"
    assert len(loaded(shell)) == 1
    (warning,) = warnings(shell)
    assert "the kernel refuses netconsole=+@" in warning
    assert "FATAL: Module netconsole not found" in warning


def test_refused_addition_leaves_what_worked(shell: Shell) -> None:
    carrier(shell)
    refusal = 'modprobe() { echo "modprobe $*" >>"$T/calls"; case $* in *";"*) return 1 ;; esac; }\n'
    appears = "netconsole_mac() { echo 0$2; }\n"
    script = f"DISKLESS_NETCONSOLE='10.77.0.3:6666 10.77.0.99:6666'\n{START}{appears}netconsole_start eth0\n"
    shell.output(HOST + KERNEL + LINK + SILENT + refusal + script, *PARTS)
    assert loaded(shell)[-1] == "modprobe netconsole netconsole=+@10.77.0.11/eth0,6666@10.77.0.3/010.77.0.3"


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.1.0-32-amd64", "+"),
        ("6.5.13", "+"),
        ("6.6-rc1", "+r"),
        ("6.12.107+deb13-amd64", "+r"),
        ("7.3.4+deb13-amd64", "+r"),
        ("5.10.0", "+"),
    ],
)
def test_release_is_sent_by_kernels_that_can(shell: Shell, release: str, expected: str) -> None:
    assert shell.output(f"uname() {{ echo {release}; }}; netconsole_format", *PARTS) == expected + "\n"


def test_target_that_the_module_cannot_take_any_more_is_named(shell: Shell) -> None:
    """Longer, the kernel would refuse all of them."""
    carrier(shell)
    targets = [f"[2001:db8:1111:2222:3333:4444:5555:{number}]:6666" for number in (6661, 6662, 6663, 6664)]
    shell.output(f"{HOST}{KERNEL}{LINK}DISKLESS_NETCONSOLE='{' '.join(targets)}'\n{START}", *PARTS)
    (call,) = loaded(shell)
    assert len(call.removeprefix("modprobe netconsole netconsole=")) <= 255
    assert call.count(";") == 1
    assert [warning.split()[3].partition('"')[2] for warning in warnings(shell)] == targets[2:]
