# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets that are received from: those that systemd has opened, or our own."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterable

from .config import parse_socket

NETCONSOLE = "netconsole"
EVENTS = "events"
PORTS = {6666: NETCONSOLE, 6667: EVENTS}  # what a socket is for, if systemd does not name it
RECEIVE_BUFFER = 64 * 1024 * 1024  # bytes; the kernel counts about 1 KiB for a small datagram
_FIRST = 3  # SD_LISTEN_FDS_START of sd_listen_fds(3)
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; Python has no names for these
_SO_MEMINFO = 55
_SK_MEMINFO_DROPS = 8  # linux/sock_diag.h


class SocketsError(Exception):
    """There is nothing to receive from; the text says why."""


def inherited() -> list[tuple[str, socket.socket]]:
    """Return what systemd has opened, each with what it is for; see sd_listen_fds(3). Raises SocketsError."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    sockets = []
    for number in range(count):
        found = socket.socket(fileno=_FIRST + number)
        port = found.getsockname()[1]
        name = names[number] if number < len(names) else ""
        purpose = name if name in (NETCONSOLE, EVENTS) else PORTS.get(port)
        if purpose is None:
            raise SocketsError(
                f"socket {name or number} of systemd, port {port}; expected FileDescriptorName={NETCONSOLE} or"
                f" {EVENTS}, or one of the ports {', '.join(map(str, PORTS))}"
            )
        sockets.append((purpose, found))
    return sockets


def opened(purpose: str, addresses: Iterable[str]) -> list[tuple[str, socket.socket]]:
    """Return sockets bound to these ``ADDRESS:PORT``. Raises SocketsError."""
    sockets = []
    for text in addresses:
        address, port = parse_socket(text)
        version = ipaddress.ip_address(address).version
        own = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)  # noqa: PLR2004
        try:
            if version == 6:  # noqa: PLR2004
                own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            own.bind((address, port))
        except OSError as error:
            raise SocketsError(f"listen: {text}: {error.strerror}") from error
        _enlarge(own)
        sockets.append((purpose, own))
    return sockets


def _enlarge(own: socket.socket) -> None:
    try:
        own.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:  # then sysctl net.core.rmem_max is the limit
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def dropped(own: socket.socket) -> int:
    """Return how many datagrams the kernel has dropped because the buffer was full, modulo 2**32."""
    values = own.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_SK_MEMINFO_DROPS + 1))
    return int(struct.unpack_from("=I", values, 4 * _SK_MEMINFO_DROPS)[0])
