# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which client instance serves which superblock. No I/O.

The kernel tells that only in one place, a virtual attribute of a mount that works (since Linux 5.11). For the others it
follows from what both have in common, and by exclusion.
"""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount


def match(
    mounts: Iterable[CephfsMount], clients: Sequence[Client], said: Mapping[str, str]
) -> dict[str, tuple[Client, ...]]:
    """Return the clients that can be the one of each superblock, by its device; one where that is certain.

    ``said`` is the client by device, as mounts that work have said it. A client that serves one cannot serve another.
    """
    first: dict[str, CephfsMount] = {}
    for mount in mounts:
        first.setdefault(mount.device, mount)
    found = {device: _possible(mount, clients, said.get(device)) for device, mount in first.items()}
    settled: set[str] = set()
    while True:
        certain = {device for device, possible in found.items() if len(possible) == 1} - settled
        if not certain:
            return found
        for device in certain:
            (client,) = found[device]
            settled.add(device)
            # Of two that both can only be this one, something is misread: both keep it.
            for other, possible in found.items():
                if other not in certain and len(possible) > 1:
                    found[other] = tuple(one for one in possible if one.directory != client.directory)


def _possible(mount: CephfsMount, clients: Sequence[Client], said: str | None) -> tuple[Client, ...]:
    if said is not None:
        named = tuple(client for client in clients if client.client == said)
        if named:
            return named
    return tuple(client for client in clients if _may_serve(client, mount))


def _may_serve(client: Client, mount: CephfsMount) -> bool:
    same_user = client.user is None or mount.user in (None, client.user)
    if mount.fsid is not None:
        return same_user and mount.fsid == client.fsid
    # The monitors that a mount names are few of those that the client has learned; a port may be missing.
    ours = {_host(address) for address in mount.monitors}
    theirs = {_host(address) for address in client.monitors}
    return same_user and (not ours or not theirs or bool(ours & theirs))


def _host(address: str) -> str:
    """Return the host of ``10.0.0.1:6789``, ``[fd00::1]:6789`` or either without a port."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]
