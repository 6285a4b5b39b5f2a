# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the signatures of evicted, blocklisted and fenced Ceph clients in a kernel log. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Iterable, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_log_signatures import SIGNATURES, Signature
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import FSID, Device, Mount
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import KernelLine

_CEPH_LINE = re.compile(r"\b((?:lib)?ceph|rbd): +(.*)|\b(?:I/O error.* dev(?:ice)? )(rbd\d+).*")
# Since Linux 6.7 lines of the file system begin with [fsid client]: ; newer ones of monitors have (fsid … client…).
_ORIGIN = re.compile(rf"\[({FSID}) (\d+)\]|fsid[ =]({FSID})(?:\)| client(\d+))?")
_SUBJECT = re.compile(r"\b(?:mds|mon)\d+\b|\brbd\d+(?=:)|(?<=image )[^:]+(?=:)")
_ADDRESS = re.compile(r"mon\d+\S* (?:\(\d+\))?(\S+:\d+) session")
_NEW_CLIENT = re.compile(rf"\bclient(\d+) fsid ({FSID})")


@dataclass(frozen=True)
class _Origin:
    """Whom a line is about, as far as it says: the part of the kernel, the cluster, its client id, mds0, mon0, rbd0."""

    module: str
    fsid: str | None
    client: str | None
    subject: str | None
    monitor: str | None


@dataclass
class _Finding:
    signature: Signature
    origin: _Origin
    first: KernelLine
    last: KernelLine
    sample: str
    count: int = 1
    recovered: bool = False
    monitors: set[str] = field(default_factory=set)


def ceph_clients(lines: Iterable[KernelLine]) -> list[dict[str, str]]:
    """Return the client instances that the kernel has had: it logs their ids when it connects to a cluster."""
    found = (match for match in (_NEW_CLIENT.search(line.text) for line in lines) if match)
    return [{"client": f"client.{number}", "fsid": fsid} for number, fsid in dict.fromkeys(m.groups() for m in found)]


def find_incidents(
    lines: Sequence[KernelLine], mounts: Sequence[Mount] = (), devices: Sequence[Device] = ()
) -> list[dict[str, Any]]:
    """Return one finding per signature, boot and origin, in the order of their first lines."""
    found: dict[tuple[Any, ...], _Finding] = {}
    for line in lines:
        ceph = _CEPH_LINE.search(line.text)
        if ceph:
            _note(found, line, ceph.group(0), _origin(ceph))
    clusters = _clusters_by_monitor(lines)
    return [_describe(finding, mounts, devices, clusters) for finding in found.values()]


def _note(found: dict[tuple[Any, ...], _Finding], line: KernelLine, text: str, origin: _Origin) -> None:
    for finding in found.values():
        healed_by = finding.signature.healed_by
        if healed_by and healed_by.search(text) and _may_be_same(finding, line, origin):
            finding.recovered = True
    signature = next((known for known in SIGNATURES if known.pattern.search(text)), None)
    if signature is None:
        return
    key = (line.boot, signature.name, origin.module, origin.fsid, origin.client, origin.subject)
    finding = found.setdefault(key, _Finding(signature, origin, line, line, text, count=0))
    finding.last = line
    finding.count += 1
    finding.recovered = False
    finding.monitors.update(filter(None, [origin.monitor]))


def _origin(ceph: re.Match[str]) -> _Origin:
    module, text, block_device = ceph.group(1), ceph.group(2), ceph.group(3)
    if block_device:
        return _Origin("rbd", None, None, block_device, None)
    cluster = _ORIGIN.search(text)
    subject = _SUBJECT.search(text)
    monitor = _ADDRESS.search(text)
    return _Origin(
        module=module,
        fsid=(cluster.group(1) or cluster.group(3)) if cluster else None,
        client=(cluster.group(2) or cluster.group(4)) if cluster else None,
        subject=subject.group(0) if subject else None,
        monitor=monitor.group(1) if monitor else None,
    )


def _may_be_same(finding: _Finding, line: KernelLine, origin: _Origin) -> bool:
    """Tell whether a later line can be about the same client: it says nothing that differs."""
    of_monitor = (finding.origin.subject or "").startswith("mon")  # any other monitor will do
    pairs = [(finding.origin.fsid, origin.fsid), (finding.origin.client, origin.client)]
    if not of_monitor:
        pairs.append((finding.origin.subject, origin.subject))
    return finding.first.boot == line.boot and all(ours is None or theirs in (None, ours) for ours, theirs in pairs)


def _clusters_by_monitor(lines: Iterable[KernelLine]) -> dict[str, str]:
    """Return the fsid behind each monitor: the kernel logs the session with a monitor, then the cluster's fsid."""
    found: dict[str, str] = {}
    monitor = None
    for line in lines:
        established = "session established" in line.text and _ADDRESS.search(line.text)
        client = _NEW_CLIENT.search(line.text)
        if established:
            monitor = established.group(1)
        elif client and monitor:
            found[monitor] = client.group(2)
    return found


def _describe(
    finding: _Finding, mounts: Sequence[Mount], devices: Sequence[Device], clusters: dict[str, str]
) -> dict[str, Any]:
    signature, origin = finding.signature, finding.origin
    fsids = {origin.fsid} if origin.fsid else {clusters[monitor] for monitor in finding.monitors if monitor in clusters}
    hit_devices = [device for device in devices if _hits_device(origin, fsids, device)]
    hit_mounts = [mount.path for mount in mounts if _hits_mount(finding, fsids, mount, clusters)]
    return {
        "signature": signature.name,
        "incident": signature.incident,
        "severity": signature.severity,
        "meaning": signature.meaning,
        "remedy": signature.remedy,
        "recovered": finding.recovered,
        "count": finding.count,
        "first_time": _iso(finding.first.time),
        "last_time": _iso(finding.last.time),
        "first_uptime_seconds": finding.first.uptime,
        "last_uptime_seconds": finding.last.uptime,
        "boot": finding.first.boot,
        "subject": origin.subject,
        "fsid": next(iter(fsids)) if len(fsids) == 1 else None,
        "client": None if origin.client is None else f"client.{origin.client}",
        "mounts": sorted({*hit_mounts, *(path for device in hit_devices for path in device.mounts)}),
        "devices": [{"device": device.name, "image": device.image} for device in hit_devices],
        "sample": finding.sample,
    }


def _hits_mount(finding: _Finding, fsids: set[str], mount: Mount, clusters: dict[str, str]) -> bool:
    if finding.origin.module == "rbd":
        return False
    known = {mount.fsid} if mount.fsid else {clusters[one] for one in mount.monitors if one in clusters}
    if fsids and known:
        return bool(fsids & known)
    return not finding.monitors or not mount.monitors or bool(finding.monitors & mount.monitors)


def _hits_device(origin: _Origin, fsids: set[str], device: Device) -> bool:
    if origin.module == "rbd":
        return origin.subject in (device.name, device.image.rpartition("/")[2])
    same_client = origin.client is None or device.client in (None, origin.client)
    same_cluster = not fsids or device.fsid is None or device.fsid in fsids
    return origin.module == "libceph" and same_client and same_cluster


def _iso(time: float | None) -> str | None:
    if time is None:
        return None
    return datetime.fromtimestamp(time, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
