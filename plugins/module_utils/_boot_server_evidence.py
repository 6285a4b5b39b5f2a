# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a boot server has for one host besides its boot tree: DHCP, the packet filter, the TFTP view, the NFS export.

All of it is in places that belong to root alone.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Mapping

from ._boot_tree import LOADERS
from ._nfs_exports import Export, ganesha_exports, kernel_exports
from ._tftp_view import view_change
from ._tftp_view_files import read_view

DHCP_HOSTS = "etc/diskless/dhcp-hosts"
GUARD = "etc/diskless/guard.nft"
TFTP_ROOT = "run/diskless/tftp"
# By unit: the file in which the role boot_server puts the exports of the hosts.
NFS_SERVERS = {
    "nfs-ganesha.service": "etc/ganesha/diskless-exports.conf",
    "nfs-server.service": "etc/exports.d/diskless.exports",
}
ETAB = "var/lib/nfs/etab"  # what the kernel's NFS server goes by


@dataclass(frozen=True)
class Machine:
    """A host as the boot server knows it."""

    name: str
    mac: str
    address: str


def is_admitted(machine: Machine, dhcp_hosts: str, guard: str) -> bool:
    """Tell whether DHCP answers the host, and the packet filter lets its TFTP requests in.

    dhcp_hosts: what dnsmasq knows, by lines. guard: the packet filter's rules.
    """
    known = f"{machine.mac},{machine.address},{machine.name}" in dhcp_hosts.split()
    pair = rf"^\s*{re.escape(machine.mac)} \. {re.escape(machine.address)}\b"
    return known and re.search(pair, guard, re.MULTILINE) is not None


def is_exported(machine: Machine, configured: Collection[Export], served: Collection[str] | None) -> bool:
    """Tell whether the host gets its boot tree by NFS.

    configured: what the NFS server was told. served: paths that it says it exports; None if it does not say.
    """
    return any(
        export.pseudo == f"/boot/{machine.name}"
        and export.client == machine.address
        and (served is None or export.path in served)
        for export in configured
    )


def is_linked(machine: Machine, loader: str, views: Mapping[str, str], directory: Path, root: Path) -> bool:
    """Tell whether TFTP shows the host its boot tree and its loader, and nothing else.

    views: links to the tree, by name. directory: that of the boot server's data. root: where C(run) is.
    """
    view = machine.mac.replace(":", "-")
    loaders = {name: str(directory / "loader" / name) for name in LOADERS[loader]}
    try:
        tftp = os.open(directory / "tftp", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            state = read_view(tftp, view)
        finally:
            os.close(tftp)
        shown = os.readlink(root / TFTP_ROOT / machine.address)
    except OSError:
        return False
    change, in_the_way = view_change(view, machine.name, {**views, **loaders}, state)
    # Those for UEFI may come later; a machine that boots by BIOS does without.
    there = all(Path(path).is_file() for path in list(loaders.values())[:1])
    return not change.changed and not in_the_way and there and shown == str(directory / "tftp" / view)


def configured_exports(unit: str, root: Path) -> set[Export]:
    """Return what the NFS server of this unit was told to export."""
    text = text_of(root / NFS_SERVERS[unit])
    return kernel_exports(text) if unit == "nfs-server.service" else ganesha_exports(text)


def nfs_server(active: Collection[str], root: Path) -> str | None:
    """Return the unit of the NFS server that the role has set up: of two, the one that runs or was set up last."""
    times = {}
    for unit, path in NFS_SERVERS.items():
        try:
            times[unit] = (unit in active, (root / path).stat().st_mtime)
        except OSError:
            continue
    return max(times, key=lambda unit: times[unit]) if times else None


def text_of(path: Path) -> str:
    """Return the text of a file, and nothing if there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
