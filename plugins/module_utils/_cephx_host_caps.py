# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The caps of a diskless host: no more than its kernel needs to map its own root image."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import fence_one_instance
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Parent


@dataclass(frozen=True)
class HostCaps:
    """What the caps of one host depend on; ``parent`` is what its root image was cloned from."""

    address: str
    pool: str
    namespace: str
    parent: Parent | None


def host_caps(host: HostCaps, release: int) -> dict[str, str]:
    """Return the mon and osd caps for a host, in the words of this Ceph release.

    * Everything only from the host's own address.
    * mon: read the maps, and blocklist the host's own former self, which is how the kernel breaks the lock that a
      power cut left behind. ``profile rbd`` would let any host blocklist whole networks.
    * osd: its own namespace, and to read the parent of its root image, object by object: the rest of the pool's
      default namespace may hold other people's images. ``profile rbd-read-only`` would also allow child_detach on
      the parent, that is, hiding other hosts' clones from whoever wants to delete it.
    """
    address = ipaddress.ip_address(host.address)
    network = f"network {address}/{address.max_prefixlen}"
    return {"mon": _mon_caps(address, network, release), "osd": _osd_caps(host, network)}


def _mon_caps(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str, release: int) -> str:
    grants = ["profile simple-rados-client", *fence_one_instance(_own_address(address), release)]
    return ", ".join(f"{grant} {network}" for grant in grants)


def _own_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the pattern of this host's address as the kernel prints it (``%pISpc``).

    Brackets instead of backslashes: those would be lost in a keyring file.
    """
    text = str(address).replace(".", "[.]")
    return text if address.version == 4 else f"[[]{text}[]]"  # noqa: PLR2004


def _osd_caps(host: HostCaps, network: str) -> str:
    grants = [f"profile rbd pool={host.pool} namespace={host.namespace} {network}"]
    if host.parent:
        image = host.parent.snapshot.image
        where = f'pool={image.pool} namespace="{image.namespace}" object_prefix'
        identity = host.parent.image_id
        grants += [
            # Names only: librbd looks up the parent's, the kernel does not mind being refused.
            f"allow class-read {where} rbd_directory {network}",
            f"allow r class-read {where} rbd_header.{identity} {network}",
            f"allow r class-read {where} rbd_object_map.{identity} {network}",
            f"allow r {where} rbd_data.{identity}. {network}",
        ]
    return ", ".join(grants)
