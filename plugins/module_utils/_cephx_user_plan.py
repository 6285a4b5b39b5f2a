# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan what becomes of cephx users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import normalise_grants
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import read_header
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, same_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_wanted import WantedUser, caps_for
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest


@dataclass(frozen=True)
class KeyTypes:
    """The types of keys that a cluster lets in, the one that it makes by itself first."""

    allowed: tuple[str, ...]

    @property
    def preferred(self) -> str:
        """The type that the cluster makes by itself."""
        return self.allowed[0]


@dataclass(frozen=True)
class UserPlan:
    """One user, as it was found and as it will be; None where there is none."""

    name: str
    found: CephxUser | None
    after: CephxUser | None

    @property
    def new_key(self) -> bool:
        """Whether the user gets a key that it does not have now."""
        return self.after is not None and (self.found is None or self.found.key != self.after.key)

    @property
    def new_caps(self) -> bool:
        """Whether the caps change in meaning."""
        return self.after is not None and (self.found is None or not same_caps(self.found.caps, self.after.caps))

    @property
    def action(self) -> str:
        """What happens to the user: created, removed, rotated (with or without new caps), updated or unchanged."""
        if self.found is None or self.after is None:
            return "unchanged" if self.found is self.after else "created" if self.after else "removed"
        return "rotated" if self.new_key else "updated" if self.new_caps else "unchanged"

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return self.action != "unchanged"

    @property
    def before_diff(self) -> dict[str, Any] | None:
        """What a diff shows of the user as it was."""
        return None if self.found is None else {"caps": _diff_caps(self.found), "key": self._key_diff(self.found)}

    @property
    def after_diff(self) -> dict[str, Any] | None:
        """What a diff shows of the user as it will be."""
        return None if self.after is None else {"caps": _diff_caps(self.after), "key": self._key_diff(self.after)}

    def _key_diff(self, user: CephxUser) -> str:
        kind = read_header(user.key).key_type
        return f"new {kind} key" if self.new_key and user is self.after else f"{kind} key"


def parse_key_types(mon_dump: Mapping[str, Any]) -> KeyTypes:
    """Return the types of keys that ``ceph mon dump -f json`` tells of; before Ceph 20 there is one."""
    if "auth_allowed_ciphers" not in mon_dump:
        return KeyTypes(("aes",))
    allowed = [cipher["name"] for cipher in mon_dump["auth_allowed_ciphers"]]
    preferred = mon_dump["auth_preferred_cipher"]["name"]
    return KeyTypes(tuple(sorted(allowed, key=lambda name: (name != preferred, name))))


def key_type_problems(users: Iterable[WantedUser], types: KeyTypes) -> list[str]:
    """Return for which users a type of key is wanted that the cluster would not let in."""
    return [
        f"{user.name}: the cluster does not let in keys of key_type {user.key_type}, only {', '.join(types.allowed)}; "
        + _remedy(user.key_type, types)
        for user in users
        if user.key_type and user.key_type not in types.allowed
    ]


def _remedy(key_type: str, types: KeyTypes) -> str:
    if types.allowed == ("aes",):
        return "Ceph 20 is the first that knows more"
    return f"ceph mon set auth_allowed_ciphers {','.join(sorted((key_type, *types.allowed)))} changes that"


def pool_problems(users: Iterable[WantedUser], pools: Iterable[str]) -> list[str]:
    """Return which profiles are about a pool that does not exist."""
    pools = set(pools)
    return [
        f"{user.name}: pool {user.profile.pool} does not exist{nearest(user.profile.pool, pools)}"
        for user in users
        if user.profile and user.profile.pool not in pools
    ]


def caps_problems(plans: Iterable[UserPlan]) -> list[str]:
    """Return which users would be left without caps: ``auth import`` refuses those."""
    return [
        f"{plan.name}: a user without caps can do nothing, and Ceph imports none: give caps or profile, or state=absent"
        for plan in plans
        if plan.changed and plan.after and not plan.after.caps
    ]


def plan_user(
    wanted: WantedUser, found: CephxUser | None, release: int, types: KeyTypes, new_key: Callable[[str], str]
) -> UserPlan:
    """Plan one user; ``new_key`` makes a key of a type."""
    if not wanted.present:
        return UserPlan(wanted.name, found, None)
    caps = caps_for(wanted, release)
    if caps is None:
        caps = found.caps if found else {}
    if found and same_caps(found.caps, caps):
        caps = found.caps
    key = found.key if found and not _due(wanted, found) else new_key(wanted.key_type or types.preferred)
    return UserPlan(wanted.name, found, CephxUser(wanted.name, caps, key))


def _due(wanted: WantedUser, found: CephxUser) -> bool:
    return wanted.rotate or (wanted.oldest_key is not None and read_header(found.key).created < wanted.oldest_key)


def users_diff(plans: Iterable[UserPlan]) -> dict[str, dict[str, Any]]:
    """Return before and after of those users that change; no key in it."""
    changed = sorted((plan for plan in plans if plan.changed), key=lambda plan: plan.name)
    return {
        "before": {plan.name: plan.before_diff for plan in changed},
        "after": {plan.name: plan.after_diff for plan in changed},
    }


def _diff_caps(user: CephxUser) -> dict[str, list[str]]:
    return {service: list(normalise_grants(text)) for service, text in sorted(user.caps.items())}
