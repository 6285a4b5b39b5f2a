# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All CephFS clients of a host in one list: mounts, client instances, probes and the kernel log together. No I/O."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_holders import Holder
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_match import match
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_state import judge
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import Probe

# What the kernel tells of a client, and null of one that is not known for sure.
_OF_CLIENT = ("blocklisted", "mds_requests", "osd_requests", "homeless", "caps", "caps_waiters", "session_autoclose")


def to_probe(mounts: Iterable[CephfsMount]) -> dict[str, CephfsMount]:
    """Return the mount by which each superblock is probed: one that is writable and whole if there is one."""
    found: dict[str, CephfsMount] = {}
    for mount in mounts:
        known = found.get(mount.device)
        if known is None or _preference(mount) < _preference(known):
            found[mount.device] = mount
    return found


def _preference(mount: CephfsMount) -> tuple[bool, bool, str]:
    return mount.read_only, mount.root != "/", mount.path


def survey(  # noqa: PLR0913, PLR0917 -- the sources of what is known
    mounts: Sequence[CephfsMount],
    clients: Sequence[Client],
    probes: Mapping[str, Probe],
    findings: Sequence[Mapping[str, Any]],
    unit: Callable[[str], str | None],
    local_address: Callable[[Iterable[str]], str | None],
) -> list[dict[str, Any]]:
    """Return every client instance as a module returns it: those with mounts first, then those that have none any more.

    :param probes: by device.
    :param unit: returns the systemd unit that can mount a path again.
    :param local_address: returns the address from which this host reaches the first of some monitors.
    """
    said = {device: probe.client for device, probe in probes.items() if probe.client}
    matched = match(mounts, clients, said)
    listed = []
    for device, possible in matched.items():
        own = [mount for mount in mounts if mount.device == device]
        paths = {mount.path for mount in own}
        about = [finding for finding in findings if paths.intersection(finding["mounts"])]
        listed.append(_described(own, possible, probes.get(device), about, unit, local_address))
    serving = {client.directory for possible in matched.values() for client in possible}
    without = [client for client in clients if client.directory not in serving]
    return listed + [_described([], (client,), None, [], unit, local_address) for client in without]


def _described(  # noqa: PLR0913, PLR0917 -- as survey
    mounts: Sequence[CephfsMount],
    possible: Sequence[Client],
    probe: Probe | None,
    findings: Sequence[Mapping[str, Any]],
    unit: Callable[[str], str | None],
    local_address: Callable[[Iterable[str]], str | None],
) -> dict[str, Any]:
    state, evidence = judge(possible, probe, findings)
    mount = mounts[0] if mounts else None
    client = possible[0] if len(possible) == 1 else None
    monitors = [address for one in possible for address in sorted(one.monitors)]
    address = client.address if client else None
    ip = _ip(address) if address else local_address(monitors or sorted(mount.monitors if mount else ()))
    return {
        "device": mount.device if mount else None,
        "client": client.client if client else None,
        "candidates": sorted(one.client for one in possible),
        "address": address,
        "ip": ip,
        "fsid": client.fsid if client else mount.fsid if mount else None,
        "user": (mount.user if mount else None) or (client.user if client else None),
        "state": state,
        "evidence": evidence,
        **{name: getattr(client, name) if client else None for name in _OF_CLIENT},
        "sessions": [{"rank": rank, "state": now} for rank, now in (client.sessions if client else None) or ()],
        **_of_mount(mount),
        "mounts": [
            {"path": one.path, "root": one.root, "read_only": one.read_only, "unit": unit(one.path)} for one in mounts
        ],
        "probe": None if probe is None else _of_probe(probe),
        "findings": list(findings),
        "holders": [],
    }


def _of_mount(mount: CephfsMount | None) -> dict[str, Any]:
    if mount is None:
        return dict.fromkeys(("source", "file_system", "directory", "options", "recover_session", "fsc"))
    return {
        "source": mount.source,
        "file_system": mount.file_system,
        "directory": mount.directory,
        "options": dict(mount.options),
        "recover_session": mount.recover_session,
        "fsc": mount.fsc,
    }


def _of_probe(probe: Probe) -> dict[str, Any]:
    return {
        "steps": [asdict(step) for step in probe.steps],
        "sticks": probe.sticks,
        "pid": probe.pid,
        "process_state": probe.state,
        "left_behind": probe.left_behind,
    }


def with_holders(listed: Iterable[dict[str, Any]], holders: Mapping[str, Sequence[Holder]]) -> None:
    """Add to each client who holds its superblock."""
    for client in listed:
        client["holders"] = [asdict(holder) for holder in holders.get(client["device"] or "", ())]


def _ip(address: str) -> str:
    """Return the IP address of ``10.0.0.1:0/4137`` or ``[fd00::1]:0/4137``."""
    return address.rpartition(":")[0].strip("[]")
