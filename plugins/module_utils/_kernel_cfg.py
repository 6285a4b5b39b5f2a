# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel.cfg: the part of grub.cfg in which a host's operating system names the kernel and initramfs to boot."""

from __future__ import annotations

import re
from typing import Collection

KERNEL_CFG = "kernel.cfg"

_SETTING = re.compile(r"^set (kernel|initrd)=(\S+)$", re.MULTILINE)


def settings(text: str) -> dict[str, str]:
    """Return what it sets of C(kernel) and C(initrd)."""
    return dict(_SETTING.findall(text))


def problems(text: str, there: Collection[str]) -> list[str]:
    """Return why GRUB would boot nothing by it. there: names of the files in the tree."""
    found = settings(text)
    return [
        f"{KERNEL_CFG} sets {setting} to {found.get(setting)}, which is not there"
        for setting in ("kernel", "initrd")
        if found.get(setting) not in there
    ]
