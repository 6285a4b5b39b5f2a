# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what a machine has before the site playbook works on it: preflight_machine.py ASKED DIRECTORY [PORT...].

ASKED is the time of whoever asks, in seconds since 1970; DIRECTORY that of boot trees, which need not be there;
PORT a number. Prints JSON: ``asked``; ``clock``, the time here; ``uid``; ``addresses``, a list; ``units``, the state of
each; ``ports``, who listens there; ``nfsd``, whether the kernel can serve NFS; ``exports``, lines of /etc/exports;
``free``, bytes for DIRECTORY; ``trees``, the names of boot trees. What cannot be found out is null. It changes nothing.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

SECONDS = 10
PROC = Path("/proc")
EXPORTS = Path("/etc/exports")
UNITS = (
    *("diskless-dnsmasq.service", "nfs-ganesha.service", "nfs-server.service"),
    *("diskless-bootlog-netconsole.socket", "diskless-bootlog-events.socket", "diskless-bootlog-page.service"),
)
LISTENING = "0A"  # TCP_LISTEN of include/net/tcp_states.h
STATE, INODE = 3, 9  # columns of /proc/net/tcp and its like
NAME_LENGTH = 40


def output(*command: str) -> tuple[int, str] | None:
    """Return the exit status of a command and what it printed; None if it cannot be run, or does not end."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=SECONDS)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.returncode, done.stdout


def addresses() -> list[str] | None:
    """Return the machine's addresses, but for those that every machine has."""
    said = output("ip", "-json", "address", "show")
    try:
        cards = json.loads(said[1]) if said else None
        found = [each["local"] for card in cards for each in card.get("addr_info", ()) if "local" in each]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def units() -> dict[str, str] | None:
    """Return the states of the units that listen."""
    said = output("systemctl", "is-active", *UNITS)
    states = said[1].split() if said else []
    return dict(zip(UNITS, states)) if len(states) == len(UNITS) else None


def has_nfsd() -> bool | None:
    """Return whether the kernel can serve NFS. A container cannot load modules, whatever its kernel has."""
    container = output("systemd-detect-virt", "--container", "--quiet")
    module = output("modprobe", "--dry-run", "--quiet", "nfsd")
    if container is not None and container[0] == 0:
        return False
    return None if module is None or container is None else module[0] == 0


def exports() -> list[str] | None:
    """Return the exports that somebody has written by hand."""
    try:
        lines = [line.strip() for line in EXPORTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    except FileNotFoundError:
        return []
    except OSError:
        return None
    return [line for line in lines if line and not line.startswith("#")]


def room(directory: Path) -> int | None:
    """Return how many bytes a directory may still take, or the one in which it will be."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        found = os.statvfs(there)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def trees(directory: Path) -> list[str] | None:
    """Return the names of the boot trees that are there."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError:
        return None


def address_of(text: str) -> str:
    """Return the address that /proc/net has in words of four bytes, each in the order of the processor."""
    words = [text[first : first + 8] for first in range(0, len(text), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def sockets(wanted: set[int]) -> Iterator[tuple[str, str, int, str]]:
    """Yield protocol, address, port and inode of each socket that listens on one of these ports."""
    for protocol in ("udp", "tcp"):
        for family in ("", "6"):
            try:
                lines = (PROC / "net" / f"{protocol}{family}").read_text(encoding="ascii").splitlines()[1:]
            except FileNotFoundError:
                continue
            for line in lines:
                fields = line.split()
                address, _colon, port = fields[1].partition(":")
                if int(port, 16) in wanted and (protocol == "udp" or fields[STATE] == LISTENING):
                    yield protocol, address_of(address), int(port, 16), fields[INODE]


def owners(inodes: set[str]) -> dict[str, str]:
    """Return the names of the processes that have these sockets, as far as this one may see."""
    found: dict[str, str] = {}
    links = {f"socket:[{inode}]": inode for inode in inodes}
    for process in PROC.glob("[0-9]*"):
        try:
            held = {os.readlink(path) for path in (process / "fd").iterdir()}
            name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        found.update({links[link]: name[:NAME_LENGTH] for link in held.intersection(links)})
    return found


def ports(wanted: set[int]) -> list[dict[str, Any]] | None:
    """Return who listens on these ports."""
    try:
        found = sorted(set(sockets(wanted)))
    except (IndexError, OSError, ValueError):
        return None
    names = owners({inode for *_socket, inode in found}) if found else {}
    return [
        {"protocol": protocol, "address": address, "port": port, "owner": names.get(inode)}
        for protocol, address, port, inode in found
    ]


def main(asked: str, directory: str, *wanted: str) -> None:
    """Print what there is."""
    clock = time.time()
    told = {
        **{"asked": float(asked), "clock": clock, "uid": os.geteuid(), "addresses": addresses(), "units": units()},
        **{"ports": ports({int(port) for port in wanted}), "nfsd": has_nfsd(), "exports": exports()},
        **{"free": room(Path(directory)), "trees": trees(Path(directory) / "boot")},
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
