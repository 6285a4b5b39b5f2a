# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network card that carries the root."""

from __future__ import annotations

import pytest

from .conftest import HOST, Shell

PARTS = ("report.sh", "config.sh", "network.sh")


def nic(shell: Shell, name: str, mac: str, *, card: bool = True, carrier: str = "1") -> None:
    shell.write(f"sys/class/net/{name}/address", mac + "\n")
    shell.write(f"sys/class/net/{name}/carrier", carrier + "\n")
    if card:
        shell.write(f"sys/class/net/{name}/device/vendor", "")


def test_card_is_found_by_its_address_whatever_its_case(shell: Shell) -> None:
    nic(shell, "eth0", "52:54:00:77:00:10")
    nic(shell, "eth1", "52:54:00:77:00:1f")
    assert shell.output("nic_by_mac 52:54:00:77:00:1F", *PARTS) == "eth1\n"


def test_bridge_with_the_same_address_is_not_the_card(shell: Shell) -> None:
    nic(shell, "br0", "52:54:00:77:00:11", card=False)
    nic(shell, "eth0", "52:54:00:77:00:11")
    assert shell.output("nic_by_mac 52:54:00:77:00:11", *PARTS) == "eth0\n"


def test_missing_card_names_those_there_are(shell: Shell) -> None:
    nic(shell, "eth0", "52:54:00:77:00:10")
    assert shell.output('wait_for_nic 52:54:00:77:00:11 0 || echo "$REASON: $TEXT"', *PARTS) == (
        "no-nic: no network card has the address 52:54:00:77:00:11; found: eth0=52:54:00:77:00:10\n"
    )


def test_no_card_at_all_suggests_the_driver(shell: Shell) -> None:
    assert "is its driver in the initramfs?" in shell.output('wait_for_nic 52:54:00:77:00:11 0 || echo "$TEXT"', *PARTS)


def test_card_without_link_is_its_own_failure(shell: Shell) -> None:
    nic(shell, "eth0", "52:54:00:77:00:11", carrier="0")
    assert shell.output('wait_for_carrier eth0 0 || echo "$REASON: $TEXT"', *PARTS).startswith(
        "no-carrier: eth0 has no link"
    )


def test_address_and_gateway_are_put_once(shell: Shell) -> None:
    nic(shell, "eth0", "52:54:00:77:00:11")
    stub = 'ip() { case $* in *show*) cat "$T/shown" ;; *) echo "ip $*" >>"$T/calls" ;; esac; }\n'
    shell.write("shown", "    inet 10.77.0.110/24 scope global eth0\n")
    shell.output(HOST + stub + "DISKLESS_GATEWAY=10.77.0.1; network_up", *PARTS)
    assert shell.read("calls").splitlines() == [
        "udevadm settle --timeout=10",
        "ip link set dev eth0 up",
        "ip -4 addr add 10.77.0.11/24 dev eth0",
        "ip -4 route replace default via 10.77.0.1 dev eth0",
    ]
    shell.write("calls", "")
    shell.write("shown", "    inet 10.77.0.11/24 scope global eth0\n")
    shell.output(HOST + stub + "network_up", *PARTS)
    assert "addr add" not in shell.read("calls")


def test_version_6_needs_no_duplicate_address_detection(shell: Shell) -> None:
    nic(shell, "eth0", "52:54:00:77:00:11")
    shell.write("proc/sys/net/ipv6/conf/eth0/accept_dad", "1\n")
    shell.write("proc/sys/net/ipv6/conf/eth0/dad_transmits", "1\n")
    shell.output(HOST + "DISKLESS_ADDRESS=fd77::11/64; network_up", *PARTS)
    assert "ip -6 addr add fd77::11/64 dev eth0" in shell.read("calls")
    assert shell.read("proc/sys/net/ipv6/conf/eth0/accept_dad") == "0\n"
    assert shell.read("proc/sys/net/ipv6/conf/eth0/dad_transmits") == "0\n"


@pytest.mark.parametrize("failing", ["ip link set dev eth0 up", "ip addr add 10.77.0.11/24 dev eth0"])
def test_failing_command_is_named(shell: Shell, failing: str) -> None:
    nic(shell, "eth0", "52:54:00:77:00:11")
    word = failing.split()[1]
    stub = f'ip() {{ case $* in *"show"*) ;; *{word}*) return 1 ;; esac; }}\n'
    assert shell.output(HOST + stub + 'network_up || echo "$TEXT"', *PARTS) == f"'{failing}' failed\n"
