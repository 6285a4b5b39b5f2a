# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Ceph this kernel has mounted and mapped, from /proc/mounts and the sysfs of rbd. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Mapping

FSID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# The device of a mount: user@fsid.filesystem=/path, or in the older syntax monitors:/path
_NEW_DEVICE = re.compile(rf"[^@]*@({FSID})\.[^=]*=")
_RBD_BLOCK = re.compile(r"/dev/(rbd\d+)(?:p\d+)?$")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A CephFS mount; ``fsid`` is None where the mount syntax does not tell it; monitors as ip:port."""

    path: str
    fsid: str | None
    monitors: frozenset[str]


@dataclass(frozen=True)
class Device:
    """A mapped RBD image: ``name`` is rbd0, ``image`` its image spec; ``mounts`` are the file systems on it."""

    name: str
    image: str
    fsid: str | None
    client: str | None
    mounts: tuple[str, ...]


def parse_mounts(text: str) -> list[Mount]:
    """Return the CephFS mounts of the kernel client in /proc/mounts."""
    found = []
    for device, path, kind, options in _mounts(text):
        if kind != "ceph":
            continue
        new = _NEW_DEVICE.match(device)
        monitors = _option(options, "mon_addr").split("/") if new else device.rpartition(":/")[0].split(",")
        found.append(Mount(path, new.group(1) if new else None, frozenset(filter(None, monitors))))
    return found


def parse_devices(attributes: Mapping[str, Mapping[str, str]], mounts: str) -> list[Device]:
    """Return the mapped images: ``attributes`` are the sysfs files of each, by device name; ``mounts`` /proc/mounts."""
    by_device: dict[str, list[str]] = {}
    for device, path, *_rest in _mounts(mounts):
        block = _RBD_BLOCK.match(device)
        if block:
            by_device.setdefault(block.group(1), []).append(path)
    return [
        Device(
            name=name,
            image="/".join(filter(None, (files.get("pool"), files.get("pool_ns"), files.get("name")))),
            fsid=files.get("cluster_fsid") or None,
            client=files.get("client_id", "").replace("client", "") or None,
            mounts=tuple(sorted(by_device.get(name, ()))),
        )
        for name, files in sorted(attributes.items())
    ]


def _mounts(text: str) -> Iterable[list[str]]:
    lines = (line.split(" ") for line in text.splitlines())
    return ([_OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), word) for word in line[:4]] for line in lines)


def _option(options: str, name: str) -> str:
    return next(
        (value for key, _equals, value in (part.partition("=") for part in options.split(",")) if key == name), ""
    )
