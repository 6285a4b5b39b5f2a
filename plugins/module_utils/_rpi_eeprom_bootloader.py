# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel knows of a Pi's bootloader, without the vendor's tools: its configuration and its version."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

DEVICE_TREE = Path("/sys/firmware/devicetree/base")
NVMEM = Path("/sys/bus/nvmem/devices")

_IMAGE_TIME = re.compile(rb"BUILD_TIMESTAMP=(\d+)")
_IMAGE_VERSION = re.compile(rb"VERSION:([0-9a-f]+)")


def read_config(device_tree: Path = DEVICE_TREE, nvmem: Path = NVMEM) -> str | None:
    """Return the configuration that the firmware left in reserved memory, or None where the kernel shows none.

    The alias ``blconfig`` of the device tree names the memory; the kernel's module nvmem-rmem makes a device of it.
    """
    try:
        alias = (device_tree / "aliases" / "blconfig").read_bytes().decode().strip("\0")
        node = (device_tree / alias.lstrip("/")).resolve()
        device = next((one for one in sorted(nvmem.glob("*")) if (one / "of_node").resolve() == node), None)
        return None if device is None else (device / "nvmem").read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def version(device_tree: Path = DEVICE_TREE) -> dict[str, Any]:
    """Return version and time of the bootloader that this board has booted with; None where it is not known."""
    properties = device_tree / "chosen" / "bootloader"
    text = _read(properties / "version").decode(errors="replace").strip("\0")
    return _described(text, int.from_bytes(_read(properties / "build-timestamp"), "big"))


def version_of_image(image: str) -> dict[str, Any]:
    """Return version and time of the bootloader in an image; None where it is not known."""
    data = Path(image).read_bytes()
    text, time = _IMAGE_VERSION.search(data), _IMAGE_TIME.search(data)
    return _described(text.group(1).decode() if text else "", int(time.group(1)) if time else 0)


def _described(text: str, timestamp: int) -> dict[str, Any]:
    time = datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if timestamp else None
    return {"version": text or None, "build_time": time, "build_timestamp": timestamp or None}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
