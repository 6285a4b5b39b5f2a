# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the kernel would send to a log host: through which device, from which address, to whose MAC address.

netconsole asks neither routes nor neighbours, so somebody has to. Programs are started by the caller's own means.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Sequence

# Runs a program; returns its result code, standard output and standard error.
Run = Callable[[Sequence[str]], "tuple[int, str, str]"]
PORT = 6666
HIGHEST_PORT = 65535
DISCARD_PORT = 9
SECONDS = 3.0
PAUSE = 0.1
_ENDPOINT = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+))(?::(?P<port>\d{1,5}))?|(?P<v6>[0-9A-Fa-f:.]+)"
)


class RouteError(Exception):
    """There is no way to the target; the text says why."""


@dataclass(frozen=True)
class Way:
    """device: name. source: our address. hop: the target itself, or the next router. mac: that of the hop, if known."""

    device: str
    source: str
    hop: str
    mac: str | None = None


def parse_endpoint(text: str) -> tuple[str, int]:
    """Return address and port of 10.0.0.3, 10.0.0.3:6666, fd00::3 or [fd00::3]:6666; raises ValueError."""
    found = _ENDPOINT.fullmatch(text)
    try:
        if not found:
            raise ValueError
        port = int(found["port"] or PORT)
        address = ipaddress.ip_address(found["bracketed"] or found["v4"] or found["v6"])
        if not 0 < port <= HIGHEST_PORT or (found["bracketed"] is not None) > (address.version == 6):  # noqa: PLR2004
            raise ValueError
    except ValueError:
        raise ValueError(f"{text!r}: expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT") from None
    return str(address), port


def endpoint_text(address: str, port: int) -> str:
    """Return what C(parse_endpoint) reads, in one form."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def parse_route(address: str, output: str) -> Way:
    """Return the way that ``ip -j route get`` has printed; raises RouteError."""
    found = _first(output)
    if found.get("type") in ("local", "broadcast", "multicast"):
        raise RouteError(f"{address} is {found['type']} here: expected the address of another host")
    if not found.get("dev") or not found.get("prefsrc"):
        raise RouteError(f"there is no route to {address}")
    source = ipaddress.ip_address(found["prefsrc"])
    if source.is_link_local and not ipaddress.ip_address(address).is_link_local:
        raise RouteError(f"there is no address to reach {address} from, only {source}")
    return Way(found["dev"], str(source), found.get("gateway") or found.get("via", {}).get("host") or address)


def parse_neighbour(output: str) -> str | None:
    """Return the MAC address that ``ip -j neigh show`` has printed."""
    mac = _first(output).get("lladdr")
    return str(mac).lower() if mac else None


def find_way(run: Run, address: str, device: str | None = None, seconds: float = SECONDS) -> Way:
    """Return the way to an address, with the MAC address; raises RouteError.

    :param device: the one to go through, if not the one that the kernel would take.
    :param seconds: how long to wait for the neighbour's answer.
    """
    family = f"-{ipaddress.ip_address(address).version}"
    code, output, error = run(["ip", family, "-j", "route", "get", address, *(["oif", device] if device else [])])
    if code:
        raise RouteError(f"there is no route to {address}{f' through {device}' if device else ''}: {error.strip()}")
    way = parse_route(address, output)
    until = time.monotonic() + seconds
    asked = False
    while True:
        # A hop may be of the other family: of IPv4 networks that a router announces by IPv6.
        code, output, error = run(["ip", "-j", "neigh", "show", "to", way.hop, "dev", way.device])
        mac = parse_neighbour(output) if not code else None
        if mac:
            return Way(way.device, way.source, way.hop, mac)
        if not asked:
            _ask(address, way)
            asked = True
        if time.monotonic() >= until:
            raise RouteError(
                f"{way.hop} does not answer on {way.device}, so its MAC address is not known: is it up? "
                "Otherwise give the MAC address yourself"
            )
        time.sleep(PAUSE)


def device_of_mac(mac: str, root: str = "/sys/class/net") -> str:
    """Return the name of the network card with a MAC address; raises RouteError.

    Only cards: a bridge or bond on top has the same address.
    """
    cards = []
    for path in sorted(Path(root).iterdir()):
        if (path / "device").exists() and (path / "address").is_file():
            found = (path / "address").read_text(encoding="ascii").strip()
            if found == mac.lower():
                return path.name
            cards.append(f"{path.name} {found}")
    raise RouteError(f"no network card has the MAC address {mac}; there is {', '.join(cards) or 'none at all'}")


def _ask(address: str, way: Way) -> None:
    """Send an empty datagram to the port that discards them, so that the kernel looks for the neighbour."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            scope = socket.if_nametoindex(way.device) if ":" in address else 0
            sender.sendto(b"", (address, DISCARD_PORT, 0, scope) if scope else (address, DISCARD_PORT))
    except OSError:
        pass  # It shows as a neighbour that does not answer.


def _first(output: str) -> dict[str, Any]:
    try:
        listed = json.loads(output or "[]")
    except ValueError as error:
        raise RouteError(f"cannot read what ip says: {error}") from error
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
