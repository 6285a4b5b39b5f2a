# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dead CephFS mounts of a host may be taken away and made anew, and why others may not. No I/O.

The rule is that nothing is lost that is not lost already. A client that its MDS has evicted has lost what it had not
written; one that the MDS still waits for has not, however dead its mounts look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Client = Mapping[str, Any]
Dicts = Sequence[Mapping[str, Any]]

# States of cephfs_mount_info in which the kernel itself says that the client is thrown out.
_THROWN_OUT = ("blocklisted", "rejected")
_HEALTHY = "healthy"
# What a plan says of a client.
_SHOWN = ("device", "client", "candidates", "address", "fsid", "state", "mounts", "evidence", "holders")
_KUBELET = "/kubelet/"


@dataclass(frozen=True)
class Cluster:
    """What a cluster says of its clients. Numbers of clients mean something in their own cluster only.

    sessions: those of ``mds_session_info``, None if not every MDS could be asked.
    entries: those of ``osd_blocklist_info`` with the names of the hosts that they hit.
    """

    fsid: str
    sessions: Dicts | None
    entries: Dicts

    def sessions_of(self, client: Client) -> list[Mapping[str, Any]] | None:
        """Return the sessions of a client, None if that is not known."""
        if self.sessions is None or client["fsid"] != self.fsid or not client["candidates"]:
            return None
        return [session for session in self.sessions if f"client.{session['client_id']}" in client["candidates"]]

    def entry_of(self, client: Client) -> bool:
        """Tell whether exactly this instance has an entry."""
        blocked = {entry["address"] for entry in self.entries if not entry["fence"]}
        return client["fsid"] == self.fsid and client["address"] in blocked

    def fences(self, host: str) -> list[Mapping[str, Any]]:
        """Return the entries that shut out whatever a host starts."""
        return [entry for entry in self.entries if entry["fence"] and host in entry["hosts"]]


def plan(host: str, clients: Sequence[Client], cluster: Cluster | None, accept_data_loss: bool) -> dict[str, Any]:
    """Return what to do with each client instance of a host that is not healthy.

    :param clients: those of ``cephfs_mount_info``.
    :param cluster: None if there is none that can be asked.
    :returns: ``recover``, ``refused`` and ``lingering``, each a list with ``reason``; ``fences``; ``waiting``, the
        devices of ``recover`` and ``refused`` that may come back by themselves.
    """
    ill = [client for client in clients if client["state"] != _HEALTHY]
    fences = cluster.fences(host) if cluster else []
    found: dict[str, Any] = {
        "recover": [],
        "refused": [],
        "lingering": [],
        "fences": [{"address": entry["address"], "until": entry["until"]} for entry in fences],
        "waiting": [client["device"] for client in ill if client["device"] and client["recover_session"]],
    }
    for client in ill:
        if client["device"] is None:
            found["lingering"].append(_named(client, "mounted nowhere; it ends with the last process that uses it"))
            continue
        dead = _death(client, cluster)
        if cluster and fences and client["fsid"] in (None, cluster.fsid):
            found["refused"].append(_named(client, _fenced(host, fences)))
        elif dead is not None:
            found["recover"].append(_named(client, dead))
        elif accept_data_loss:
            found["recover"].append(_named(client, "what it has not written is given up, as asked for"))
        else:
            found["refused"].append(_named(client, _alive(client, cluster)))
    return found


def to_lift(before: Sequence[Client], after: Sequence[Client], cluster: Cluster | None) -> dict[str, list[Any]]:
    """Return the blocklist entries of instances that are no more: ``lift``, and with a reason those to ``keep``.

    An entry is lifted if it is exactly that of an instance that was recovered, this host's kernel does not have the
    instance any more, and neither has an MDS: there is nothing left that the entry could keep from writing.

    :param before: the clients that were recovered, as they were.
    :param after: all clients of the host since.
    """
    lift, keep = [], []
    for client in before:
        if client["address"] is None:
            keep.append(_named(client, "its address is not known (the kernel shows it since Linux 5.11); it expires"))
        elif cluster and cluster.entry_of(client):
            reason = _still_there(client, after, cluster)
            if reason is None:
                lift.append(client["address"])
            else:
                keep.append(_named(client, reason))
    return {"lift": sorted(lift), "keep": keep}


def same_instances(before: Sequence[Client], after: Sequence[Client]) -> list[str]:
    """Return the paths whose new mount is served by an instance that they had before: it is as dead as it was."""
    old = {one for client in before for one in client["candidates"]}
    paths = {mount["path"] for client in before for mount in client["mounts"]}
    return sorted(
        mount["path"]
        for client in after
        if client["client"] in old and client["state"] != _HEALTHY
        for mount in client["mounts"]
        if mount["path"] in paths
    )


def result(host: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what became of a host.

    :param said: ``before``, ``waited`` and ``after``, results of ``cephfs_mount_info``, the latter two None where it
        was not run; ``plan``; what :func:`to_lift` has returned as ``lifting``, None if it was not asked; ``lifted``,
        whether its entries were lifted; ``orphans``; ``trouble``, a list of sentences; ``check_mode``; ``reboot``, the
        command.
    """
    before, plan_, lifting = said["before"], said["plan"], said["lifting"] or {"lift": [], "keep": []}
    latest = said["after"] or said["waited"] or before
    mounts = [mount for client in plan_["recover"] for mount in client["mounts"]]
    by_hand = sorted(mount["path"] for mount in mounts if not mount["unit"] and _KUBELET not in mount["path"])
    remedies = [f"{', '.join(client['paths'])}: {client['reason']}" for client in plan_["refused"]]
    if by_hand and not said["check_mode"]:
        remedies.append(f"mount by hand, neither a unit nor /etc/fstab has them: {', '.join(by_hand)}")
    if said["trouble"]:
        remedies += [*said["trouble"], *_still_held(plan_["recover"]), f"last resort: {said['reboot']}"]
    working = {mount["path"] for mount in (said["waited"] or {}).get("mounts", ()) if mount["state"] == _HEALTHY}
    return {
        "host": host,
        "state": _outcome(said, bool(remedies)),
        "kernel": before["kernel"],
        "before": before["mounts"],
        "after": latest["mounts"],
        "recovered": plan_["recover"],
        "refused": plan_["refused"],
        "lingering": plan_["lingering"],
        "came_back": sorted(working.intersection(before["affected"])),
        "lifted": lifting["lift"] if said["lifted"] else [],
        "kept": lifting["keep"],
        "orphans": said["orphans"],
        "by_hand": by_hand,
        "remedies": remedies,
    }


def _still_held(recovered: Sequence[Client]) -> list[str]:
    """Return what to end so that a mount can get through: with fsc, a dead client keeps the next one out."""
    found = []
    for client in recovered:
        names = sorted({f"{holder['name']} ({holder['pid']})" for holder in client["holders"]})
        units = sorted({mount["unit"] for mount in client["mounts"] if mount["unit"]})
        if names and units:
            found.append(
                f"end {', '.join(names)}, which held the former client; then: systemctl start {' '.join(units)}"
            )
    return found


def _outcome(said: Mapping[str, Any], remedies: bool) -> str:
    if said["trouble"]:
        return "failed"
    if remedies:
        return "not_healed"
    if said["check_mode"] and said["plan"]["recover"]:
        return "would_be_healed"
    return "healed" if said["before"]["affected"] else _HEALTHY


def _death(client: Client, cluster: Cluster | None) -> str | None:
    """Return why a client is known to be dead, or None."""
    if client["state"] in _THROWN_OUT:
        return f"{client['state']}, as its kernel says"
    if cluster and cluster.sessions_of(client) == []:
        return "evicted: no MDS has a session of it"
    return None


def _alive(client: Client, cluster: Cluster | None) -> str:
    if not client["candidates"]:
        return "its kernel does not say which client it is: nothing proves that the MDS has given it up"
    if cluster and client["fsid"] not in (None, cluster.fsid):
        return f"it is a client of another cluster ({client['fsid']}) than the one that was asked ({cluster.fsid})"
    sessions = cluster.sessions_of(client) if cluster else None
    if sessions is None:
        return "not every MDS could be asked, so it may still have a session; a Ceph admin host could tell"
    found = ", ".join(f"{session['state']} with mds.{session['mds']} ({session['instance']})" for session in sessions)
    return (
        f"it still has a session, {found}: it goes on when it reaches the MDS again, and until then nothing is lost; "
        "look at the network between this host and the cluster"
    )


def _fenced(host: str, fences: Sequence[Mapping[str, Any]]) -> str:
    named = ", ".join(f"{entry['address']} until {entry['until']}" for entry in fences)
    return f"the blocklist has {named}, which shuts out whatever {host} starts: find out who has set it and why, first"


def _still_there(client: Client, after: Sequence[Client], cluster: Cluster) -> str | None:
    if any(one["address"] == client["address"] for one in after):
        return "the instance lives on: processes or other mount namespaces hold it, and it must not write again"
    if cluster.sessions is None:
        return "not every MDS could be asked whether it still has a session"
    if any(session["address"] == client["address"] for session in cluster.sessions):
        return "an MDS still has a session of it"
    return None


def _named(client: Client, reason: str) -> dict[str, Any]:
    return {
        **{name: client[name] for name in _SHOWN},
        "paths": sorted(mount["path"] for mount in client["mounts"]),
        "reason": reason,
    }
