# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the playbook recover_cephfs, documented in YAML files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._cephfs_recovery import Cluster, plan, result, same_instances, to_lift
from ..plugin_utils._kubelet_pods import kubelet_pods as parse_pods
from ..plugin_utils._kubelet_pods import using

Dicts = Sequence[Mapping[str, Any]]


def cephfs_recovery_plan(
    clients: Dicts, host: str, cluster: Mapping[str, Any] | None = None, accept_data_loss: bool = False
) -> dict[str, Any]:
    """What to do with the clients of a host that are not healthy."""
    return plan(host, clients, _cluster(cluster), accept_data_loss)


def cephfs_recovery_lift(before: Dicts, after: Dicts, cluster: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Which blocklist entries of recovered clients can be lifted, and which paths have the client that they had."""
    return {**to_lift(before, after, _cluster(cluster)), "same": same_instances(before, after)}


def _cluster(said: Mapping[str, Any] | None) -> Cluster | None:
    return Cluster(said["fsid"], said["sessions"], said["entries"]) if said else None


def cephfs_recovery_result(said: Mapping[str, Any], host: str) -> dict[str, Any]:
    """What became of a host."""
    return result(host, said)


def cephfs_recovery_addresses(clients: Mapping[str, Dicts]) -> list[dict[str, str]]:
    """The addresses from which hosts reach the cluster, as osd_blocklist_info wants its hosts."""
    found = {(host, client["ip"]) for host, listed in clients.items() for client in listed if client["ip"]}
    return [{"name": host, "address": address} for host, address in sorted(found)]


def kubelet_pods(answer: Any, paths: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The pods of an answer of kubectl; with paths, those that have one of these mounts. Raises AnsibleFilterError."""
    if not isinstance(answer, Mapping):
        raise AnsibleFilterError(f"kubelet_pods: expected what kubectl answers, as a dictionary; got {answer!r:.80}")
    try:
        pods = parse_pods(answer)
    except ValueError as error:
        raise AnsibleFilterError(f"kubelet_pods: {error}") from error
    return pods if paths is None else using(pods, list(paths))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "cephfs_recovery_addresses": cephfs_recovery_addresses,
            "cephfs_recovery_plan": cephfs_recovery_plan,
            "cephfs_recovery_lift": cephfs_recovery_lift,
            "cephfs_recovery_result": cephfs_recovery_result,
            "kubelet_pods": kubelet_pods,
        }
