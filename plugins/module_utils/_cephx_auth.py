# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change the users of a cluster, in a handful of calls however many they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephCommand, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, parse_users, render_keyring
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_plan import KeyTypes, UserPlan, parse_key_types

_EINVAL = 22
# A single word of a command line may have 128 KiB.
_CHUNK_BYTES = 60_000
_UNREADABLE = re.compile(r"capability parse failed, (stopped at .*)|(unknown cap type .*)", re.DOTALL)


@dataclass(frozen=True)
class AuthState:
    """What a cluster has: users by name, and the types of keys that it lets in."""

    release: int
    users: Mapping[str, CephxUser]
    key_types: KeyTypes
    pools: tuple[str, ...]


def read_auth(client: CephClient) -> AuthState:
    """Read the users and what is needed to plan new ones."""
    users, mon_dump, pools = client.ceph_json_many([["auth", "ls"], ["mon", "dump"], ["osd", "pool", "ls"]])
    return AuthState(parse_mon_dump(mon_dump).release, parse_users(users), parse_key_types(mon_dump), tuple(pools))


def unreadable_caps(client: CephClient, own_name: str, users: Sequence[CephxUser]) -> list[str]:
    """Return which caps Ceph cannot read; ``auth import`` would take them, and the user could do nothing with them.

    Asked without changing anything: ``auth get-or-create`` for a user that exists, the one that asks, reads the caps
    and then refuses because they are not that user's. All are asked for at once, and one by one only if that fails.
    """
    texts: dict[tuple[str, str], list[str]] = {}
    for user in users:
        for service, text in user.caps.items():
            texts.setdefault((service, text), []).append(user.name)
    if not any(_unreadable(client, own_name, chunk) for chunk in _chunks(texts)):
        return []
    problems = []
    for (service, text), names in texts.items():
        problem = _unreadable(client, own_name, {service: text})
        if problem:
            problems.append(f"{', '.join(names)}: Ceph cannot read {service} caps {text!r}: {problem}")
    return problems


def _chunks(texts: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    chunks: list[dict[str, str]] = []
    for service, text in texts:
        for chunk in chunks:
            if service not in chunk:
                chunk[service] = text
                break
            if len(chunk[service]) + len(text) < _CHUNK_BYTES:
                chunk[service] += f", {text}"
                break
        else:
            chunks.append({service: text})
    return chunks


def _unreadable(client: CephClient, own_name: str, caps: Mapping[str, str]) -> str:
    words = [word for service, text in sorted(caps.items()) for word in (service, text)]
    try:
        client.ceph("auth", "get-or-create", own_name, *words)
    except CephError as error:
        found = _UNREADABLE.search(error.stderr)
        if found:
            return found[1] or found[2]
        if error.rc != _EINVAL or "exists but cap" not in error.stderr:
            raise
    return ""


def apply_plans(client: CephClient, plans: Iterable[UserPlan]) -> None:
    """Make the users as planned: one import for all that are new or change, and the removals side by side.

    An import replaces key and caps of a user that exists. Keys travel on stdin.
    """
    changed = [plan for plan in plans if plan.changed]
    users = [plan.after for plan in changed if plan.after]
    if users:
        client.ceph("auth", "import", "-i", "-", stdin=render_keyring(users))
    removals = [CephCommand(("auth", "rm", plan.name)) for plan in changed if plan.after is None]
    if removals:
        client.ceph_many(removals, parallel=True)
