# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the owner of a lock out of the cluster before the lock is broken. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, add_command, remove_command

_FIRST_RELEASE_WITH_ZONE = 16
_FARTHEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True, order=True)
class OwnerFence:
    """What has to be done to block one client instance, and nothing else, for ``expire_seconds`` at least.

    ``in_force``: something blocks it already. ``add``: it needs an entry of its own. ``renew``: it has one that ends
    too early; adding it again would leave it as it is, so it is removed first. That lets the owner in for a moment, in
    which it still has its lock: nobody else writes.
    """

    instance: str
    expire_seconds: int
    in_force: bool
    add: bool
    renew: bool

    @property
    def actions(self) -> tuple[str, ...]:
        """The step, for people; none if what is there is enough."""
        verb = "renew the blocklist entry of" if self.renew else "blocklist"
        return (f"{verb} {self.instance} for {self.expire_seconds} s",) if self.add else ()

    def removals(self, dialect: Dialect) -> list[CephCommand]:
        """The commands that come first."""
        return [remove_command(dialect, self.instance)] if self.renew else []

    def additions(self, dialect: Dialect) -> list[CephCommand]:
        """The commands that come then."""
        return [add_command(dialect, self.instance, self.expire_seconds)] if self.add else []


def plan_fence(instance: str, blocklist: Blocklist, expire_seconds: int, now: datetime) -> OwnerFence:
    """Plan for a client instance; an entry for it, its host or its range with half the time left is left alone.

    To renew one that was made a moment ago, by a run that failed, would only let the owner in.
    """
    entries = blocklist.entries_for(instance)
    enough = any(entry.until >= now + timedelta(seconds=expire_seconds / 2) for entry in entries)
    own = any(entry.kind == "client" for entry in entries)
    return OwnerFence(instance, expire_seconds, bool(entries), add=not enough, renew=own and not enough)


def latest_now(now: datetime, release: int) -> datetime:
    """Return the time to compare the ends of entries with.

    Ceph 14 prints them in the time of its monitors without saying which zone that is: there an entry counts only
    for as long as it lasts in any zone.
    """
    return now if release >= _FIRST_RELEASE_WITH_ZONE else now + _FARTHEST_ZONE
