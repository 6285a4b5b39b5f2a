# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evict clients: whom, by which commands, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephCommand
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session import Session
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import Selection
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, format_until


@dataclass(frozen=True)
class Target:
    """A client to evict: its sessions with one or more ranks, and whether they say that it is to be blocklisted."""

    sessions: tuple[Session, ...]
    blocklist_on_evict: bool

    @property
    def client(self) -> Session:
        """Its first session: what they all say of the client itself."""
        return self.sessions[0]


@dataclass(frozen=True)
class Outcome:
    """What became of a client: sessions that are still there, and those that it opened since."""

    target: Target
    remaining: tuple[Session, ...]
    reopened: tuple[Session, ...]


def plan_evictions(
    sessions: Iterable[Session], selection: Selection, blocklist_on_evict: Mapping[str, bool]
) -> list[Target]:
    """Return the selected clients, each with all of its sessions that are selected.

    ``blocklist_on_evict`` is the option's value in effect by name of the MDS. If only one of the ranks blocklists the
    client, that cuts it off from all.
    """
    by_client: dict[int, list[Session]] = {}
    for session in sessions:
        if selection.matches(session) and not selection.spares(session):
            by_client.setdefault(session.client_id, []).append(session)
    return [
        Target(tuple(found), any(blocklist_on_evict[session.mds] for session in found))
        for client_id, found in sorted(by_client.items())
    ]


def objections(targets: Sequence[Target], max_clients: int | None, force: bool) -> list[str]:
    """Return what speaks against the evictions: too many clients, or some that are alive."""
    problems = []
    if max_clients is not None and len(targets) > max_clients:
        listed = ", ".join(str(target.client) for target in targets)
        problems.append(
            f"{len(targets)} clients match, max_clients is {max_clients}: {listed}; select fewer, or raise max_clients"
        )
    living = [
        f"{session} has an open session with rank {session.rank} of {session.file_system}"
        for target in targets
        for session in target.sessions
        if session.state == "open"
    ]
    if living and not force:
        problems.append(
            f"{', '.join(living)}: it was renewed within session_timeout, so the client is alive, and an eviction "
            "loses what it has not written yet; unmount there, narrow down with states=stale, or set force=true"
        )
    return problems


def evict_commands(targets: Iterable[Target]) -> list[CephCommand]:
    """Return one command for each session.

    Never without a client's id: ``client evict`` without a filter evicts everybody.
    """
    return [
        CephCommand(("tell", f"mds.{session.mds}", "client", "evict", f"id={int(session.client_id)}"))
        for target in targets
        for session in target.sessions
    ]


def outcomes(targets: Iterable[Target], now: Iterable[Session]) -> list[Outcome]:
    """Compare with the sessions after the eviction, which Ceph confirms even for a client that it does not know.

    A client keeps its id when it comes back: its session is a new one if it is younger than it was.
    """
    current = {(session.file_system, session.rank, session.client_id): session for session in now}
    found = []
    for target in targets:
        pairs = [
            (session, current.get((session.file_system, session.rank, session.client_id)))
            for session in target.sessions
        ]
        still = [(before, after) for before, after in pairs if after is not None]
        found.append(
            Outcome(
                target,
                remaining=tuple(after for before, after in still if after.uptime_seconds >= before.uptime_seconds),
                reopened=tuple(after for before, after in still if after.uptime_seconds < before.uptime_seconds),
            )
        )
    return found


def diff(targets: Iterable[Target]) -> dict[str, Any]:
    """Return the difference that the eviction makes to the sessions and, as configured, to the blocklist."""
    listed = {
        target.client.instance: {
            "entity": target.client.entity,
            "hostname": target.client.hostname,
            "ranks": [f"{session.file_system}:{session.rank}" for session in target.sessions],
            "blocklisted": False,
        }
        for target in targets
    }
    after = {
        target.client.instance: {
            **listed[target.client.instance],
            "ranks": [],
            "blocklisted": target.blocklist_on_evict,
        }
        for target in targets
    }
    return {"before": listed, "after": after}


def report(outcome: Outcome, blocklist: Blocklist, option: str) -> dict[str, Any]:
    """Return what a module says of an evicted client; ``option`` is the cluster's name of the one that decides."""
    entries = blocklist.entries_for(outcome.target.client.address)
    return {
        **describe(outcome.target),
        "evicted": not outcome.remaining,
        "reopened": bool(outcome.reopened),
        "blocklisted": bool(entries),
        "blocklist_entries": [
            {"address": entry.address, "kind": entry.kind, "until": format_until(entry.until)} for entry in entries
        ],
        "explanation": _explanation(outcome, bool(entries), option),
    }


def describe(target: Target) -> dict[str, Any]:
    """Return who a client is, as a module says it."""
    client = target.client
    return {
        "client_id": client.client_id,
        "instance": client.instance,
        "address": client.address,
        "hostname": client.hostname,
        "entity": client.entity,
        "kind": client.kind,
        "file_system": client.file_system,
        "ranks": [{"rank": session.rank, "mds": session.mds, "state": session.state} for session in target.sessions],
        "blocklist_on_evict": target.blocklist_on_evict,
    }


def announce(target: Target) -> dict[str, Any]:
    """Return what check mode says of a client that would be evicted."""
    return {
        **describe(target),
        "evicted": False,
        "reopened": False,
        "blocklisted": False,
        "blocklist_entries": [],
        "explanation": "would be evicted, and " + ("" if target.blocklist_on_evict else "not ") + "blocklisted",
    }


def _explanation(outcome: Outcome, blocklisted: bool, option: str) -> str:
    if outcome.reopened and not blocklisted:
        return f"not blocklisted, {option} is false; it opened a new session by itself (client_reconnect_stale)"
    if blocklisted and outcome.target.blocklist_on_evict:
        return f"blocklisted, {option} is true: its calls fail until it mounts anew"
    if blocklisted:
        return f"blocklisted by an entry that the eviction did not make, {option} is false"
    if outcome.target.blocklist_on_evict:
        return f"not blocklisted, although {option} was true before: see the log of the MDS"
    return f"not blocklisted, {option} is false: a client that does not reconnect by itself hangs until it mounts anew"
