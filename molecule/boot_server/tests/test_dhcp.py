# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firmware is told to boot: once by a boot server that hands out the addresses, once by one beside a router."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest
from testinfra.host import Host

BOOT_SERVER, ROUTER, NOWHERE = "10.77.0.3", "10.77.0.1", "0.0.0.0"  # noqa: S104  # no address
# The boards' MAC addresses are neighbours, so no rule that goes by parts of them could tell them apart.
PC, PI, UNKNOWN_PI, UNKNOWN_PC = (f"52:54:00:77:00:{number}" for number in (12, 13, 15, 10))
MENU_FOR_A_PI = bytes.fromhex("060103 0a0400505845 0914000011") + b"Raspberry Pi Boot" + b"\xff"

Reply = dict[str, str]


@dataclass
class Machine:
    """A machine with a network card, and what it was answered."""

    discover: list[Reply]
    request: list[Reply]
    boot: list[Reply]

    def said_by(self, server: str) -> list[Reply]:
        """All that one server answered."""
        return [reply for reply in (*self.discover, *self.request, *self.boot) if reply["from"] == server]


PowerOn = Callable[[str, str], Machine]


@pytest.fixture(scope="module")
def power_on(host: Host) -> PowerOn:
    """Let a machine ask what to boot; it gets the same answers every time."""

    @cache
    def ask(kind: str, mac: str) -> Machine:
        answers = json.loads(host.check_output(f"ip netns exec stranger firmware.py {kind} {mac}"))
        return Machine(answers["discover"], answers.get("request", []), answers.get("boot", []))

    return ask


@pytest.fixture(scope="module")
def proxy(host: Host) -> bool:
    """Whether a router hands out the addresses."""
    return "-proxy-" in host.check_output("hostname")


def test_dnsmasq_accepts_its_configuration(host: Host) -> None:
    host.check_output("dnsmasq --test --conf-file=/etc/diskless/dnsmasq.conf")


def test_pi_gets_the_one_offer_that_it_accepts(power_on: PowerOn, proxy: bool) -> None:
    offers = power_on("pi", PI).discover
    (offer,) = (offer for offer in offers if offer["from"] == BOOT_SERVER)
    assert bytes.fromhex(offer["43"]) == MENU_FOR_A_PI
    assert bytes.fromhex(offer["60"]) == b"PXEClient"
    assert offer["next_server"] == BOOT_SERVER
    assert offer["file"] == ""
    assert offer["address"] == (NOWHERE if proxy else "10.77.0.13")


def test_pi_gets_its_address_although_its_request_does_not_say_what_it_is(power_on: PowerOn, proxy: bool) -> None:
    (acknowledged,) = power_on("pi", PI).request
    if proxy:
        assert acknowledged["from"] == ROUTER
    else:
        assert acknowledged["address"] == "10.77.0.13"
        assert acknowledged["next_server"] == BOOT_SERVER


def test_pc_with_a_bios_is_told_its_loader(power_on: PowerOn, proxy: bool) -> None:
    pc = power_on("bios", PC)
    told = pc.boot if proxy else pc.request
    assert [(reply["from"], reply["next_server"], reply["file"]) for reply in told] == [
        (BOOT_SERVER, BOOT_SERVER, "grub.pxe")
    ]


@pytest.mark.parametrize("kind", ["uefi-7", "uefi-9"])
def test_pc_with_uefi_is_told_its_loader_along_with_its_address(power_on: PowerOn, kind: str) -> None:
    """Beside a router, too: GRUB fetches from where the address has come from."""
    pc = power_on(kind, PC)
    for reply in (*(offer for offer in pc.discover if offer["from"] == BOOT_SERVER), *pc.request):
        assert (reply["from"], reply["next_server"]) == (BOOT_SERVER, BOOT_SERVER)
        assert (reply["address"], reply["file"]) == ("10.77.0.12", "shimx64.efi")
    assert pc.request


@pytest.mark.parametrize("kind", ["bios", "uefi-7", "uefi-9"])
def test_pc_is_not_taken_for_a_pi(power_on: PowerOn, kind: str) -> None:
    for reply in power_on(kind, PC).said_by(BOOT_SERVER):
        assert b"Raspberry" not in bytes.fromhex(reply.get("43", ""))


@pytest.mark.parametrize(("kind", "mac"), [("pi", PI), ("bios", PC)])
def test_addresses_come_from_one_server_alone(power_on: PowerOn, proxy: bool, kind: str, mac: str) -> None:
    offers = power_on(kind, mac).discover
    assert [offer["from"] for offer in offers if offer["address"] != NOWHERE] == [ROUTER if proxy else BOOT_SERVER]


@pytest.mark.parametrize(
    ("kind", "mac"), [("pi", UNKNOWN_PI), ("bios", UNKNOWN_PC), ("uefi-7", UNKNOWN_PC), ("uefi-9", UNKNOWN_PC)]
)
def test_unknown_machine_gets_nothing_and_the_log_says_so(
    host: Host, power_on: PowerOn, proxy: bool, kind: str, mac: str
) -> None:
    start = host.check_output("date +@%s")
    machine = power_on(kind, mac)
    assert machine.said_by(BOOT_SERVER) == []
    assert bool(machine.discover) == proxy  # the router gives an address to anybody
    log = host.check_output(f"journalctl --unit=diskless-dnsmasq.service --since={start} --output=cat")
    by_proxy = proxy and not kind.startswith("uefi")
    assert f"{'PXE' if by_proxy else 'DHCPDISCOVER'}(boot) {mac} {'proxy-' if by_proxy else ''}ignored" in log


@pytest.mark.parametrize("mac", [PC, UNKNOWN_PC])
def test_running_system_is_answered_only_if_known_and_only_without_a_router(
    power_on: PowerOn, proxy: bool, mac: str
) -> None:
    assert bool(power_on("system", mac).said_by(BOOT_SERVER)) == (mac == PC and not proxy)


def test_gateway_and_nameservers_are_options_of_the_network(host: Host) -> None:
    conf = host.file("/etc/diskless/dnsmasq.conf").content_string
    assert "dhcp-option=tag:net1,option:router,10.77.0.1\n" in conf
