# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Caps as text: their grants, how they compare, and their networks."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import (
    admits,
    caps_problems,
    networks_of,
    normalise_grants,
    parse_network,
    restrict,
    split_grants,
)


def test_grants_are_told_apart_by_commas_and_semicolons_outside_of_quotes() -> None:
    text = """allow r;allow command 'a, b' with x regex "[0-9]{1,2}" , profile  rbd"""
    assert split_grants(text) == [
        "allow r",
        """allow command 'a, b' with x regex "[0-9]{1,2}\"""",
        "profile rbd",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("allow r pool='a'", 'allow r pool="a"'),
        ("allow r pool=a", 'allow r pool="a"'),
        ('profile "rbd"', "profile rbd"),
        ("allow command 'a b'", 'allow command "a b"'),
        ("allow r; allow w", "allow w, allow r"),
    ],
)
def test_kind_of_quotes_does_not_matter(one: str, other: str) -> None:
    assert normalise_grants(one) == normalise_grants(other)


def test_quotes_that_matter_stay() -> None:
    assert normalise_grants('allow r namespace=""') == ('allow r namespace=""',)
    assert normalise_grants("""allow x regex '"a"'""") == ("""allow x regex '"a"'""",)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("fd77:0::1", "fd77::1/128"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fd77::/64", "fd77::/64"),
    ],
)
def test_address_becomes_a_network_of_one_host(text: str, network: str) -> None:
    assert parse_network(text) == network


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.1/24", "network '10.0.0.1/24' is an address within 10.0.0.0/24: write one or the other"),
        ("10.0.0/24", "network '10.0.0/24' is neither an address nor a network such as 10.0.0.0/24"),
        ("10.0.0.0/33", "network '10.0.0.0/33' is neither an address nor a network such as 10.0.0.0/24"),
        ("pi3", "network 'pi3' is neither an address nor a network such as 10.0.0.0/24"),
    ],
)
def test_bad_network(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_network(text)
    assert str(caught.value) == message


def test_every_grant_is_restricted() -> None:
    caps = {"mon": "allow r,profile rbd", "osd": "profile rbd pool=a"}
    assert restrict(caps, "10.0.0.1/32") == {
        "mon": "allow r network 10.0.0.1/32, profile rbd network 10.0.0.1/32",
        "osd": "profile rbd pool=a network 10.0.0.1/32",
    }


def test_two_restrictions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"have network 10\.0\.0\.0/8 already: give it there or as network"):
        restrict({"mon": "allow r network 10.0.0.0/8"}, "10.0.0.1/32")


def test_networks_of_grants() -> None:
    assert networks_of("allow r, profile rbd network '10.0.0.0/8', allow r pool=network network=x") == [
        "",
        "10.0.0.0/8",
        "",
    ]


@pytest.mark.parametrize(
    ("caps", "problems"),
    [
        ({"mon": "allow r network 10.0.0.0/8"}, []),
        (
            {"mom": "allow r"},
            ["caps for 'mom': there are caps for mds, mgr, mon, osd; did you mean mon?"],
        ),
        ({"mon": 'allow "r'}, ["mon caps 'allow \"r': a quote is not closed"]),
        ({"mon": "allow r\nallow w"}, ["mon caps 'allow r\\nallow w' are more than one line"]),
        (
            {"osd": "allow r network 10.0.0.1"},
            [
                "osd caps 'allow r network 10.0.0.1': network 10.0.0.1 without a prefix length matches nobody: "
                "write 10.0.0.1/32"
            ],
        ),
        (
            {"mon": "allow r network 10.0.0.0/99"},
            [
                "mon caps 'allow r network 10.0.0.0/99': "
                "network '10.0.0.0/99' is neither an address nor a network such as 10.0.0.0/24"
            ],
        ),
    ],
)
def test_problems_that_show_without_a_cluster(caps: dict[str, str], problems: list[str]) -> None:
    assert caps_problems(caps) == problems


@pytest.mark.parametrize(
    ("network", "admitted"),
    [
        ("", True),
        ("10.0.0.1/32", True),
        ("10.0.0.7/24", True),
        ("10.0.0.2/32", False),
        ("10.0.0.1", False),
        ("fd00::/64", False),
        ("somewhere/24", False),
    ],
)
def test_which_clients_a_grant_counts_for(network: str, admitted: bool) -> None:
    assert admits(network, ipaddress.ip_address("10.0.0.1")) is admitted
