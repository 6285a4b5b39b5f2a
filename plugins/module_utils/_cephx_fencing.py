# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cephx users can fence others off: put more than a single client on the blocklist; and who can put one there.

Whoever may run ``ceph osd blocklist add`` with any address can cut off hosts (``ADDRESS:0/0`` stands for all clients
of an address) and, from Ceph 16 on, whole networks (``range``); the cluster's health says nothing about it. The rules
below were measured on Ceph 14, 16, 18 and 20.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import asdict, dataclass
from typing import Iterable

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import admits, networks_of, split_grants
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import blocklist_words

_FIRST_RANGE_RELEASE = 16
_PROFILES = ("mds", "mgr", "osd", "rbd", "rbd-mirror", "rbd-mirror-peer", "rbd-read-only", "read-write")
_LATER_PROFILES = ("simple-rados-client-with-blocklist",)

_STRING = r"""(?:"[^"]*"|'[^']*'|[^\s"']+)"""
_PROFILE = re.compile(rf"(?:allow )?profile[ =](?P<profile>{_STRING})")
_ALLOW = re.compile(rf"allow(?: service[ =](?P<service>{_STRING}))? (?P<allowed>\*|all|[rwx]+)")
_COMMAND = re.compile(rf"allow command[ =](?P<command>{_STRING})(?: with (?P<arguments>.*))?")
_ARGUMENT = re.compile(rf"(?P<name>[A-Za-z0-9_-]+)(?:\s*=\s*| (?P<how>prefix|regex) )(?P<value>{_STRING})")
_NETWORK = re.compile(rf" network {_STRING}$")
# Nonces that stand for a host, and that are read as the prefix length of a network; see _cephx_profile.NONCE.
_HOST_NONCES = ("0", "0000", str(2**32))
_NETWORK_NONCES = ("0", "8", "16", "24", "0016", "0024", str(2**32 + 16), str(2**32 + 24))
_ONE_INSTANCE = re.compile(r".*:\d+/([1-9]\d{3,9})")
# Of the many that a kernel draws from: some caps let short numbers through only, or long ones.
_CLIENT_NONCES = ("104330", "897613742", "2736153118")


@dataclass(frozen=True)
class Fence:
    """A way to fence others off: by which grant, how far that reaches (network or host), and from where."""

    grant: str
    reach: str
    network: str

    def as_dict(self) -> dict[str, str]:
        """Return it as a module returns it."""
        return asdict(self)


def can_fence(mon_caps: str, release: int) -> list[Fence]:
    """Return by which grants of its mon caps a user can fence off hosts or networks on a cluster of this release.

    Only the mon caps decide. Rights of several grants add up: ``allow r, allow w`` is as good as ``allow rw``.
    """
    fences = []
    rights: dict[str, str] = {}
    for grant, network in zip(split_grants(mon_caps), networks_of(mon_caps)):
        bare = _NETWORK.sub("", grant)
        reach = _reach_of_profile(bare, release) or _reach_of_command(bare, release)
        if reach:
            fences.append(Fence(grant, reach, network))
        rights[grant] = _osd_rights(bare)
    fences += _add_up(rights, release)
    return sorted(fences, key=lambda fence: fence.grant)


def can_blocklist_itself(mon_caps: str, word: str, address: str, release: int) -> bool | None:
    """Tell whether a user, asking from this address, may put single client instances of that address on the blocklist.

    ``word`` is the one that the client says: blocklist or blacklist. A kernel that may not cannot break the lock that
    its former self left behind (``ceph_monc_blocklist_add`` of net/ceph/mon_client.c). None if a grant has a pattern
    that cannot be judged.
    """
    ip = ipaddress.ip_address(address)
    grants = [
        _NETWORK.sub("", grant)
        for grant, network in zip(split_grants(mon_caps), networks_of(mon_caps))
        if admits(network, ip)
    ]
    # The profiles have it for every single client, whatever word the release has for it.
    if any(_reach_of_profile(grant, release) for grant in grants):
        return True
    if {"r", "w"} <= {right for grant in grants for right in _osd_rights(grant)}:
        return True
    host = str(ip) if ip.version == 4 else f"[{ip}]"  # noqa: PLR2004
    answers = [_admits_instances(grant, word, host) for grant in grants]
    if True in answers:
        return True
    return None if None in answers else False


def _widest(release: int) -> str:
    return "network" if release >= _FIRST_RANGE_RELEASE else "host"


def _reach_of_profile(grant: str, release: int) -> str:
    found = _PROFILE.match(grant)
    if not found:
        return ""
    known = _PROFILES + (_LATER_PROFILES if release >= _FIRST_RANGE_RELEASE else ())
    return _widest(release) if _unquoted(found["profile"]) in known else ""


def _reach_of_command(grant: str, release: int) -> str:
    found = _COMMAND.match(grant)
    command = _unquoted(found["command"]) if found else ""
    if found is None or command not in {f"osd {word}" for word in blocklist_words(release)}:
        return ""
    arguments = {argument["name"]: argument for argument in _ARGUMENT.finditer(found["arguments"] or "")}
    operation, address = arguments.get(f"{command[4:]}op"), arguments.get("addr")
    if operation and not _admits(operation, "add"):
        return ""
    # The old word is an alias without the range.
    if command == "osd blocklist" and _admits_address(address, _NETWORK_NONCES):
        return "network"
    return "host" if _admits_address(address, _HOST_NONCES) else ""


def _admits_address(argument: re.Match[str] | None, nonces: Iterable[str]) -> bool:
    """Tell whether the constraint on the address admits one with any of these nonces.

    Where that cannot be told, it does: a prefix may go on in any way.
    """
    if argument is None or argument["how"] == "prefix":
        return True
    value = _unquoted(argument["value"])
    if not argument["how"]:
        instance = _ONE_INSTANCE.fullmatch(value)
        return instance is None or int(instance[1]) >= 1 << 32
    address, separator, nonce = value.rpartition(":0/")
    return not separator or "|" in address or _matches_any(nonce, nonces)


def _matches_any(pattern: str, values: Iterable[str]) -> bool:
    if "[:" in pattern:  # [[:digit:]] means something else to Python
        return True
    try:
        return any(re.fullmatch(pattern, value) for value in values)
    except re.error:
        return True


def _admits_instances(grant: str, word: str, host: str) -> bool | None:
    """Tell whether a grant lets the client instances of a host be added; None if that cannot be told."""
    found = _COMMAND.fullmatch(grant)
    if found is None or _unquoted(found["command"]) != f"osd {word}":
        return False
    answers = []
    for argument in _ARGUMENT.finditer(found["arguments"] or ""):
        if argument["name"] == f"{word}op":
            answers.append(_says(argument, "add"))
        elif argument["name"] == "addr":
            answers += [_says(argument, f"{host}:0/{nonce}") for nonce in _CLIENT_NONCES]
        else:  # which a kernel does not give, and then the grant does not count
            answers.append(False)
    if False in answers:
        return False
    return None if None in answers else True


def _says(argument: re.Match[str], value: str) -> bool | None:
    """Tell whether a constraint on an argument lets this value through; None if that cannot be told."""
    wanted = _unquoted(argument["value"])
    if argument["how"] != "regex":
        return value.startswith(wanted) if argument["how"] else value == wanted
    if "[:" in wanted:  # [[:digit:]] means something else to Python
        return None
    try:
        # Brackets in brackets are well understood; Python only warns of what they may once mean.
        return bool(re.fullmatch(wanted.replace("[[]", r"\[").replace("[]]", r"\]"), value))
    except re.error:
        return None


def _admits(argument: re.Match[str], value: str) -> bool:
    """Tell whether a constraint admits a plain word."""
    wanted = _unquoted(argument["value"])
    if argument["how"] == "regex":
        return _matches_any(wanted, [value])
    return value.startswith(wanted) if argument["how"] else value == wanted


def _osd_rights(grant: str) -> str:
    if _PROFILE.match(grant):
        return "r"
    found = _ALLOW.fullmatch(grant)
    if not found or (found["service"] and _unquoted(found["service"]) != "osd"):
        return ""
    return "rwx" if found["allowed"] in {"*", "all"} else found["allowed"]


def _add_up(rights: dict[str, str], release: int) -> list[Fence]:
    enough = [grant for grant, allowed in rights.items() if {"r", "w"} <= set(allowed)]
    if not enough and {"r", "w"} <= set("".join(rights.values())):
        enough = [grant for grant, allowed in rights.items() if "w" in allowed]
    return [Fence(grant, _widest(release), networks_of(grant)[0]) for grant in enough]


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in {'"', "'"} else text
