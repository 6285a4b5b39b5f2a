# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the storage of a fleet looks like to the task that asked for it."""

from __future__ import annotations

from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_plan import HostPlan, Plan


def fleet_result(plan: Plan, cluster: Cluster, check_mode: bool) -> dict[str, Any]:
    """Return the module's result; in check mode without the keys of users that do not exist yet."""
    return {
        "changed": any(step.changed for step in plan.hosts),
        "hosts": [_host(step) for step in plan.hosts],
        "cephx_keys": {
            step.host.name: step.user.key for step in plan.hosts if step.found_user is not None or not check_mode
        },
        "monitors": [monitor.as_dict() for monitor in cluster.monitors],
        "fsid": cluster.fsid,
        "release": cluster.release,
    }


def _host(step: HostPlan) -> dict[str, Any]:
    return {
        "name": step.host.name,
        "image": str(step.host.root),
        "parent": None if step.parent is None else str(step.parent.snapshot),
        "image_action": step.image_action,
        "user_action": step.user_action,
        "differences": list(step.differences),
    }
