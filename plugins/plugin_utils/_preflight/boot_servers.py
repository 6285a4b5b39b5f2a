# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Can the boot servers serve the hosts that the inventory gives them?"""

from __future__ import annotations

from collections.abc import Iterable

from .fleet import Fleet, Machine
from .problem import NotKnown, Problem, Said

_NFS = ("auto", "kernel", "ganesha", "ganesha_cephfs")
_ETHERNET = 1500
# By loader: kernel, initramfs and firmware, 17 MB for a PC and 43 MB for a Raspberry Pi, with some room.
_TREE_BYTES = {"grub": 24 << 20, "pi": 64 << 20}


def served(fleet: Fleet) -> Iterable[Said]:
    """Each host has a boot server, and each boot server is one to its hosts."""
    for host in fleet.hosts:
        if fleet.groups["boot_servers"] and not fleet.servers_of(host):
            yield Problem(
                "host-without-boot-server",
                "No boot server serves the host.",
                (f"diskless_boot_server: {host.boot_server}",),
                "the diskless_boot_server of one of the group boot_servers",
                "Correct diskless_boot_server of the host, or of the boot server that is to serve it.",
                host=host.name,
            )
    for name in fleet.groups["boot_servers"]:
        addresses = sorted({host.boot_server for host in fleet.served_by(name)})
        if len(addresses) != 1:
            yield Problem(
                "boot-server-of-several",
                "The hosts of a boot server name several addresses as theirs."
                if addresses
                else "A boot server has no hosts.",
                (f"diskless_boot_server of its hosts: {', '.join(addresses) or 'none'}",),
                "one address",
                "Set diskless_boot_server of the boot server itself: it serves the hosts that have the same.",
                machine=name,
            )


def own_address(fleet: Fleet) -> Iterable[Said]:
    """Hosts are told to ask this address, and dnsmasq listens at no other."""
    for machine in fleet.group("boot_servers"):
        wanted = {host.boot_server for host in fleet.served_by(machine.name)}
        if machine.addresses is None or len(wanted) != 1:
            if wanted:
                yield NotKnown(
                    "boot-server-address", f"{machine.name} does not tell its addresses, or has several hosts'"
                )
            continue
        address = wanted.pop()
        members = [str(member) for member in fleet.setting(machine.name, "members") or ()]
        if members:
            yield from _takes_turns(fleet, machine, address, members)
        elif address not in machine.addresses:
            yield Problem(
                "boot-server-address",
                "The boot server does not have the address that its hosts will ask.",
                (f"diskless_boot_server: {address}", f"addresses of {machine.name}: {', '.join(machine.addresses)}"),
                f"{address} on {machine.name}",
                "Give it the address on the boot network, or correct diskless_boot_server.",
                fleet.commands().on(machine.name, "ip", "address"),
                machine=machine.name,
            )


def _takes_turns(fleet: Fleet, machine: Machine, address: str, members: list[str]) -> Iterable[Said]:
    own = [member for member in members if member in (machine.addresses or ())]
    kind = str(fleet.setting(machine.name, "nfs"))
    if len(own) != 1 or address in members or len(members) < 2 or kind != "ganesha_cephfs":  # noqa: PLR2004
        yield Problem(
            "boot-server-members",
            "Boot servers cannot take turns as the inventory has it.",
            (
                f"boot_server_members: {', '.join(members)}, of which it has {', '.join(own) or 'none'}",
                f"diskless_boot_server: {address}",
                f"boot_server_nfs: {kind}",
            ),
            "addresses of two or more machines, one its own, none diskless_boot_server, and ganesha_cephfs",
            "Correct boot_server_members, diskless_boot_server or boot_server_nfs.",
            fleet.commands().on(machine.name, "ip", "address"),
            machine=machine.name,
        )


def nfs(fleet: Fleet) -> Iterable[Said]:
    """The server that the role will choose has to be one that this machine can run."""
    for machine in fleet.group("boot_servers"):
        told = machine.told or {}
        kind, has = str(fleet.setting(machine.name, "nfs")), told.get("nfsd")
        by_kernel = kind == "kernel" or (kind == "auto" and has is True)
        exports = told.get("exports")
        if kind not in _NFS:
            text, found, expected = "There is no such NFS server.", f"boot_server_nfs: {kind}", ", ".join(_NFS)
        elif kind == "kernel" and has is False:
            text, found = "The kernel of the boot server has no NFS server.", "boot_server_nfs: kernel"
            expected = "the module nfsd, and no container"
        elif by_kernel and exports:
            text = "The boot server exports something else already, and the kernel's NFS server has one root for all."
            found, expected = f"/etc/exports: {exports[0]}", "no exports but those of boot trees"
        else:
            if has is None and kind in ("auto", "kernel"):
                yield NotKnown("nfs-server", f"{machine.name} does not tell whether its kernel has an NFS server")
            continue
        yield Problem(
            "nfs-server",
            text,
            (found,),
            expected,
            "Set boot_server_nfs: ganesha, or let another machine do this.",
            machine=machine.name,
        )


def space(fleet: Fleet) -> Iterable[Said]:
    """Where the boot trees will be, but for those in CephFS."""
    for machine in fleet.group("boot_servers"):
        if fleet.setting(machine.name, "nfs") == "ganesha_cephfs":
            continue
        free, trees = (machine.told or {}).get("free"), (machine.told or {}).get("trees")
        if not isinstance(free, int) or not isinstance(trees, list):
            yield NotKnown("boot-server-space", f"{machine.name} does not tell how much room there is for boot trees")
            continue
        hosts = fleet.served_by(machine.name)
        missing = [host for host in hosts if host.name not in trees]
        # And the archive that they are seeded from, one for each architecture.
        archives = {host.arch: host for host in missing}
        needed = sum(_TREE_BYTES[host.loader] for host in (*missing, *archives.values()))
        if free < needed:
            yield Problem(
                "boot-server-space",
                "The boot server has too little room for boot trees.",
                (f"{free >> 20} MiB free for {fleet.setting(machine.name, 'root')}",),
                f"{needed >> 20} MiB for {len(missing)} boot trees and {len(archives)} archives to fill them from",
                "Make room, or set boot_server_root and boot_tree_root to a larger file system.",
                fleet.commands().on(machine.name, "df", "--human-readable", str(fleet.setting(machine.name, "root"))),
                machine=machine.name,
            )


def mtu(fleet: Fleet) -> Iterable[Said]:
    """A host starts with what Ethernet has, and nobody tells it another."""
    for machine in fleet.group("boot_servers"):
        for network, bytes_ in fleet.mtu(machine.name).items():
            if isinstance(bytes_, int) and bytes_ != _ETHERNET:
                yield Problem(
                    "mtu-not-ethernet",
                    "The boot server's card in the boot network has another MTU than hosts have when they boot.",
                    (f"{network}: {bytes_} bytes",),
                    f"{_ETHERNET} bytes",
                    "Give all machines and switches of the boot network the same MTU; tell each host a larger one.",
                    fleet.commands().on(machine.name, "ip", "link", "show"),
                    machine=machine.name,
                    stops=bytes_ < _ETHERNET,
                )


CHECKS = (served, own_address, nfs, space, mtu)
