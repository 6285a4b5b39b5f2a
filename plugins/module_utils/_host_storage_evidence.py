# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ceph knows of each host of a fleet, as evidence for whoever asks why a host does not boot. No I/O.

What could not be found out is None, never a guess. The shape is the same whatever is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_access import can_break_own_lock, missing_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import fingerprint
from ansible_collections.diskless.ceph.plugins.module_utils._cluster_health import (
    health_checks,
    map_flags,
    monitors,
    recovering,
)
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_reader import MonitorAnswers, Reading
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import Range, parse_ip
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_hits import Host, describe_entry
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import unmappable
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock import lock_cookie, owner_alive
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_image
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

_ENTRY = ("address", "kind", "until", "fence")


def fleet_evidence(reading: Reading, hosts: Sequence[WantedHost], now: datetime) -> dict[str, Any]:
    """Return the evidence: whether the cluster answered, how it is, and by name what it has of each host."""
    hits = _hits(reading.monitors.blocklist, hosts, now) if reading.monitors else None
    return {
        "reached": reading.reached,
        "error": reading.error,
        "cluster": _cluster(reading.monitors, hosts),
        "hosts": {
            host.name: {**_host(host, reading), "blocklist": None if hits is None else hits[host.name]}
            for host in hosts
        },
    }


def _cluster(answers: MonitorAnswers | None, hosts: Sequence[WantedHost]) -> dict[str, Any]:
    if answers is None:
        return dict.fromkeys(("fsid", "release", "health", "checks", "flags", "recovering", "monitors"))
    return {
        "fsid": answers.cluster.fsid,
        "release": answers.cluster.release,
        "health": answers.status["health"]["status"],
        "checks": health_checks(answers.status),
        "flags": map_flags(answers.osd_dump, {host.root.pool for host in hosts}),
        "recovering": recovering(answers.status),
        "monitors": monitors(answers.mon_dump),
    }


def _host(host: WantedHost, reading: Reading) -> dict[str, Any]:
    image = reading.rbd.images.get(host.root) if reading.rbd else None
    return {
        "image": _image(host, image, reading.rbd),
        "locks": None if reading.rbd is None else _locks(image),
        "watchers": None if reading.rbd is None else _watchers(image),
        "owner_alive": None if image is None else owner_alive(image),
        "user": _user(host, image, reading.monitors),
    }


def _image(host: WantedHost, image: Image | None, rbd: RbdState | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": str(host.root),
        "exists": None if rbd is None else image is not None,
        "wanted_size": host.root_size,
        **dict.fromkeys(("size", "features", "parent", "problems")),
    }
    if image is not None:
        parent = None if image.parent is None else str(image.parent.snapshot)
        found.update(size=image.size, features=list(image.features), parent=parent, problems=_problems(host, image))
    elif rbd is not None:
        found["problems"] = [missing_image(host.root, rbd, ())]
    return found


def _problems(host: WantedHost, image: Image) -> list[str]:
    """Return what keeps the host's kernel from mapping the image, or from writing to it.

    For locks that is ``get_lock_owner_info`` of drivers/block/rbd.c: "locked by external mechanism".
    """
    problems = [f"kernel {host.kernel} cannot map it: {reason}" for reason in unmappable(image.features, host.kernel)]
    if image.data_pool is not None:
        problems.append(f"its data is in pool {image.data_pool}, which the caps of a host do not open")
    if image.lock is not None and not image.lock.automatic and "exclusive-lock" in image.features:
        problems.append(
            f"it was locked by hand (rbd lock add, id {image.lock.lock_id!r}), and such a lock no kernel takes over"
        )
    return problems


def _locks(image: Image | None) -> list[dict[str, Any]]:
    if image is None or image.lock is None:
        return []
    return [{"owner": image.lock.locker, "address": image.lock.address, "cookie": lock_cookie(image.lock)}]


def _watchers(image: Image | None) -> list[dict[str, str]]:
    return [{"client": watcher.client, "address": watcher.address} for watcher in image.watchers] if image else []


def _user(host: WantedHost, image: Image | None, answers: MonitorAnswers | None) -> dict[str, Any]:
    user = None if answers is None else answers.users.get(host.cephx_user)
    found: dict[str, Any] = {
        "name": host.cephx_user,
        "exists": None if answers is None else user is not None,
        **dict.fromkeys(("caps", "caps_missing", "can_blocklist_itself", "key_fingerprint")),
    }
    if user is not None and answers is not None:
        release = answers.cluster.release
        wanted = HostCaps(host.address, host.root.pool, host.root.namespace, image.parent if image else None)
        found.update(
            caps=dict(user.caps),
            caps_missing=missing_caps(user.caps, wanted, host.kernel, release),
            can_blocklist_itself=can_break_own_lock(user.caps, host.address, host.kernel, release),
            key_fingerprint=fingerprint(user.key),
        )
    return found


def _hits(blocklist: Blocklist, hosts: Sequence[WantedHost], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return for each host the entries that hit its address: also those of single clients that ran there."""
    known = [Host(host.name, parse_ip(host.address)) for host in hosts]
    at = {host.ip: [host] for host in known}
    found: dict[str, list[dict[str, Any]]] = {host.name: [] for host in hosts}
    for entry in blocklist.entries:
        # After an incident there may be thousands of entries, almost all of one address.
        candidates = known if isinstance(entry.target, Range) else at.get(entry.target.ip, [])
        described = describe_entry(entry, now, candidates, (), ())
        for name in described["hosts"]:
            found[name].append({key: described[key] for key in _ENTRY})
    return found
