# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DHCP, byte by byte and message by message."""

from __future__ import annotations

import dataclasses
import ipaddress
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lab.pi_firmware import dhcp
from lab.pi_firmware.dhcp import negotiate
from lab.pi_firmware.eeprom import Eeprom
from lab.pi_firmware.errors import NoBootOffer, NoLease, NoOffer
from tests.unit.lab.pi_firmware.served import CM4, PI4

BOOT, ROUTER = ipaddress.IPv4Address("10.0.0.3"), ipaddress.IPv4Address("10.0.0.1")
# What dnsmasq sends for pxe-service=0,"Raspberry Pi Boot".
MENU = bytes.fromhex("0601030a0400505845091400 0011") + b"Raspberry Pi Boot\xff"
FAST = Eeprom(dhcp_timeout=0.5, dhcp_req_timeout=0.1)
Options = dict[int, bytes]


def message(xid: int, kind: int, address: str, options: Options, next_server: str = "0.0.0.0") -> bytes:  # noqa: S104
    """Return a server's message to the CM4."""
    addresses = b"".join(ipaddress.IPv4Address(each).packed for each in (0, address, next_server, 0))
    header = struct.pack("!BBBBIHH", 2, 1, 6, 0, xid, 0, 0) + addresses + CM4.mac_bytes.ljust(16, b"\0") + bytes(192)
    encoded = b"".join(bytes([code, len(value)]) + value for code, value in {53: bytes([kind]), **options}.items())
    return header + dhcp.COOKIE + encoded + b"\xff"


def asked(sent: bytes) -> tuple[int, int]:
    """Return the transaction and the message type of what the board sent."""
    return int.from_bytes(sent[4:8], "big"), sent[242]


@dataclass
class Server:
    """A DHCP server: the options of its offers, and what else it does."""

    name: ipaddress.IPv4Address
    options: Options = field(default_factory=dict)
    address: str = "0.0.0.0"  # noqa: S104  # a proxy's
    next_server: str = "0.0.0.0"  # noqa: S104
    confirms: int = dhcp.ACK

    def answer(self, sent: bytes) -> bytes | None:
        xid, kind = asked(sent)
        if kind == dhcp.REQUEST and (self.name.packed not in sent or not self.confirms):
            return None
        options = {54: self.name.packed, **self.options}
        return message(
            xid, dhcp.OFFER if kind == dhcp.DISCOVER else self.confirms, self.address, options, self.next_server
        )


class Wire:
    """A network with DHCP servers, which answer in this order."""

    def __init__(self, *servers: Server) -> None:
        self.servers = servers
        self.sent: list[bytes] = []
        self.coming: list[tuple[bytes, ipaddress.IPv4Address]] = []

    def broadcast(self, sent: bytes) -> None:
        self.sent.append(sent)
        for server in self.servers:
            answer = server.answer(sent)
            if answer:
                self.coming.append((answer, server.name))

    def receive(self, timeout: float) -> tuple[bytes, ipaddress.IPv4Address] | None:
        if self.coming:
            return self.coming.pop(0)
        time.sleep(timeout)
        return None


def lease(*servers: Server, eeprom: Eeprom = FAST) -> dhcp.Lease:
    """Return the lease of a CM4 on a network with these servers."""
    return negotiate(Wire(*servers), CM4, eeprom, lambda _line: None)


FULL = Server(BOOT, {1: bytes([255, 255, 255, 0]), 3: ROUTER.packed, 43: MENU}, "10.0.0.12", str(BOOT))
PROXY = Server(BOOT, {43: MENU})
HOME_ROUTER = Server(ROUTER, {1: bytes([255, 255, 0, 0]), 3: ROUTER.packed}, "10.0.0.100")


def test_discover_is_what_boards_send() -> None:
    sent = dhcp.discover(CM4, Eeprom(), 0x01020304)
    assert len(sent) == 322
    assert sent[:44].hex(" ") == "01 01 06 00 01 02 03 04" + " 00" * 20 + " dc a6 32 01 36 c2" + " 00" * 10
    assert sent[236:].hex(" ") == (
        "63 82 53 63 35 01 01"  # DISCOVER
        " 37 0e 01 03 2b 3c 42 43 80 81 82 83 84 85 86 87"
        " 5d 02 00 00 5e 03 01 02 01"  # architecture 0, UNDI 2.1
        " 61 11 00 34 69 50 52 41 31 c0 00 32 01 36 c2 ef fd fe 9f"
        " 3c 20 50 58 45 43 6c 69 65 6e 74 3a 41 72 63 68 3a 30 30 30 30 30 3a 55 4e 44 49 3a 30 30 32 30 30 31 ff"
    )


def test_request_tells_neither_architecture_nor_guid() -> None:
    wire = Wire(FULL)
    negotiate(wire, CM4, FAST, lambda _line: None)
    request = wire.sent[-1]
    assert request[240:].hex(" ").startswith("35 01 03 32 04 0a 00 00 0c 36 04 0a 00 00 03 3c 20 50 58 45")
    assert len(request) == 240 + 3 + 6 + 6 + 34 + 1


def test_guid_is_the_one_that_a_real_pi_4_was_seen_to_send() -> None:
    seen = dataclasses.replace(PI4, model=dataclasses.replace(PI4.model, revision=0xD03114))
    assert dhcp.guid(seen, 0x34695052).hex(":") == "00:34:69:50:52:14:31:d0:00:01:09:02:f7:3d:f0:cd:91"


@pytest.mark.parametrize(
    ("option", "guid"),
    [(0, "00" + 4 * "effdfe9f"), (0x41424344, "00" + "41424344" + "4131c000" + "320136c2" + "effdfe9f")],
)
def test_guid_follows_dhcp_option97(option: int, guid: str) -> None:
    assert dhcp.guid(CM4, option).hex() == guid


def test_full_dhcp() -> None:
    found = lease(FULL)
    assert (str(found.address), found.router, found.boot_server) == ("10.0.0.12/24", ROUTER, BOOT)


@pytest.mark.parametrize("servers", [(PROXY, HOME_ROUTER), (HOME_ROUTER, PROXY)])
def test_address_of_a_router_and_boot_server_of_a_proxy(servers: tuple[Server, ...]) -> None:
    found = lease(*servers)
    assert (str(found.address), found.dhcp_server, found.boot_server) == ("10.0.0.100/16", ROUTER, BOOT)


def test_offer_that_boots_is_preferred_to_one_that_does_not() -> None:
    assert lease(HOME_ROUTER, FULL).dhcp_server == BOOT


@pytest.mark.parametrize(
    ("next_server", "option66", "expected"),
    [
        ("10.0.0.4", b"", "10.0.0.4"),
        ("0.0.0.0", b"10.0.0.5\0", "10.0.0.5"),  # noqa: S104
        ("0.0.0.0", b"", "10.0.0.3"),  # noqa: S104
        ("10.0.0.4", b"10.0.0.4", "10.0.0.4"),
    ],
)
def test_boot_server(next_server: str, option66: bytes, expected: str) -> None:
    options = {**FULL.options, **({66: option66} if option66 else {})}
    found = lease(Server(BOOT, options, "10.0.0.12", next_server))
    assert (str(found.boot_server), found.warnings) == (expected, ())


@pytest.mark.parametrize(
    ("option66", "said"),
    [
        (b"10.0.0.5", "10.0.0.3 names two boot servers, 10.0.0.4 (next server) and 10.0.0.5 (option 66)"),
        (b"boot.example", "option 66 of 10.0.0.3 is no address and not used: 'boot.example'"),
    ],
)
def test_ambiguous_boot_server_is_told(option66: bytes, said: str) -> None:
    found = lease(Server(BOOT, {**FULL.options, 66: option66}, "10.0.0.12", "10.0.0.4"))
    assert (str(found.boot_server), found.warnings) == ("10.0.0.4", (said,))


@pytest.mark.parametrize(
    "option43",
    [
        b"",
        b"Raspberry Pi Boot",  # without the PXE options around it
        MENU.replace(b"Pi Boot", b"Pi Toot"),
        MENU[:-2],  # cut off
        MENU.replace(b"\x09\x14", b"\x08\x14"),  # not in the boot menu
        bytes.fromhex("0601030a0400505845 0908 0000 05") + b"Linux\xff",
    ],
)
def test_offer_without_the_boot_menu_is_no_boot_offer(option43: bytes) -> None:
    server = Server(ROUTER, {**HOME_ROUTER.options, 43: option43}, "10.0.0.100", str(ROUTER))
    with pytest.raises(NoBootOffer, match=r"^no boot offer within 0.1 s: only addresses, from 10.0.0.1; wanted option"):
        lease(server, eeprom=Eeprom(dhcp_timeout=0.1))


def test_other_entries_of_the_boot_menu_do_no_harm() -> None:
    menu = b"\0\0\x05Linux" + b"\0\0\x15~~Raspberry Pi Boot~~"
    options = {**FULL.options, 43: bytes([6, 1, 3, 0, 9, len(menu)]) + menu + b"\xff"}
    assert lease(Server(BOOT, options, "10.0.0.12")).boot_server == BOOT


def test_pxe_option43_changes_what_is_looked_for() -> None:
    with pytest.raises(NoBootOffer, match=r"PXE boot menu 'Rack'"):
        lease(FULL, eeprom=Eeprom(dhcp_timeout=0.2, dhcp_req_timeout=0.1, pxe_option43="Rack"))


def test_with_tftp_ip_any_offer_will_do() -> None:
    eeprom = Eeprom(dhcp_timeout=0.5, tftp_ip="10.0.0.9")
    assert str(lease(HOME_ROUTER, eeprom=eeprom).boot_server) == "10.0.0.9"


def test_silence_is_asked_again_until_dhcp_timeout() -> None:
    wire = Wire()
    began = time.monotonic()
    with pytest.raises(NoOffer, match=r"^no DHCP offer within 0.5 s$"):
        negotiate(wire, CM4, FAST, lambda _line: None)
    assert 0.4 < time.monotonic() - began < 2
    assert 2 <= len(wire.sent) <= 5
    assert len(set(wire.sent)) == 1


def test_proxy_alone_gives_no_address() -> None:
    with pytest.raises(NoOffer, match=r"10.0.0.3 offers a network boot, but nobody offers an address"):
        lease(PROXY)


def test_offer_that_is_not_confirmed_is_no_lease() -> None:
    with pytest.raises(NoLease, match=r"^10.0.0.3 offered 10.0.0.12 and did not confirm it$"):
        lease(Server(BOOT, FULL.options, "10.0.0.12", confirms=0))


def test_offer_that_is_withdrawn_is_asked_for_again() -> None:
    server = Server(BOOT, FULL.options, "10.0.0.12", confirms=dhcp.NAK)

    def relent(line: str) -> None:
        if "withdrew" in line:
            server.confirms = dhcp.ACK

    wire = Wire(server)
    negotiate(wire, CM4, FAST, relent)
    kinds = [asked(sent)[1] for sent in wire.sent]
    assert kinds == [dhcp.DISCOVER, dhcp.REQUEST, dhcp.DISCOVER, dhcp.REQUEST]


def test_word_of_another_server_does_not_count() -> None:
    class Meddler(Server):
        def answer(self, sent: bytes) -> bytes | None:
            xid, kind = asked(sent)
            return message(xid, dhcp.NAK, "0.0.0.0", {54: self.name.packed}) if kind == dhcp.REQUEST else None  # noqa: S104

    wire = Wire(Meddler(ROUTER), FULL)
    assert negotiate(wire, CM4, FAST, lambda _line: None).dhcp_server == BOOT
    assert [asked(sent)[1] for sent in wire.sent] == [dhcp.DISCOVER, dhcp.REQUEST]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda offer: offer[:4] + bytes(4) + offer[8:],  # another transaction
        lambda offer: offer[:28] + bytes(6) + offer[34:],  # for another board
        lambda offer: b"\x01" + offer[1:],  # not from a server
        lambda offer: offer[:236] + bytes(4) + offer[240:],  # BOOTP
        lambda offer: offer[:250],  # cut off in an option
        lambda offer: offer[:100],
    ],
)
def test_message_that_is_not_for_us_is_ignored(spoil: Callable[[bytes], bytes]) -> None:
    class Spoiling(Server):
        def answer(self, sent: bytes) -> bytes | None:
            answer = super().answer(sent)
            return spoil(answer) if answer else None

    with pytest.raises(NoOffer):
        lease(Spoiling(BOOT, FULL.options, "10.0.0.12"), eeprom=Eeprom(dhcp_timeout=0.05, dhcp_req_timeout=0.05))
