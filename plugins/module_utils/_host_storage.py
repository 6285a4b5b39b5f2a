# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change what a fleet of diskless hosts has in Ceph; what to change is planned elsewhere."""

from __future__ import annotations

from typing import Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import read_cluster
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import parse_users, render_keyring
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_plan import HostPlan, Plan, State
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import SnapshotName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_operations import (
    RbdOperation,
    clone_image,
    create_namespace,
    resize_image,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd


def read_state(client: CephClient, hosts: Iterable[WantedHost], golden: Mapping[str, SnapshotName]) -> State:
    """Read everything that the planner needs, in three commands however many hosts there are."""
    images = {host.root for host in hosts} | {snapshot.image for snapshot in golden.values()}
    return State(read_cluster(client), read_rbd(client, images), parse_users(client.ceph_json("auth", "ls")))


def apply_plan(client: CephClient, plan: Plan) -> None:
    """Make the cluster as planned.

    Users come last, in one import: a host whose user exists has an image to boot from. A run that dies half-way
    leaves images that the next run finds and completes.
    """
    steps = [step for step in plan.hosts if step.changed]
    apply_operations(client, [_operations(step) for step in steps])
    users = [step.user for step in steps if step.user_action != "unchanged"]
    if users:
        client.ceph("auth", "import", "-i", "-", stdin=render_keyring(users))


def _operations(step: HostPlan) -> list[RbdOperation]:
    root = step.host.root
    operations = []
    if step.create_namespace:
        operations.append(create_namespace(root.pool, root.namespace))
    if step.clone and step.parent:
        operations.append(clone_image(step.parent.snapshot, root, step.host.features))
    if step.grow:
        operations.append(resize_image(root, step.host.root_size))
    return operations
