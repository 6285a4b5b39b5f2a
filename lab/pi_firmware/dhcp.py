# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DHCP as the bootloader speaks it: an address from any server, a boot server only from one that means a Pi.

RFC 2131, the PXE specification's options 43, 60, 93, 94 and 97, and DHCP_OPTION97 and PXE_OPTION43 in the documentation
of the bootloader.
"""

from __future__ import annotations

import ipaddress
import random
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lab.pi_firmware.board import Board
from lab.pi_firmware.eeprom import Eeprom
from lab.pi_firmware.errors import NoBootOffer, NoLease, NoOffer

DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
COOKIE = bytes.fromhex("63825363")
HEADER = struct.Struct("!BBBB I HH 4s4s4s4s 16s 64s 128s")
BOOT_REQUEST, BOOT_REPLY = 1, 2
PAD, END = 0, 255

SUBNET_MASK, ROUTER, VENDOR = 1, 3, 43
REQUESTED_ADDRESS, MESSAGE_TYPE, SERVER, PARAMETERS, VENDOR_CLASS, TFTP_SERVER = 50, 53, 54, 55, 60, 66
ARCHITECTURE, INTERFACE, GUID = 93, 94, 97
PXE_BOOT_MENU = 9  # inside option 43

CLASS = b"PXEClient:Arch:00000:UNDI:002001"
WANTED = bytes([SUBNET_MASK, ROUTER, VENDOR, VENDOR_CLASS, TFTP_SERVER, 67, *range(128, 136)])  # observed
NOWHERE = ipaddress.IPv4Address(0)
MENU_ENTRY = struct.Struct("!HB")  # type, length of the text that follows


@dataclass(frozen=True)
class Reply:
    """A message of a server. ``source`` is where it came from."""

    kind: int
    xid: int
    hardware_address: bytes
    address: ipaddress.IPv4Address
    next_server: ipaddress.IPv4Address
    source: ipaddress.IPv4Address
    options: dict[int, bytes]

    @property
    def server(self) -> ipaddress.IPv4Address:
        """The server's name for itself."""
        return _address(self.options.get(SERVER, b"")) or self.source


@dataclass(frozen=True)
class Lease:
    """What the board knows of the network afterwards.

    router: where to send what is not for its own subnet, or None.
    boot_server: whom to ask for files by TFTP.
    warnings: what one bootloader may take differently from another.
    """

    address: ipaddress.IPv4Interface
    router: ipaddress.IPv4Address | None
    boot_server: ipaddress.IPv4Address
    dhcp_server: ipaddress.IPv4Address
    warnings: tuple[str, ...] = ()


class Wire(Protocol):
    """A network card without an address."""

    def broadcast(self, message: bytes) -> None:
        """Send a DHCP message to everybody."""

    def receive(self, timeout: float) -> tuple[bytes, ipaddress.IPv4Address] | None:
        """Return the next message to a DHCP client and its source, or None after ``timeout`` seconds."""


def discover(board: Board, eeprom: Eeprom, xid: int) -> bytes:
    """Return a DHCPDISCOVER, 322 bytes in the order that boards have."""
    return _message(
        board,
        xid,
        (MESSAGE_TYPE, bytes([DISCOVER])),
        (PARAMETERS, WANTED),
        (ARCHITECTURE, bytes(2)),
        (INTERFACE, bytes([1, 2, 1])),
        (GUID, guid(board, eeprom.dhcp_option97)),
        (VENDOR_CLASS, CLASS),
    )


def request(board: Board, xid: int, offer: Reply) -> bytes:
    """Return a DHCPREQUEST for what was offered.

    It says what a PXE client is, but neither its architecture nor its GUID (observed): a server that goes by these
    in a request does not recognise the board any more.
    """
    return _message(
        board,
        xid,
        (MESSAGE_TYPE, bytes([REQUEST])),
        (REQUESTED_ADDRESS, offer.address.packed),
        (SERVER, offer.server.packed),
        (VENDOR_CLASS, CLASS),
    )


def guid(board: Board, prefix: int) -> bytes:
    """Return option 97: 00, the prefix, board revision, the last four bytes of the MAC address, serial number.

    Revision and serial number are little-endian. Prefix 0 stands for the older form, four times the serial number.
    """
    serial = int(board.serial, 16).to_bytes(4, "little")
    if prefix == 0:
        return bytes(1) + 4 * serial
    return bytes(1) + struct.pack(">I", prefix) + struct.pack("<I", board.model.revision) + board.mac_bytes[2:] + serial


def parse(message: bytes, source: ipaddress.IPv4Address) -> Reply | None:
    """Return a server's message, or None when it is none."""
    start = HEADER.size + len(COOKIE)
    if len(message) < start or message[HEADER.size : start] != COOKIE:
        return None
    op, _, length, _, xid, _, _, _, address, next_server, _, hardware_address, _, _ = HEADER.unpack_from(message)
    options = _options(message[start:])
    if op != BOOT_REPLY or options is None or len(options.get(MESSAGE_TYPE, b"")) != 1:
        return None
    return Reply(
        options[MESSAGE_TYPE][0],
        xid,
        hardware_address[:length],
        ipaddress.IPv4Address(address),
        ipaddress.IPv4Address(next_server),
        source,
        options,
    )


def boots(offer: Reply, wanted: str) -> bool:
    """Tell whether the PXE boot menu in option 43 has an entry with the wanted text in it.

    The text alone, without the PXE options around it, is not enough.
    """
    vendor = _options(offer.options.get(VENDOR, b""))
    menu = (vendor or {}).get(PXE_BOOT_MENU, b"")
    while len(menu) > MENU_ENTRY.size:
        _, length = MENU_ENTRY.unpack_from(menu)
        end = MENU_ENTRY.size + length
        if wanted.encode("latin-1", "replace") in menu[MENU_ENTRY.size : end]:
            return True
        menu = menu[end:]
    return False


def boot_server(offer: Reply) -> tuple[ipaddress.IPv4Address, tuple[str, ...]]:
    """Return the TFTP server of an offer: its next server, option 66, or the server itself; and what to beware of.

    Bootloaders were seen to differ in which of the first two they prefer.
    """
    warnings = []
    tftp_server = NOWHERE
    if named := offer.options.get(TFTP_SERVER, b"").rstrip(b"\0").decode("latin-1"):
        try:
            tftp_server = ipaddress.IPv4Address(named)
        except ValueError:  # there is no DNS at this point
            warnings.append(f"option 66 of {offer.server} is no address and not used: {named!r}")
    if NOWHERE not in (offer.next_server, tftp_server) and offer.next_server != tftp_server:
        both = f"{offer.next_server} (next server) and {tftp_server} (option 66)"
        warnings.append(f"{offer.server} names two boot servers, {both}")
    found = [address for address in (offer.next_server, tftp_server) if address != NOWHERE]
    return (found or [offer.server])[0], tuple(warnings)


def negotiate(wire: Wire, board: Board, eeprom: Eeprom, say: Callable[[str], None]) -> Lease:
    """Get an address and a boot server.

    :raises NoOffer: nobody offered an address within DHCP_TIMEOUT.
    :raises NoBootOffer: nobody offered a network boot.
    :raises NoLease: the server did not confirm its offer.
    """
    return _Client(wire, board, eeprom, say).lease()


class _Client:
    def __init__(self, wire: Wire, board: Board, eeprom: Eeprom, say: Callable[[str], None]) -> None:
        self.wire = wire
        self.board = board
        self.eeprom = eeprom
        self.say = say
        self.xid = random.getrandbits(32)
        self.deadline = time.monotonic() + eeprom.dhcp_timeout

    def lease(self) -> Lease:
        while True:
            offer, boot = self._offers()
            if self._confirmed(offer):
                break
        mask = _address(offer.options.get(SUBNET_MASK, b"")) or "255.255.255.0"
        server, warnings = boot_server(boot)
        if self.eeprom.tftp_ip:
            server, warnings = ipaddress.IPv4Address(self.eeprom.tftp_ip), ()
        router = _address(offer.options.get(ROUTER, b"")[:4])
        return Lease(ipaddress.IPv4Interface(f"{offer.address}/{mask}"), router, server, offer.server, warnings)

    def _offers(self) -> tuple[Reply, Reply]:
        """Return an offer with an address, and one that boots: the same one, or that of a proxy without an address."""
        addresses: list[Reply] = []
        boot: Reply | None = None
        for reply in self._replies(discover(self.board, self.eeprom, self.xid)):
            if reply.kind != OFFER:
                continue
            with_address = reply.address != NOWHERE
            usable = bool(self.eeprom.tftp_ip) or boots(reply, self.eeprom.pxe_option43)
            what = [str(reply.address)] if with_address else []
            self.say(
                f"DHCP: offer of {reply.server}: {', '.join([*what, 'network boot' if usable else 'no network boot'])}"
            )
            if with_address and usable:
                return reply, reply
            if with_address:
                addresses.append(reply)
            elif usable:
                boot = reply
            if addresses and boot:
                return addresses[0], boot
        raise self._why_not(addresses, boot)

    def _why_not(self, addresses: list[Reply], boot: Reply | None) -> NoOffer | NoBootOffer:
        waited = f"within {self.eeprom.dhcp_timeout:g} s"
        if addresses:
            servers = ", ".join(sorted({str(offer.server) for offer in addresses}))
            wanted = f"option 43 with the PXE boot menu {self.eeprom.pxe_option43!r}"
            return NoBootOffer(f"no boot offer {waited}: only addresses, from {servers}; wanted {wanted}")
        if boot:
            return NoOffer(f"no DHCP offer {waited}: {boot.server} offers a network boot, but nobody offers an address")
        return NoOffer(f"no DHCP offer {waited}")

    def _confirmed(self, offer: Reply) -> bool:
        """Tell whether the server confirmed its offer; False: it withdrew it."""
        for reply in self._replies(request(self.board, self.xid, offer)):
            if reply.server != offer.server:
                continue
            if reply.kind == NAK:
                self.say(f"DHCP: {offer.server} withdrew its offer of {offer.address}")
                return False
            if reply.kind == ACK and reply.address == offer.address:
                return True
        raise NoLease(f"{offer.server} offered {offer.address} and did not confirm it")

    def _replies(self, message: bytes) -> Iterator[Reply]:
        """Send a message, again after every DHCP_REQ_TIMEOUT, and yield what comes back until DHCP_TIMEOUT is over."""
        while time.monotonic() < self.deadline:
            self.wire.broadcast(message)
            again = min(time.monotonic() + self.eeprom.dhcp_req_timeout, self.deadline)
            while (left := again - time.monotonic()) > 0:
                received = self.wire.receive(left)
                reply = parse(*received) if received else None
                if reply and (reply.xid, reply.hardware_address) == (self.xid, self.board.mac_bytes):
                    yield reply


def _message(board: Board, xid: int, *options: tuple[int, bytes]) -> bytes:
    """A boot request; no flag asks for a broadcast, so servers answer to the address they offer."""
    nobody = bytes(4)
    header = HEADER.pack(
        *(BOOT_REQUEST, 1, 6, 0, xid, 0, 0, nobody, nobody, nobody, nobody), board.mac_bytes, bytes(64), bytes(128)
    )
    return header + COOKIE + b"".join(bytes([code, len(value)]) + value for code, value in options) + bytes([END])


def _options(encoded: bytes) -> dict[int, bytes] | None:
    """Return options by their code, or None when they are cut off."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(encoded) and encoded[at] != END:
        if encoded[at] == PAD:
            at += 1
            continue
        value = encoded[at + 2 : at + 2 + encoded[at + 1]] if at + 1 < len(encoded) else None
        if value is None or len(value) < encoded[at + 1]:
            return None
        found[encoded[at]] = found.get(encoded[at], b"") + value
        at += 2 + len(value)
    return found


def _address(packed: bytes) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(packed) if len(packed) == len(NOWHERE.packed) else None
