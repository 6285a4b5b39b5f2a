# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cephx users: what ``ceph auth ls`` says, how their caps compare, and the keyring that imports them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import normalise_grants


@dataclass(frozen=True)
class CephxUser:
    """A cephx user; ``caps`` maps a service (mon, osd, mds, mgr) to its caps."""

    name: str
    caps: Mapping[str, str]
    key: str = field(repr=False)


def parse_users(answer: Mapping[str, Any]) -> dict[str, CephxUser]:
    """Parse ``ceph auth ls -f json`` into users by name."""
    return {entry["entity"]: parse_user(entry) for entry in answer["auth_dump"]}


def parse_user(entry: Mapping[str, Any]) -> CephxUser:
    """Parse one entry of ``ceph auth ls`` or ``ceph auth get``."""
    return CephxUser(entry["entity"], dict(entry["caps"]), entry["key"])


def normalise_caps(caps: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return caps in a form that compares by meaning; no caps for a service are the same as none at all."""
    return {service: normalise_grants(text) for service, text in caps.items() if text.strip()}


def same_caps(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Tell whether two sets of caps mean the same."""
    return normalise_caps(one) == normalise_caps(other)


def render_keyring(users: Iterable[CephxUser]) -> str:
    """Return the keyring that ``ceph auth import -i -`` turns into exactly these users."""
    lines = []
    for user in users:
        lines += [f"[{user.name}]", f"\tkey = {user.key}"]
        lines += [f"\tcaps {service} = {_quote(text)}" for service, text in sorted(user.caps.items())]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    # From 16 on ; and # begin a comment even between quotes.
    return '"' + re.sub(r"([\\\";#])", r"\\\1", text) + '"'
