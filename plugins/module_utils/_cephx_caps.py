# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cephx caps as text: the grants that they are made of, how those compare, and restricting them to a network.

The grammars are MonCap.cc, OSDCap.cc, MDSAuthCaps.cc and MgrCap.cc of Ceph; what they share is all that is needed here.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest

SERVICES = ("mds", "mgr", "mon", "osd")

_GRANT = re.compile(r"""(?:"[^"]*"|'[^']*'|[^,;"'])+""")
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_NEEDLESS_QUOTES = re.compile(r"""(?<![^\s=])(["'])([A-Za-z0-9_./-]+)\1(?!\S)""")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")


def split_grants(text: str) -> list[str]:
    """Return the grants of one service, in order, with single spaces between their words."""
    return [" ".join(_WORD.findall(grant)) for grant in _GRANT.findall(text) if grant.strip()]


def normalise_grants(text: str) -> tuple[str, ...]:
    """Return the grants of one service in a form that compares by meaning.

    A client may do what any one grant allows (MonCap and OSDCap ``is_capable``), so their order means nothing; quotes
    around what could stand without them mean nothing, and the other kind of quotes means the same.
    """
    return tuple(sorted(_same_quotes(grant) for grant in split_grants(text)))


def _same_quotes(grant: str) -> str:
    bare = _NEEDLESS_QUOTES.sub(r"\2", grant)
    return _QUOTED.sub(lambda found: f'"{found[2]}"' if '"' not in found[2] else found[0], bare)


def parse_network(text: str) -> str:
    """Return a network in CIDR notation; an address becomes the network of that one host.

    Ceph takes an address without its prefix length, and then lets nobody in: it matches no client. Raises ValueError
    with a message for people.
    """
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"network {text!r} is neither an address nor a network such as 10.0.0.0/24") from None
    raise ValueError(f"network {text!r} is an address within {meant}: write one or the other")


def networks_of(text: str) -> list[str]:
    """Return the network that each grant is restricted to, as it is written; "" for a grant that is not."""
    return [_network_of(grant) for grant in split_grants(text)]


def _network_of(grant: str) -> str:
    words = _WORD.findall(grant)
    # A grant's network is its last word but for those of an "allow command ... with" that has it in between.
    places = [place for place, word in enumerate(words[:-1]) if word == "network" and place]
    return words[places[-1] + 1].strip("\"'") if places else ""


def admits(network: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether a grant with this restriction, as :func:`networks_of` returns it, counts for a client there.

    A network without a prefix length matches nobody (see :func:`parse_network`).
    """
    if not network:
        return True
    try:
        return "/" in network and ip in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def restrict(caps: Mapping[str, str], network: str) -> dict[str, str]:
    """Return the caps with every grant restricted to one network, as :func:`parse_network` returns it.

    Raises ValueError if a grant has a restriction already: Ceph knows one network for each.
    """
    restricted = {}
    for service, text in caps.items():
        found = [name for name in networks_of(text) if name]
        if found:
            raise ValueError(f"{service} caps {text!r} have network {found[0]} already: give it there or as network")
        restricted[service] = ", ".join(f"{grant} network {network}" for grant in split_grants(text))
    return restricted


def caps_problems(caps: Mapping[str, str]) -> list[str]:
    """Return what is wrong with caps as far as that shows without a cluster."""
    problems = [
        f"caps for {service!r}: there are caps for {', '.join(SERVICES)}{nearest(service, SERVICES)}"
        for service in sorted(caps)
        if service not in SERVICES
    ]
    for service, text in sorted(caps.items()):
        if len(_WORD.sub("", text).strip()):
            problems.append(f"{service} caps {text!r}: a quote is not closed")
        elif "\n" in text.strip():
            problems.append(f"{service} caps {text!r} are more than one line")
        problems += [f"{service} caps {text!r}: {error}" for error in _network_problems(networks_of(text))]
    return problems


def _network_problems(networks: Iterable[str]) -> list[str]:
    problems = []
    for network in networks:
        if not network:
            continue
        try:
            if parse_network(network) != network and "/" not in network:
                problems.append(
                    f"network {network} without a prefix length matches nobody: write {parse_network(network)}"
                )
        except ValueError as error:
            problems.append(str(error))
    return problems
