# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network card: raw frames until there is an address, the kernel's network afterwards."""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import time

from lab.pi_firmware.dhcp import Lease
from lab.processes import run

ETHERTYPE_IP = 0x0800
ETHERNET = struct.Struct("!6s6sH")
IP = struct.Struct("!BBHHHBBH4s4s")
UDP = struct.Struct("!HHHH")
FRAME = 2048  # bytes; more than an Ethernet frame
TTL = 64
NOBODY, EVERYBODY = bytes(4), b"\xff" * 4
DHCP_SERVER, DHCP_CLIENT = 67, 68


class Link:
    """An interface that is the network card of a board for as long as this object is open.

    Frames are raw because a server sends its offer to the very address that it offers.
    """

    def __init__(self, interface: str, mac: bytes) -> None:
        """Take the interface, give it the board's MAC address and take away its IP addresses. Needs root.

        :raises LabError: when there is no such interface.
        """
        self.interface = interface
        self.mac = mac
        run(["ip", "link", "set", interface, "address", mac.hex(":"), "up"])
        self.deconfigure()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IP))
        self._socket.bind((interface, ETHERTYPE_IP))

    def close(self) -> None:
        """Let go of the interface, which keeps no address."""
        self._socket.close()
        self.deconfigure()

    def configure(self, lease: Lease) -> None:
        """Use this lease alone: the kernel answers ARP from now on, and TFTP goes through this interface."""
        self.deconfigure()
        run(["ip", "addr", "add", str(lease.address), "dev", self.interface])
        if lease.boot_server not in lease.address.network and lease.router:
            target = f"{lease.boot_server}/32"
            run(["ip", "route", "replace", target, "via", str(lease.router), "dev", self.interface])

    def deconfigure(self) -> None:
        """Forget the lease."""
        run(["ip", "-4", "addr", "flush", "dev", self.interface])

    def broadcast(self, message: bytes) -> None:
        """Send a DHCP message to everybody."""
        self._socket.send(frame(self.mac, message))

    def receive(self, timeout: float) -> tuple[bytes, ipaddress.IPv4Address] | None:
        """Return the next message to a DHCP client and its source, or None after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            received = message_in(self._socket.recv(FRAME))
            if received:
                return received
        return None


def frame(mac: bytes, message: bytes) -> bytes:
    """Return the Ethernet frame of a DHCP client's message; without a UDP checksum, as RFC 768 allows."""
    udp = UDP.pack(DHCP_CLIENT, DHCP_SERVER, UDP.size + len(message), 0) + message
    header = IP.pack(0x45, 0, IP.size + len(udp), 0, 0, TTL, socket.IPPROTO_UDP, 0, NOBODY, EVERYBODY)
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    return ETHERNET.pack(b"\xff" * 6, mac, ETHERTYPE_IP) + header + udp


def message_in(received: bytes) -> tuple[bytes, ipaddress.IPv4Address] | None:
    """Return the message to a DHCP client in an Ethernet frame and its source, or None when it is something else.

    Its checksum says nothing: between virtual network cards it is not filled in.
    """
    packet = received[ETHERNET.size :]
    if len(packet) < IP.size + UDP.size or packet[9] != socket.IPPROTO_UDP:
        return None
    length = 4 * (packet[0] & 0x0F)
    udp = packet[length : int.from_bytes(packet[2:4], "big")]
    if len(udp) < UDP.size or UDP.unpack_from(udp)[1] != DHCP_CLIENT:
        return None
    return udp[UDP.size :], ipaddress.IPv4Address(packet[12:16])


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
