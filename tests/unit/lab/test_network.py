# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and addresses of the lab's network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

import pytest

from lab import network
from lab.errors import LabError
from lab.network import Network
from lab.state import Host


class FakeIp:
    """Answers ``ip``; remembers what was asked of it."""

    def __init__(self, links: list[dict[str, object]]) -> None:
        self.links = links
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str], **_options: object) -> subprocess.CompletedProcess[str]:
        self.asked.append(" ".join(argv))
        return subprocess.CompletedProcess(argv, 0, json.dumps(self.links) if "-j" in argv else "", "")


@pytest.fixture
def ip(monkeypatch: pytest.MonkeyPatch) -> FakeIp:
    fake = FakeIp(
        [
            {"ifname": "lo", "flags": ["LOOPBACK", "UP"]},
            {"ifname": "br0", "flags": ["UP"]},
            {"ifname": "ceph", "master": "br0", "flags": ["BROADCAST", "UP"]},
            {"ifname": "tap11", "master": "br0", "flags": ["BROADCAST"]},
            {"ifname": "tap12", "flags": ["BROADCAST"]},
        ]
    )
    monkeypatch.setattr(network, "run", fake)
    monkeypatch.setattr(network, "exists", lambda _namespace: True)
    return fake


def test_number_gives_address_mac_and_tap() -> None:
    assert (network.address(11), network.mac(11), network.tap(11)) == ("10.77.0.11", "52:54:00:77:00:11", "tap11")


def test_labs_share_no_namespace() -> None:
    assert not set(Network("a").namespaces) & set(Network("a-net").namespaces)


def test_ports_are_up_or_cut(ip: FakeIp) -> None:
    assert Network("lab").links_up() == {"ceph": True, "tap11": False}


def test_cable_that_was_cut_on_purpose_stays_cut(ip: FakeIp) -> None:
    Network("lab").add_tap("tap11")
    assert ip.asked == ["ip -n dl-lab-net -j link show"]


def test_cable_that_was_never_plugged_in_is_plugged_in(ip: FakeIp) -> None:
    Network("lab").add_tap("tap12")
    assert ip.asked[1:] == ["ip -n dl-lab-net link set tap12 master br0 up"]


def test_new_cable_is_made_and_plugged_in(ip: FakeIp) -> None:
    Network("lab").add_tap("tap13")
    assert ip.asked[1:] == [
        "ip -n dl-lab-net tuntap add dev tap13 mode tap",
        "ip -n dl-lab-net link set tap13 master br0 up",
    ]


def test_component_names_its_port() -> None:
    ports = [network.port(name, network.stations(1), {"a": Host(11)}) for name in ("ceph", "boot", "a")]
    assert ports == ["ceph", "boot", "tap11"]


def test_unknown_component_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(LabError, match=r"^no such component: 'x'; there are ceph, boot, a$"):
        network.port("x", network.stations(1), {"a": Host(11)})


def test_removal_knows_the_namespaces_of_every_lab() -> None:
    """Also of one whose state is lost."""
    assert {"dl-lab-ceph", "dl-lab-boot", "dl-lab-boot1", "dl-lab-boot2"} < set(Network("lab").namespaces)


def test_two_boot_servers_have_addresses_beside_the_one_that_hosts_know() -> None:
    assert network.BOOT_SERVER not in network.stations(2).values()
