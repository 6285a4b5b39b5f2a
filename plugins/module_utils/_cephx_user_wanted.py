# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wants of cephx users: from module options to users with the caps that they are to have."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import caps_problems, parse_network, restrict
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import (
    Profile,
    profile_caps,
    profile_problems,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_rotation import parse_age, parse_moment

_INHERITED = ("pool", "namespace", "network", "state", "key_type", "key_max_age", "key_not_before", "rotate")
_NAME = re.compile(r"(client|mds|mgr|mon|osd)\.[^\s\[\]\"'\\#;=]+")


@dataclass(frozen=True)
class WantedUser:
    """A user as a task wants it.

    ``caps`` is None where the task leaves them alone; ``profile`` stands for caps in the words of a release that is
    not known yet. A key created before ``oldest_key`` (seconds since 1970) is due; ``rotate`` replaces it anyhow.
    """

    name: str
    present: bool = True
    caps: Mapping[str, str] | None = None
    profile: Profile | None = None
    network: str = ""
    key_type: str | None = None
    oldest_key: float | None = None
    rotate: bool = False


@dataclass(frozen=True)
class Wanted:
    """All users that a task is about, or everything that is wrong with how it describes them."""

    users: tuple[WantedUser, ...]
    problems: tuple[str, ...]


def wanted_users(params: Mapping[str, Any], now: float) -> Wanted:
    """Read the options of one task; ``now`` in seconds since 1970."""
    users, problems = [], []
    items = _items(params)
    for item, said in zip(items, params["users"] or [params]):
        found = _item_problems(item, said)
        user = None if found else _wanted_user(item, now, found)
        problems += [f"{item['name']}: {problem}" for problem in found]
        if user:
            users.append(user)
    twice = [name for name, count in Counter(item["name"] for item in items).items() if count > 1]
    problems += [f"{name} is listed more than once" for name in sorted(twice)]
    return Wanted(tuple(users), tuple(problems))


def caps_for(user: WantedUser, release: int) -> Mapping[str, str] | None:
    """Return the caps that a user is to have on a cluster of this release; None to leave them alone."""
    caps = profile_caps(user.profile, release) if user.profile else user.caps
    return restrict(caps, user.network) if caps and user.network else caps


def own_user(users: Iterable[WantedUser], own_name: str) -> list[str]:
    """Return what would lock out the user that the task runs as."""
    return [
        f"{user.name}: this task runs as {own_name}, which would lock itself out: run it as another user (ceph_name)"
        for user in users
        if user.name == own_name and (not user.present or user.rotate or user.oldest_key is not None)
    ]


def _items(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = bulk_items(params, "name", "users", _INHERITED)
    for item in items:
        # An item's own caps stand instead of the module's profile, and the other way round.
        if item.get("caps") is None and item.get("profile") is None:
            item.update(caps=params["caps"], profile=params["profile"])
    return items


def _item_problems(item: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an item; ``said`` is what the task says about it alone."""
    problems = []
    if not _NAME.fullmatch(item["name"]):
        problems.append("the name of a user is TYPE.ID, as in client.backup, with TYPE client, mds, mgr, mon or osd")
    if item["state"] == "absent":
        return problems
    if item.get("caps") is not None:
        problems += caps_problems(_texts(item["caps"]))
    if item.get("profile"):
        problems += profile_problems(_profile(item))
    elif item["network"] and item.get("caps") is None:
        problems.append("network restricts the caps or the profile given with it, and there is neither")
    if not item.get("profile") and (said["pool"] or said["namespace"]):
        problems.append("pool and namespace go with profile; caps name theirs in the grants")
    daemon = not item["name"].startswith("client.")
    if daemon and (item["rotate"] == "always" or item["key_max_age"] or item["key_not_before"]):
        problems.append("a daemon has its key in a file of its own, where a new one has to go too: rotate it there")
    return problems


def _wanted_user(item: Mapping[str, Any], now: float, problems: list[str]) -> WantedUser | None:
    """Return the user; what is wrong is added to ``problems``."""
    user = WantedUser(item["name"], present=item["state"] == "present")
    if not user.present:
        return user
    try:
        network = parse_network(item["network"]) if item["network"] else ""
        due = [now - parse_age(item["key_max_age"])] if item["key_max_age"] else []
        due += [parse_moment(item["key_not_before"], now)] if item["key_not_before"] else []
        caps = None if item.get("caps") is None else _texts(item["caps"])
        if caps and network:
            restrict(caps, network)
    except ValueError as error:
        problems.append(str(error))
        return None
    return replace(
        user,
        caps=caps,
        profile=_profile(item) if item.get("profile") else None,
        network=network,
        key_type=item["key_type"],
        oldest_key=max(due, default=None),
        rotate=item["rotate"] == "always",
    )


def _profile(item: Mapping[str, Any]) -> Profile:
    return Profile(item["profile"], item["pool"] or "", item["namespace"] or "")


def _texts(caps: Mapping[str, Any]) -> dict[str, str]:
    """Return caps as text, without those that are empty, which Ceph cannot read."""
    return {service: str(text).strip() for service, text in caps.items() if str(text or "").strip()}
