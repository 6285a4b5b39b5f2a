# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the file system on an image that nobody uses: may it be done, and what did e2fsck say. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image

FILE_SYSTEMS = ("ext2", "ext3", "ext4")
# What e2fsck may do: nothing, what is safe without asking, everything.
REPAIR_OPTIONS = {"none": "-n", "safe": "-p", "all": "-y"}
EXCLUSIVE_LOCK = "exclusive-lock"

# Bits of the exit status, e2fsck(8).
_CORRECTED, _REBOOT, _UNCORRECTED = 1, 2, 4
_RECOVERED = re.compile(r"recovering journal", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """What e2fsck found.

    corrected: whether it has written to the file system, be it the journal alone.
    problem: why the file system is not clean now; None if it is.
    """

    corrected: bool
    problem: str | None


def users_problem(image: Image) -> str | None:
    """Return who uses an image, and so why it must not be mapped for a check; None if nobody does."""
    if image.watchers:
        watchers = ", ".join(str(watcher) for watcher in image.watchers)
        return f"image {image.name} is in use, watched by {watchers}: stop that client first"
    if image.lock is not None:
        return f"image {image.name} is locked by {image.lock}: break that lock first, with diskless.ceph.rbd_lock"
    return None


def map_words(image: Image, device_type: str, repair: str) -> tuple[str, ...]:
    """Return the words after ``rbd`` that map the image.

    ``exclusive`` keeps the lock from being handed over to whoever asks for it: a host that is switched on meanwhile
    cannot write. A read-only mapping takes no lock.
    """
    options: tuple[str, ...] = ()
    if repair == "none":
        options = ("--read-only",)
    elif EXCLUSIVE_LOCK in image.features:
        options = ("--exclusive",)
    return ("device", "map", "--device-type", device_type, *options, str(image.name))


def file_system_problem(image: Image, found: str) -> str | None:
    """Return why what blkid found on the image cannot be checked."""
    if found in FILE_SYSTEMS:
        return None
    return f"image {image.name} holds {found or 'nothing that blkid knows'}; expected one of {', '.join(FILE_SYSTEMS)}"


def verdict(rc: int, output: str, repair: str, image: Image, timeout_seconds: int) -> Verdict:
    """Return what exit status and output of e2fsck mean; ``rc`` 124 and 137 are those of timeout(1)."""
    if rc in (124, 137):
        return Verdict(False, f"e2fsck of image {image.name} was ended after {timeout_seconds} s: raise timeout")
    corrected = repair != "none" and bool(rc & (_CORRECTED | _REBOOT) or _RECOVERED.search(output))
    if rc & ~(_CORRECTED | _REBOOT | _UNCORRECTED):
        return Verdict(corrected, f"e2fsck of image {image.name} failed with rc {rc}")
    if rc & _UNCORRECTED:
        remedy = {
            "none": "check it again with repair=safe",
            "safe": "it needs decisions: look at the output, take a snapshot, and check it again with repair=all",
            "all": "check it again; if that changes nothing, go back to a snapshot",
        }[repair]
        return Verdict(corrected, f"the file system on image {image.name} has errors: {remedy}")
    return Verdict(corrected, None)
