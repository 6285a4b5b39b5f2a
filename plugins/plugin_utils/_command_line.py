# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel command line, which is the same whatever loader hands it over."""

from __future__ import annotations

from collections.abc import Iterable

REBOOT_SECONDS = 10
# COMMAND_LINE_SIZE is 2048 on x86 and arm64, and the kernel ignores what is beyond. The rest is left to what loaders
# add: the path of the kernel (GRUB), settings of the board (firmware of the Pi).
LONGEST = 1536


def command_line(console: Iterable[str], options: Iterable[str]) -> list[str]:
    """The words of the command line; none of them holds whitespace or a quote."""
    return [
        "root=/dev/diskless/root",
        "rootfstype=ext4",
        "ro",
        *(f"console={name}" for name in console),
        f"panic={REBOOT_SECONDS}",
        *options,
    ]
