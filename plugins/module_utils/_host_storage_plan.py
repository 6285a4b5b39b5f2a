# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan what Ceph has to hold for a fleet of diskless hosts. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps, host_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import generate_key
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, normalise_caps, same_caps
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import selectable, unmappable
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, Parent, SnapshotName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import format_size


@dataclass(frozen=True)
class State:
    """What the cluster holds: read once for the whole fleet."""

    cluster: Cluster
    rbd: RbdState
    users: Mapping[str, CephxUser]


@dataclass(frozen=True)
class HostPlan:
    """What has to happen for one host; nothing where the action is ``unchanged``.

    ``parent`` is what the root image will have been cloned from: the golden image, or for an existing root image
    whatever that says (None after a flatten).
    """

    host: WantedHost
    found_image: Image | None
    found_user: CephxUser | None
    parent: Parent | None
    user: CephxUser
    create_namespace: bool
    clone: bool
    grow: bool
    differences: tuple[str, ...]

    @property
    def image_action(self) -> str:
        """What happens to the root image."""
        if self.clone:
            return "created"
        return "grown" if self.grow else "unchanged"

    @property
    def user_action(self) -> str:
        """What happens to the cephx user."""
        if self.found_user is None:
            return "created"
        return "unchanged" if same_caps(self.found_user.caps, self.user.caps) else "updated"

    @property
    def changed(self) -> bool:
        """Whether anything has to happen for this host."""
        return self.create_namespace or self.image_action != "unchanged" or self.user_action != "unchanged"


@dataclass(frozen=True)
class Plan:
    """The plan for the fleet. With ``problems`` nothing of it may be applied."""

    hosts: tuple[HostPlan, ...]
    problems: tuple[str, ...]


def plan_fleet(
    hosts: Sequence[WantedHost],
    golden_images: Mapping[str, SnapshotName],
    state: State,
    new_key: Callable[[], str] = generate_key,
) -> Plan:
    """Plan for all hosts at once; ``golden_images`` maps an architecture to the snapshot its hosts are cloned from."""
    problems: list[str] = []
    plans: list[HostPlan] = []
    golden, golden_problems = _golden(golden_images, hosts, state)
    problems += golden_problems
    for pool in sorted({host.root.pool for host in hosts}):
        if state.rbd.namespaces.get(pool) is None:
            problems.append(f"pool {pool} does not exist: create it with diskless.ceph.rbd_pool")
    for host in hosts:
        found = state.rbd.images.get(host.root)
        source = golden.get(host.arch)
        if found is None and source is not None:
            size = _snapshot_size(source, golden_images[host.arch])
            if host.root_size < size:
                problems.append(
                    f"host {host.name}: root_size {format_size(host.root_size)} is less than the "
                    f"{format_size(size)} of golden image {golden_images[host.arch]}"
                )
        if found is not None or source is not None:
            plans.append(_plan_host(host, golden_images.get(host.arch), source, state, new_key))
    return Plan(tuple(plans), tuple(problems))


def _golden(
    golden_images: Mapping[str, SnapshotName], hosts: Sequence[WantedHost], state: State
) -> tuple[dict[str, Image], list[str]]:
    """Return the usable golden images by architecture, and what is wrong with the others."""
    usable: dict[str, Image] = {}
    problems = []
    for arch in sorted({host.arch for host in hosts}):
        snapshot = golden_images.get(arch)
        if snapshot is None:
            names = ", ".join(host.name for host in hosts if host.arch == arch)
            problems.append(f"golden_images has no {arch}, the architecture of {names}")
            continue
        image = state.rbd.images.get(snapshot.image)
        problem = _golden_problem(snapshot, image)
        if problem is None and image is not None:
            usable[arch] = image
        else:
            problems.append(f"golden image {snapshot} for {arch} {problem}")
    return usable, problems


def _golden_problem(snapshot: SnapshotName, image: Image | None) -> str | None:
    if image is None:
        return "does not exist"
    found = image.snapshot(snapshot.snapshot)
    if found is None:
        return f"does not exist: image {image.name} has no such snapshot"
    if not found.protected:
        return f"is not protected, so it could be deleted under its clones: rbd snap protect {snapshot}"
    if image.parent is not None:
        # Hosts get caps for one parent, and every further generation costs each read a look-up.
        return f"is itself a clone, of {image.parent.snapshot}: flatten it"
    if "data-pool" in image.features:
        return "keeps its data in another pool: import it without a data pool"
    return None


def _snapshot_size(image: Image, snapshot: SnapshotName) -> int:
    found = image.snapshot(snapshot.snapshot)
    return image.size if found is None else found.size


def _plan_host(
    host: WantedHost,
    golden: SnapshotName | None,
    source: Image | None,
    state: State,
    new_key: Callable[[], str],
) -> HostPlan:
    image = state.rbd.images.get(host.root)
    if image is not None:
        parent, size = image.parent, image.size
    elif source is not None and golden is not None:
        parent, size = Parent(golden, source.image_id), _snapshot_size(source, golden)
    else:
        raise ValueError(f"host {host.name} has neither a root image nor a golden image")
    found_user = state.users.get(host.cephx_user)
    caps = host_caps(HostCaps(host.address, host.root.pool, host.root.namespace, parent), state.cluster.release)
    return HostPlan(
        host=host,
        found_image=image,
        found_user=found_user,
        parent=parent,
        user=CephxUser(host.cephx_user, caps, found_user.key if found_user else new_key()),
        create_namespace=host.root.namespace not in (state.rbd.namespaces.get(host.root.pool) or ()),
        clone=image is None,
        grow=size < host.root_size,
        differences=() if image is None else _differences(host, image, golden),
    )


def _differences(host: WantedHost, image: Image, golden: SnapshotName | None) -> tuple[str, ...]:
    """Return how an existing root image is not as wanted, where putting that right is not for a module to decide."""
    who = f"host {host.name}: root image {image.name}"
    found = []
    if golden is not None and (image.parent is None or image.parent.snapshot != golden):
        origin = "no clone (any more)" if image.parent is None else f"a clone of {image.parent.snapshot}"
        found.append(f"{who} is {origin}, not of {golden}")
    if image.size > host.root_size:
        found.append(f"{who} has {format_size(image.size)}, more than root_size {format_size(host.root_size)}")
    unfit = unmappable(image.features, host.kernel)
    if unfit:
        found.append(f"{who} cannot be mapped by kernel {host.kernel}: {'; '.join(unfit)}")
    elif selectable(image.features) != host.features:
        found.append(
            f"{who} has features {', '.join(selectable(image.features))}, wanted are {', '.join(host.features)}"
        )
    return tuple(found)


def fleet_diff(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return before and after of those hosts that change; no keys in it."""
    changed = [step for step in plan.hosts if step.changed]
    return {
        "before": {step.host.name: _before(step) for step in changed},
        "after": {step.host.name: _after(step) for step in changed},
    }


def _before(step: HostPlan) -> dict[str, Any]:
    image = step.found_image
    return {
        "cephx_user": None if step.found_user is None else _user_diff(step.found_user),
        "root_image": None
        if image is None
        else _image_diff(image.size, selectable(image.features), image.parent, str(image.name)),
    }


def _after(step: HostPlan) -> dict[str, Any]:
    image, host = step.found_image, step.host
    size = host.root_size if image is None else max(image.size, host.root_size)
    features = host.features if image is None else selectable(image.features)
    return {
        "cephx_user": _user_diff(step.user if step.user_action != "unchanged" else step.found_user or step.user),
        "root_image": _image_diff(size, features, step.parent, str(host.root)),
    }


def _user_diff(user: CephxUser) -> dict[str, Any]:
    caps = {service: list(grants) for service, grants in sorted(normalise_caps(user.caps).items())}
    return {"name": user.name, "caps": caps}


def _image_diff(size: int, features: Sequence[str], parent: Parent | None, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "size": size,
        "features": list(features),
        "parent": None if parent is None else str(parent.snapshot),
    }
