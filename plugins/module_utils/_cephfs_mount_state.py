# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What state a CephFS client instance is in, and by which evidence. No I/O; each rule says what it has seen."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import SHUT_OUT, Probe

STATES = ("healthy", "stale", "stuck", "rejected", "blocklisted", "failed", "unknown")
# States of a session with the MDS, from fs/ceph/mds_client.c; in these the client waits for the MDS.
_WAITING = ("hung", "opening", "reconnecting", "restarting", "closing")
_WAITING_INCIDENTS = ("caps_stale", "mds_unresponsive")
_SHUT_OUT_INCIDENTS = ("blocklisted",)


def judge(
    clients: Sequence[Client], probe: Probe | None, findings: Iterable[Mapping[str, Any]]
) -> tuple[str, list[str]]:
    """Return the state and the evidence, in sentences.

    :param clients: the client, or all that it may be; what holds for all of them counts.
    :param probe: of one of its mounts; None if it has none, or was not to be probed.
    :param findings: those of the kernel log that are about its mounts, as ``kernel_log_info`` returns them.
    """
    log = [finding for finding in findings if not finding["recovered"]]
    state = _state(clients, probe, {finding["incident"] for finding in log})
    # The kernel does not log that a mount was made anew: of one that works, the log tells the past.
    lines = [] if state == "healthy" else [_logged(finding) for finding in log]
    return state, [*_probed(probe), *_known(clients), *lines]


def _state(clients: Sequence[Client], probe: Probe | None, incidents: set[str]) -> str:
    errors = set(probe.errors().values()) if probe else set()
    works = probe is not None and probe.works
    sessions = set().union(*(client.session_states() for client in clients))
    rejected = bool(clients) and all("rejected" in client.session_states() for client in clients)
    refused = "EACCES" in errors and bool(clients) and all(_without_session(client) for client in clients)
    rules = (
        ("blocklisted", _all(clients, "blocklisted") or SHUT_OUT in errors),
        # The MDS gives it no session, and kernels before 5.11 do not say why.
        ("blocklisted", (rejected or refused) and not works and bool(incidents.intersection(_SHUT_OUT_INCIDENTS))),
        ("rejected", (rejected or refused) and not works),
        ("healthy", works),
        ("stuck", probe is not None and probe.sticks is not None),
        ("failed", bool(errors)),
        ("stale", bool(sessions.intersection(_WAITING)) or bool(incidents.intersection(_WAITING_INCIDENTS))),
    )
    return next((state for state, holds in rules if holds), "unknown")


def _without_session(client: Client) -> bool:
    return client.sessions is not None and "open" not in client.session_states()


def _all(clients: Sequence[Client], attribute: str) -> bool:
    return bool(clients) and all(getattr(client, attribute) for client in clients)


def _probed(probe: Probe | None) -> list[str]:
    if probe is None:
        return []
    said = [f"{step}: {error}" for step, error in probe.errors().items()]
    if probe.sticks is not None:
        state = f" was in state {probe.state}" if probe.state else ""
        left = ", and is left behind" if probe.left_behind else ""
        said.append(f"{probe.sticks} did not end in time (process {probe.pid}{state}{left})")
    return said or [f"answers: {', '.join(step.name for step in probe.steps if step.done)}"]


def _known(clients: Sequence[Client]) -> list[str]:
    if not clients:
        return ["debugfs shows no client for it"]
    said = []
    for client in clients:
        parts = [] if client.blocklisted is None else [f"blocklisted: {'yes' if client.blocklisted else 'no'}"]
        parts += [f"session with mds.{rank} is {state}" for rank, state in client.sessions or ()]
        if client.sessions == ():
            parts.append("no session with any MDS")
        if client.mds_requests:
            parts.append(f"MDS requests under way: {client.mds_requests}")
        if client.osd_requests:
            parts.append(f"OSD requests under way: {client.osd_requests}")
        if client.caps_waiters:
            parts.append(f"processes that wait for caps: {client.caps_waiters}")
        if client.unread:
            parts.append(f"{', '.join(client.unread)} could not be read in time")
        said.append(f"{client.client}: {', '.join(parts)}" if parts else f"{client.client}: nothing known of it")
    return said if len(said) == 1 else [f"one of {len(said)} clients: {'; '.join(said)}"]


def _logged(finding: Mapping[str, Any]) -> str:
    uptime = finding["last_uptime_seconds"]
    when = finding["last_time"] or ("at an unknown time" if uptime is None else f"{uptime:.0f} s after boot")
    times = "once" if finding["count"] == 1 else f"{finding['count']} times, last"
    return f"kernel log, {times} {when}: {finding['sample']}"
