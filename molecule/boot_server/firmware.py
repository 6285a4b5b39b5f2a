#!/usr/bin/python3
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firmware.py KIND MAC: ask for an address and for what to boot, on eth0, and print every answer as JSON.

KIND is pi, bios, uefi-7, uefi-9 or system (one that is not netbooted). RFC 2131 and the PXE specification.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from dataclasses import dataclass

Options = dict[int, bytes]
Reply = dict[str, str]

ARCHITECTURES = {"pi": 0, "bios": 0, "uefi-7": 7, "uefi-9": 9}
DISCOVER, REQUEST = 1, 3
ADDRESS, SERVER, PARAMETERS, CLASS, VENDOR = 50, 54, 55, 60, 43
BOOT_MENU, BOOT_ITEM = 9, 71  # in option 43
IPV4, ARP, UDP = b"\x08\x00", b"\x08\x06", 17
ARP_REQUEST, ARP_REPLY = b"\0\1", b"\0\2"
ETHERNET_HEADER = 14
NOWHERE = "0.0.0.0"  # noqa: S104  # no address yet
BROADCAST = 0x8000
XID = b"boot"
MAGIC = bytes.fromhex("63825363")
PATIENCE = 1.0  # seconds


@dataclass(frozen=True)
class Server:
    """Where a message goes."""

    mac: bytes = b"\xff" * 6
    address: str = "255.255.255.255"
    port: int = 67


def about(kind: str, mac: bytes) -> Options:
    """What a PXE client says of itself. A Pi's GUID: model, revision, end of the MAC address, serial number."""
    if kind == "system":
        return {PARAMETERS: bytes([1, 3, 6])}
    guid = bytes.fromhex("34695052 4131b000") + mac[2:] + bytes.fromhex("0d000010") if kind == "pi" else bytes(10) + mac
    architecture = ARCHITECTURES[kind]
    return {
        PARAMETERS: bytes([1, 3, 43, 60, 66, 67]),
        CLASS: b"PXEClient:Arch:%05d:UNDI:002001" % architecture,
        93: struct.pack("!H", architecture),
        94: bytes([1, 2, 1]),
        97: b"\0" + guid,
    }


class Card:
    """A network card with a MAC address of its own choice, which answers ARP for its IP address."""

    def __init__(self, mac: bytes) -> None:
        self.mac = mac
        self.address = NOWHERE
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.bind(("eth0", 0))

    def send(self, kind: int, options: Options, to: Server) -> None:
        """Send a DHCP message."""
        flags = BROADCAST if self.address == NOWHERE else 0
        source = socket.inet_aton(self.address)
        message = struct.pack("!4B4sHH4s12x16s192x", 1, 1, 6, 0, XID, 0, flags, source, self.mac)
        message += MAGIC + _encode({53: bytes([kind]), **options})
        udp = struct.pack("!4H", 68, to.port, 8 + len(message), 0) + message
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, UDP, 0)
        header += source + socket.inet_aton(to.address)
        header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
        self.socket.send(to.mac + self.mac + IPV4 + header + udp)

    def resolve(self, address: str) -> bytes:
        """Return the MAC address of whoever has an IP address."""
        self._arp(ARP_REQUEST, b"\xff" * 6, socket.inet_aton(address))
        for frame in self._frames():
            if frame[:6] == self.mac and frame[12:14] == ARP and frame[20:22] == ARP_REPLY:
                return frame[22:28]
        raise SystemExit(f"{address} does not answer")

    def replies(self) -> list[Reply]:
        """All DHCP messages to this card that arrive in time."""
        parsed = (_parse(frame) for frame in self._frames())
        return [reply for reply in parsed if reply and reply["to"] == self.mac.hex(":")]

    def _frames(self) -> list[bytes]:
        frames = []
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame = self.socket.recv(2048)
            except TimeoutError:
                break
            frames.append(frame)
            if frame[12:14] == ARP and frame[20:22] == ARP_REQUEST and frame[38:42] == socket.inet_aton(self.address):
                self._arp(ARP_REPLY, frame[22:28], frame[28:32])
        return frames

    def _arp(self, operation: bytes, mac: bytes, address: bytes) -> None:
        message = struct.pack("!H2sBB", 1, IPV4, 6, 4) + operation
        message += self.mac + socket.inet_aton(self.address) + mac + address
        self.socket.send(mac + self.mac + ARP + message)


def _encode(options: Options) -> bytes:
    return b"".join(bytes([code, len(value)]) + value for code, value in options.items()) + b"\xff"


def _decode(data: bytes) -> Options:
    options = {}
    while data and data[0] != 0xFF:
        options[data[0]] = data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
    return options


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    return ~(total + (total >> 16)) & 0xFFFF


def _parse(frame: bytes) -> Reply | None:
    """The fields of a server's message, and its options as hexadecimal digits by their numbers."""
    if frame[12:14] != IPV4 or frame[23] != UDP or frame[36:38] != struct.pack("!H", 68):
        return None
    message = frame[ETHERNET_HEADER + 28 :]
    if message[0] != 2 or message[4:8] != XID:
        return None
    options = _decode(message[240:])
    return {
        "from": socket.inet_ntoa(frame[26:30]),
        "to": message[28:34].hex(":"),
        "address": socket.inet_ntoa(message[16:20]),
        "next_server": socket.inet_ntoa(message[20:24]),
        "file": (options.get(67) or message[108:236]).split(b"\0")[0].decode(),
        **{str(code): value.hex() for code, value in options.items()},
    }


def boot(kind: str, mac: bytes) -> dict[str, list[Reply]]:
    """Do what the firmware does; return the answers to each of its questions."""
    card = Card(mac)
    options = about(kind, mac)
    card.send(DISCOVER, options, Server())
    answers = {"discover": card.replies()}
    addresses = [offer for offer in answers["discover"] if offer["address"] != NOWHERE]
    if not addresses:
        return answers
    # An offer of an address and of what to boot has precedence.
    offer = next((offer for offer in addresses if str(CLASS) in offer), addresses[0])

    # A Pi does not repeat its architecture and GUID.
    said = {CLASS: options[CLASS]} if kind == "pi" else options
    chosen = {ADDRESS: socket.inet_aton(offer["address"]), SERVER: bytes.fromhex(offer[str(SERVER)])}
    card.send(REQUEST, {**said, **chosen}, Server())
    answers["request"] = card.replies()

    proxy = next((offer for offer in answers["discover"] if offer["address"] == NOWHERE), None)
    if proxy and kind != "pi":
        menu = _decode(bytes.fromhex(proxy.get(str(VENDOR), ""))).get(BOOT_MENU)
        item = {VENDOR: _encode({BOOT_ITEM: menu[:2] + b"\0\0"})} if menu else {}
        card.address = offer["address"]
        server = Server(card.resolve(proxy["from"]), proxy["from"], 4011)
        card.send(REQUEST, {**options, **item}, server)
        answers["boot"] = card.replies()
    return answers


print(json.dumps(boot(sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")))))
