# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a cluster knows of a fleet of diskless hosts, as far as it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CephClient,
    CephDenied,
    CephError,
    CephNotFound,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster, parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, parse_users
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState, read_rbd


@dataclass(frozen=True)
class MonitorAnswers:
    """What the monitors know: the cluster, its users, its blocklist, and the answers that tell how it is."""

    cluster: Cluster
    users: Mapping[str, CephxUser]
    blocklist: Blocklist
    status: Mapping[str, Any]
    mon_dump: Mapping[str, Any]
    osd_dump: Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """What was read: None where the monitors (``monitors``), or the OSDs with the images (``rbd``), gave no answer.

    ``reached`` tells whether any answer came, and be it a refusal; ``error`` why something is missing.
    """

    reached: bool
    monitors: MonitorAnswers | None = None
    rbd: RbdState | None = None
    error: str | None = None


def read_what_answers(client: CephClient, hosts: Sequence[WantedHost]) -> Reading:
    """Read cluster, users, blocklist and root images of these hosts; what does not answer is not waited for twice.

    With Ceph's Python bindings these are two processes for up to a thousand hosts. The monitors can be well while OSDs
    are not: then all but the images is known.
    """
    try:
        monitors = _read_monitors(client)
    except (CephDenied, CephNotFound, ValueError) as error:
        return Reading(reached=True, error=str(error))
    except CephError as error:
        return Reading(reached=False, error=str(error))
    try:
        return Reading(True, monitors, read_rbd(client, {host.root for host in hosts}))
    except CephError as error:
        return Reading(True, monitors, error=str(error))


def _read_monitors(client: CephClient) -> MonitorAnswers:
    status, mon_dump, osd_dump, auth_ls = client.ceph_json_many(
        [("status",), ("mon", "dump"), ("osd", "dump"), ("auth", "ls")]
    )
    return MonitorAnswers(
        parse_mon_dump(mon_dump), parse_users(auth_ls), parse_blocklist(osd_dump), status, mon_dump, osd_dump
    )
