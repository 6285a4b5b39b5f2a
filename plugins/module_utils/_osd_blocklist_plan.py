# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the entries of the blocklist. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import (
    Blocklist,
    Entry,
    add_command,
    add_range_command,
    kind_of,
    remove_command,
    remove_range_command,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import (
    Address,
    Instance,
    Range,
    parse_address,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_daemons import Daemon, hit_daemons
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_expire import parse_duration

FIRST_RANGE_RELEASE = 16
_FENCES = {"host": "a whole host: every client there", "range": "a range: every client with an address in it"}


@dataclass(frozen=True)
class WantedEntry:
    """An entry as a task describes it.

    ``address`` is as the user wrote it. An entry that exists and has less than ``min_remaining_seconds`` left is
    renewed; 0: never. ``every_instance``: what is to go are all entries with this IP address, whatever the nonce.
    """

    address: str
    target: Address
    present: bool = True
    expire_seconds: int = 3600
    min_remaining_seconds: int = 0
    every_instance: bool = False

    @property
    def endangers(self) -> bool:
        """Whether it could hit a daemon, which listens at a port; that of a client instance is 0."""
        return kind_of(self.target) != "client" or (isinstance(self.target, Instance) and self.target.port != 0)

    def selects(self, target: Address) -> bool:
        """Tell whether this speaks of the entry with that address."""
        if isinstance(self.target, Range) or isinstance(target, Range):
            # Ceph keeps a range as it was typed, 10.6.1.2/16; it is the same range.
            return (
                isinstance(self.target, Range) and isinstance(target, Range) and self.target.network == target.network
            )
        return target.ip == self.target.ip if self.every_instance else target == self.target

    def hit_by(self, entry: Entry) -> bool:
        """Tell whether the entry blocks something of what this speaks of."""
        if isinstance(self.target, Instance):
            return entry.hits_ip(self.target.ip) if self.target.whole_host else entry.hits(self.target)
        # Networks of different IP versions cannot be compared.
        return (
            isinstance(entry.target, Range)
            and entry.target.network.version == self.target.network.version
            and entry.target.network.supernet_of(self.target.network)  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class BlocklistPlan:
    """What to remove first and what to add then; ``renewed`` are entries that are both.

    ``before`` and ``after`` hold the kind of each entry that the task speaks of, by address.
    """

    removed: tuple[Address, ...] = ()
    renewed: tuple[Entry, ...] = ()
    added: tuple[WantedEntry, ...] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.removed or self.added)

    @property
    def new(self) -> list[str]:
        """The addresses that are added and were not there."""
        renewed = {entry.address for entry in self.renewed}
        return [str(wanted.target) for wanted in self.added if str(wanted.target) not in renewed]

    def removals(self, dialect: Dialect) -> list[CephCommand]:
        """Return the commands to run first; none depends on another."""
        gone = (*self.removed, *(entry.target for entry in self.renewed))
        return [
            remove_range_command(dialect, str(target))
            if isinstance(target, Range)
            else remove_command(dialect, str(target))
            for target in gone
        ]

    def additions(self, dialect: Dialect) -> list[CephCommand]:
        """Return the commands to run then; none depends on another."""
        return [
            (add_range_command if isinstance(wanted.target, Range) else add_command)(
                dialect, str(wanted.target), wanted.expire_seconds
            )
            for wanted in self.added
        ]

    def unproven(self, found: Blocklist) -> list[str]:
        """Return what the blocklist, read again, does not show."""
        there = {entry.address for entry in found.entries}
        missing = [str(wanted.target) for wanted in self.added if str(wanted.target) not in there]
        left = [str(target) for target in self.removed if str(target) in there]
        return [f"{address} is not listed" for address in missing] + [f"{address} is still listed" for address in left]


def parse_wanted(item: Mapping[str, Any], extend: bool, min_remaining: str | None) -> WantedEntry:
    """Return one item of the task; raises ValueError that names the item and what is wrong with it."""
    text = item["address"]
    target = parse_address(text)
    present = item["state"] == "present"
    if present and isinstance(target, Range) and target.typed != target.network.network_address:
        raise ValueError(
            f"'{text}' is an address with a prefix length: the range is {target.network}, "
            f"the instance with that nonce is {Instance(target.typed, 0, target.network.prefixlen)}"
        )
    try:
        expire = parse_duration(item["expire"])
        remaining = parse_duration(min_remaining) if min_remaining is not None else expire // 2 if extend else 0
    except ValueError as error:
        raise ValueError(f"'{text}': expire and min_remaining: {error}") from error
    if present and remaining >= expire:
        raise ValueError(f"'{text}': min_remaining ({remaining} s) has to be less than expire ({expire} s)")
    every = isinstance(target, Instance) and target.whole_host and "/" not in text and item["instances"] == "all"
    return WantedEntry(text, target, present, expire, remaining, every_instance=every and not present)


def plan_clear(blocklist: Blocklist) -> BlocklistPlan:
    """Plan for no entry to be left."""
    kinds = {entry.address: entry.kind for entry in blocklist.entries}
    return BlocklistPlan(removed=tuple(entry.target for entry in blocklist.entries), before=kinds)


def plan_blocklist(blocklist: Blocklist, wanted: Sequence[WantedEntry], release: int, now: datetime) -> BlocklistPlan:
    """Plan for the blocklist to have and to lack these entries; it says nothing of all others."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    removed: dict[str, Address] = {}
    renewed: list[Entry] = []
    added: dict[str, WantedEntry] = {}
    for item in wanted:
        matching = [entry for entry in blocklist.entries if item.selects(entry.target)]
        before.update({entry.address: entry.kind for entry in matching})
        if not item.present:
            removed.update({entry.address: entry.target for entry in matching})
            continue
        lasting = max(matching, key=lambda entry: entry.until, default=None)
        if lasting is not None and _lasts(lasting, item, release, now):
            after.update({entry.address: entry.kind for entry in matching})
            continue
        renewed += matching
        before.update({entry.address: f"{entry.kind}, about to expire" for entry in matching})
        added.setdefault(str(item.target), item)
        after[str(item.target)] = kind_of(item.target)
    return BlocklistPlan(
        removed=tuple(removed.values()),
        renewed=tuple(dict.fromkeys(renewed)),
        added=tuple(added.values()),
        before=before,
        after=after,
        problems=(*_contradictions(wanted), *_no_ranges(wanted, release)),
    )


def _lasts(entry: Entry, item: WantedEntry, release: int, now: datetime) -> bool:
    # 14 prints times without a zone: by them alone, nothing is taken for expired.
    if release < FIRST_RANGE_RELEASE and not item.min_remaining_seconds:
        return True
    return entry.until - now >= timedelta(seconds=item.min_remaining_seconds)


def danger_problems(added: Iterable[WantedEntry], daemons: Sequence[Daemon]) -> list[str]:
    """Return which additions would cut off the cluster's own daemons, or those who give the commands."""
    return [
        f"{item.address} covers {', '.join(hit)}: the cluster would cut itself off; choose a narrower address, "
        "or set force=true if that is meant"
        for item in added
        for hit in [hit_daemons(item.target, daemons)]
        if hit
    ]


def expected(blocklist: Blocklist, plan: BlocklistPlan, now: datetime) -> Blocklist:
    """Return the blocklist as it will be."""
    gone = {*(str(target) for target in plan.removed), *(entry.address for entry in plan.renewed)}
    kept = [entry for entry in blocklist.entries if entry.address not in gone]
    new = [Entry(str(item.target), item.target, now + timedelta(seconds=item.expire_seconds)) for item in plan.added]
    return Blocklist((*kept, *new))


def fence_warnings(plan: BlocklistPlan, wanted: Sequence[WantedEntry], blocklist: Blocklist) -> list[str]:
    """Return what to tell the user of entries that block more than one client; ``blocklist`` is the one expected."""
    new = [
        f"{item.address} is a fence for {_FENCES[kind]} is shut out, also one that starts later, until it is removed "
        "or expires"
        for item in plan.added
        for kind in [kind_of(item.target)]
        if kind in _FENCES
    ]
    still = [
        f"{item.address} is still blocked, by {entry.address} ({entry.kind}), which is not to be removed"
        for item in wanted
        if not item.present
        for entry in blocklist.entries
        if entry.fence and item.hit_by(entry)
    ]
    return new + still


def _contradictions(wanted: Sequence[WantedEntry]) -> list[str]:
    absent = [item for item in wanted if not item.present]
    problems = [
        f"{item.address} is to be present, and by {other.address} to be absent"
        for item in wanted
        if item.present
        for other in absent
        if other.selects(item.target)
    ]
    times: dict[str, WantedEntry] = {}
    for item in wanted:
        first = times.setdefault(str(item.target), item)
        if item.present and first.present and first.expire_seconds != item.expire_seconds:
            problems.append(f"{item.address} is named twice, to expire in {first.expire_seconds} and in "
                            f"{item.expire_seconds} s")  # fmt: skip
    return problems


def _no_ranges(wanted: Sequence[WantedEntry], release: int) -> list[str]:
    if release >= FIRST_RANGE_RELEASE:
        return []
    return [
        f"{item.address} is a range, which the blocklist of Ceph {release} does not have (it came with "
        f"{FIRST_RANGE_RELEASE}): name the hosts one by one"
        for item in wanted
        if isinstance(item.target, Range)
    ]
