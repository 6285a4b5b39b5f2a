# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's network: a bridge and its cables, inside namespaces with no way out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.processes import empty_namespace, run
from lab.state import Host

NETWORK = "10.77.0.0/24"
BRIDGE = "10.77.0.254"
CEPH = "10.77.0.2"
BOOT_SERVER = "10.77.0.3"  # the one that hosts know; of two, the one that works has it beside its own
# By how many there are.
BOOT_SERVERS = {1: {"boot": BOOT_SERVER}, 2: {"boot1": "10.77.0.4", "boot2": "10.77.0.5"}}
ROUTER_ADVERTISEMENTS = Path(__file__).with_name("radvd.conf")


def stations(boot_servers: int) -> dict[str, str]:
    """Return the addresses of the containers of a lab with so many boot servers."""
    return {"ceph": CEPH, **BOOT_SERVERS[boot_servers]}


def address(number: int) -> str:
    """Return the IPv4 address of the host with this number."""
    return f"10.77.0.{number}"


def mac(number: int) -> str:
    """Return the MAC address of the host with this number."""
    return f"52:54:00:77:00:{number:02d}"


def serial(number: int) -> str:
    """Return the serial number of the Pi with this number."""
    return f"77a000{number:02d}"


def tap(number: int) -> str:
    """Return the name of the TAP device that is plugged into the host with this number."""
    return f"tap{number}"


@dataclass(frozen=True)
class Link:
    """A device in a namespace."""

    plugged: bool  # into the bridge
    up: bool


@dataclass(frozen=True)
class Network:
    """The namespaces of one lab. Every name inside them is its own, so labs cannot meet."""

    lab: str

    @property
    def switch(self) -> str:
        """The namespace with the bridge and the TAP devices; QEMU runs here."""
        return f"dl-{self.lab}-net"

    def station(self, name: str) -> str:
        """The namespace of a container: ``ceph``, ``boot``…"""
        return f"dl-{self.lab}-{name}"

    @property
    def namespaces(self) -> list[str]:
        """All namespaces that a lab can have, the bridge's last."""
        names = [name for boot_servers in BOOT_SERVERS for name in stations(boot_servers)]
        return [*(self.station(name) for name in dict.fromkeys(names)), self.switch]

    def create(self, addresses: Mapping[str, str]) -> None:
        """Make what is missing.

        :param addresses: of the containers, by their names.
        """
        for namespace in (*(self.station(name) for name in addresses), self.switch):
            _ensure_namespace(namespace)
        links = _links(self.switch)
        if "br0" not in links:
            _ip(self.switch, "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
        _ip(self.switch, f"addr replace {BRIDGE}/24 dev br0")
        _ip(self.switch, "link set br0 up")
        for name, station_address in addresses.items():
            namespace = self.station(name)
            if name not in links:
                _ip(self.switch, f"link add {name} type veth peer name eth0 netns {namespace}")
            self._plug(name, links)
            _ip(namespace, f"addr replace {station_address}/24 dev eth0")
            _ip(namespace, "link set eth0 up")

    def advertise(self, pid_file: Path) -> None:
        """Answer the firmware's router solicitations on the bridge; see radvd.conf."""
        run(self.enter(["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/br0/disable_ipv6"]))
        if not self.running(pid_file):
            options = ["--config", str(ROUTER_ADVERTISEMENTS), "--pidfile", str(pid_file), "--logmethod", "none"]
            run(self.enter(["radvd", *options]))

    def running(self, pid_file: Path) -> int | None:
        """Return the process that a pid file names if it runs next to the hosts."""
        running = run(["ip", "netns", "pids", self.switch]).stdout.split()
        named = pid_file.read_text(encoding="ascii").strip() if pid_file.exists() else ""
        return int(named) if named in running else None

    def add_tap(self, name: str) -> None:
        """Plug a cable for a host into the bridge."""
        links = _links(self.switch)
        if name not in links:
            _ip(self.switch, f"tuntap add dev {name} mode tap")
        self._plug(name, links)

    def _plug(self, name: str, links: dict[str, Link]) -> None:
        if name not in links or not links[name].plugged:  # one that was cut on purpose stays cut
            _ip(self.switch, f"link set {name} master br0 up")

    def set_link(self, port: str, up: bool) -> None:
        """Take a cable out of the bridge, or put it back."""
        _ip(self.switch, f"link set {port} {'up' if up else 'down'}")

    def links_up(self) -> dict[str, bool]:
        """Return the bridge's ports and whether each is plugged in; empty when the lab is down."""
        links = _links(self.switch)
        return {name: link.up for name, link in links.items() if link.plugged}

    def enter(self, argv: list[str]) -> list[str]:
        """Return the command that runs ``argv`` next to the hosts."""
        return ["ip", "netns", "exec", self.switch, *argv]

    def unplug(self, station: str) -> None:
        """Take the cable of a container away for good; create() makes a new one."""
        if station in _links(self.switch):
            _ip(self.switch, f"link delete {station}")

    def remove(self) -> None:
        """Kill what runs in the namespaces and delete them, and with them every device."""
        for namespace in self.namespaces:
            self.remove_namespace(namespace)

    def remove_namespace(self, namespace: str) -> None:
        """Kill what runs in a namespace and delete it with its addresses and packet filters."""
        if exists(namespace):
            empty_namespace(namespace_path(namespace))
            run(["ip", "netns", "delete", namespace])


def namespace_path(namespace: str) -> Path:
    """Return where iproute2 mounts a namespace."""
    return Path("/run/netns") / namespace


def exists(namespace: str) -> bool:
    """Tell whether iproute2 knows this namespace (it may be a dead file after a crash)."""
    return namespace_path(namespace).exists()


def _alive(namespace: str) -> bool:
    return run(["ip", "-n", namespace, "link", "show", "lo"], check=False).returncode == 0


def _ensure_namespace(namespace: str) -> None:
    if exists(namespace) and not _alive(namespace):
        run(["ip", "netns", "delete", namespace])  # 'ip netns add' was killed between the file and the mount
    if not exists(namespace):
        run(["ip", "netns", "add", namespace])
    # Before any device exists; a kernel without IPv6 has no such files.
    off = 'for f in all default; do f=/proc/sys/net/ipv6/conf/$f/disable_ipv6; [ ! -e "$f" ] || echo 1 >"$f"; done'
    run(["ip", "netns", "exec", namespace, "sh", "-c", off])
    _ip(namespace, "link set lo up")


def _links(namespace: str) -> dict[str, Link]:
    if not exists(namespace):
        return {}
    result = run(["ip", "-n", namespace, "-j", "link", "show"], check=False)
    if result.returncode:
        return {}
    return {
        link["ifname"]: Link(plugged=link.get("master") == "br0", up="UP" in link["flags"])
        for link in json.loads(result.stdout or "[]")
    }


def _ip(namespace: str, words: str) -> None:
    run(["ip", "-n", namespace, *words.split()])


def port(component: str, addresses: Mapping[str, str], hosts: Mapping[str, Host]) -> str:
    """Return the bridge port of a container or a host; raise LabError for anything else.

    :param addresses: of the containers, by their names.
    """
    if component in addresses:
        return component
    if component in hosts:
        return tap(hosts[component].number)
    raise LabError(f"no such component: {component!r}; there are {', '.join([*addresses, *sorted(hosts)])}")
