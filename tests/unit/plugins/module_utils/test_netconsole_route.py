# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a log host, from what iproute2 6.1 prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _netconsole_route
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_route import (
    RouteError,
    Way,
    device_of_mac,
    endpoint_text,
    find_way,
    parse_endpoint,
    parse_route,
)

LINK = '[{"dst":"10.0.0.2","dev":"va","prefsrc":"10.0.0.1","flags":[],"uid":0,"cache":[]}]'
ROUTER = '[{"dst":"1.2.3.4","gateway":"10.0.0.9","dev":"va","prefsrc":"10.0.0.1","flags":[],"uid":0,"cache":[]}]'
V6 = (
    '[{"dst":"2001:db8::1","from":"::","gateway":"fe80::9","dev":"va","prefsrc":"fd00::1","metric":1024,"flags":[],'
    '"pref":"medium"}]'
)
V6_BY_LINK = V6.replace("fd00::1", "fe80::ec07:e8ff:fe03:d1d9")
OVER_V6 = (
    '[{"dst":"192.0.2.1","via":{"family":"inet6","host":"fe80::1"},"dev":"va","prefsrc":"10.0.0.1","flags":[],"uid":0}]'
)
LOCAL = '[{"type":"local","dst":"10.0.0.1","dev":"lo","prefsrc":"10.0.0.1","flags":[],"uid":0,"cache":["local"]}]'
BROADCAST = '[{"type":"broadcast","dst":"10.0.0.255","dev":"va","prefsrc":"10.0.0.1","flags":[],"uid":0}]'
KNOWN = '[{"dst":"10.0.0.2","lladdr":"52:54:00:00:00:02","state":["PERMANENT"]}]'


@pytest.mark.parametrize(
    ("address", "output", "way"),
    [
        ("10.0.0.2", LINK, Way("va", "10.0.0.1", "10.0.0.2")),
        ("1.2.3.4", ROUTER, Way("va", "10.0.0.1", "10.0.0.9")),
        ("2001:db8::1", V6, Way("va", "fd00::1", "fe80::9")),
        ("192.0.2.1", OVER_V6, Way("va", "10.0.0.1", "fe80::1")),
        ("fe80::77", V6_BY_LINK, Way("va", "fe80::ec07:e8ff:fe03:d1d9", "fe80::9")),
    ],
)
def test_route_names_device_source_and_next_hop(address: str, output: str, way: Way) -> None:
    assert parse_route(address, output) == way


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (LOCAL, "10.0.0.3 is local here"),
        (BROADCAST, "10.0.0.3 is broadcast here"),
        (V6_BY_LINK, "there is no address to reach 10.0.0.3 from"),
        ("[]", "there is no route to 10.0.0.3"),
        ("", "there is no route to 10.0.0.3"),
        ("Error", "cannot read what ip says"),
    ],
)
def test_what_is_no_way_to_another_host_is_said(output: str, said: str) -> None:
    with pytest.raises(RouteError, match=said):
        parse_route("10.0.0.3", output)


class Machine:
    """Answers as ip does. The neighbour is known from the given question on."""

    def __init__(self, route: str = LINK, known_from: int = 1, code: int = 0) -> None:
        self.route, self.known_from, self.code = route, known_from, code
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str]) -> tuple[int, str, str]:
        self.asked.append(" ".join(argv))
        if "route" in argv:
            return self.code, self.route, "RTNETLINK answers: Network is unreachable\n" if self.code else ""
        return 0, KNOWN if len(self.asked) > self.known_from else "[]", ""


def test_neighbour_is_asked_for_when_nobody_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[Way] = []
    monkeypatch.setattr(_netconsole_route, "_ask", lambda _address, way: questions.append(way))
    monkeypatch.setattr(_netconsole_route, "PAUSE", 0)
    assert find_way(Machine(), "10.0.0.2").mac == "52:54:00:00:00:02"
    assert questions == []
    assert find_way(Machine(known_from=3), "10.0.0.2").mac == "52:54:00:00:00:02"
    assert questions == [Way("va", "10.0.0.1", "10.0.0.2")]


def test_silent_neighbour_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_netconsole_route, "_ask", lambda *_: None)
    with pytest.raises(RouteError, match=r"10\.0\.0\.2 does not answer on va, so its MAC address is not known"):
        find_way(Machine(known_from=999), "10.0.0.2", seconds=0)


def test_device_that_was_asked_for_is_used() -> None:
    machine = Machine()
    find_way(machine, "10.0.0.2", "va")
    assert machine.asked[0] == "ip -4 -j route get 10.0.0.2 oif va"
    with pytest.raises(
        RouteError, match=r"no route to 10\.0\.0\.2 through eth9: RTNETLINK answers: Network is unreachable"
    ):
        find_way(Machine(code=2), "10.0.0.2", "eth9")


def test_card_is_found_by_its_address_and_a_bridge_is_none(tmp_path: Path) -> None:
    for name, card in {"br0": False, "eth0": True, "lo": False}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text("52:54:00:77:00:11\n", encoding="ascii")
        if card:
            (tmp_path / name / "device").mkdir()
    assert device_of_mac("52:54:00:77:00:11".upper(), str(tmp_path)) == "eth0"
    with pytest.raises(RouteError, match="has the MAC address 52:54:00:77:00:12; there is eth0 52:54:00:77:00:11"):
        device_of_mac("52:54:00:77:00:12", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.3", "10.0.0.3:6666"),
        ("10.0.0.3:514", "10.0.0.3:514"),
        ("FD00:0::3", "[fd00::3]:6666"),
        ("[fd00::3]", "[fd00::3]:6666"),
        ("[fd00::3]:514", "[fd00::3]:514"),
    ],
)
def test_endpoint_has_one_form(text: str, canonical: str) -> None:
    assert endpoint_text(*parse_endpoint(text)) == canonical


@pytest.mark.parametrize("text", ["", "log1", "10.0.0.3:", "10.0.0.3:0", "10.0.0.3:70000", "[10.0.0.3]:1", "10.0.0"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected ADDRESS"):
        parse_endpoint(text)
