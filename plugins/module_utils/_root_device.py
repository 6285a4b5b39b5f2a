# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which RBD image the root file system is on, and as which client the kernel has mapped it.

Source: the kernel's Documentation/ABI/testing/sysfs-bus-rbd. Nothing here reads from a block device or a file system
other than sysfs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._mountinfo import MountPoint

_DEV = "/dev/"
_RBD = re.compile(r"rbd(\d+)(?:p\d+)?")
_DEPTH = 5  # of what is stacked upon the image, such as dm-crypt
_ATTRIBUTES = ("pool", "pool_ns", "name", "cluster_fsid", "client_addr", "client_id")


def root_device(mount: MountPoint, sys: Path) -> dict[str, Any]:
    """Return the device of the root file system with the image that is mapped there.

    sys: where sysfs is mounted. Where the root is on no image, all but C(device) and C(read_only) is None; so is what
    an older kernel does not tell.
    """
    name = _kernel_name(mount, sys)
    number = _rbd_number(name, sys, _DEPTH)
    image = _attributes(sys / "bus/rbd/devices" / number) if number else {}
    client_id = image.get("client_id")
    return {
        "device": f"{_DEV}rbd{number}" if number else f"{_DEV}{name}" if name else mount.source,
        "read_only": mount.read_only,
        "pool": image.get("pool"),
        "namespace": image.get("pool_ns"),
        "image": image.get("name"),
        "fsid": image.get("cluster_fsid"),
        "client": image.get("client_addr"),
        "client_id": client_id.replace("client", "client.", 1) if client_id else None,
    }


def _kernel_name(mount: MountPoint, sys: Path) -> str:
    """What the kernel calls the block device; nothing if it is none."""
    link = sys / "dev/block" / mount.device
    return link.resolve().name if link.exists() else ""


def _rbd_number(name: str, sys: Path, depth: int) -> str | None:
    """The number of the mapped image that a block device is, or lies upon."""
    found = _RBD.fullmatch(name)
    if found:
        return found.group(1)
    if not name or depth == 0:
        return None
    below = sorted(path.name for path in (sys / "class/block" / name / "slaves").glob("*"))
    return next((number for number in (_rbd_number(one, sys, depth - 1) for one in below) if number), None)


def _attributes(device: Path) -> dict[str, str]:
    found = {}
    for name in _ATTRIBUTES:
        try:
            found[name] = (device / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # an older kernel
            continue
    return found
