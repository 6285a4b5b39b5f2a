# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the kernel, and of systemd through the kernel's log, that say by themselves how a boot goes on."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple


class Sign(NamedTuple):
    """What a message means."""

    words: str  # what the message contains; looked for first, because that is fast
    severity: Literal["fatal", "error"]  # fatal: this system does not go on. error: may be why a boot does not
    reason: str  # one word
    meaning: str
    pattern: str = ""  # regular expression that must be found as well


SIGNS = (
    Sign("Kernel panic - not syncing", "fatal", "panic", "the kernel has given up"),
    Sign("VFS: Unable to mount root", "fatal", "no-root", "no root file system"),
    Sign("VFS: Cannot open root device", "fatal", "no-root", "no root file system"),
    Sign("No working init found", "fatal", "no-init", "the root file system has no program to start"),
    Sign("Requested init ", "fatal", "no-init", "the root file system has no program to start",
         r"^Requested init \S+ failed"),
    Sign("Initramfs unpacking failed", "error", "bad-initramfs", "initramfs or host.cpio is damaged or incomplete"),
    Sign("BUG: ", "error", "kernel-bug", "a fault in the kernel or a driver", r"^BUG: "),
    Sign("kernel BUG at ", "error", "kernel-bug", "a fault in the kernel or a driver"),
    Sign("Oops", "error", "kernel-bug", "a fault in the kernel or a driver", r"^Oops[: ]|^Internal error: Oops"),
    Sign("EXT4-fs error", "fatal", "damaged-root", "the file system is damaged"),
    Sign("EXT4-fs (", "error", "damaged-root", "there is no usable file system",
         r"VFS: Can't find ext4|bad geometry|unable to read superblock"),
    Sign("XFS (", "fatal", "damaged-root", "the file system is damaged", r"orruption|Internal error"),
    Sign("BTRFS ", "error", "damaged-root", "the file system is damaged", r"BTRFS (?:error|critical)"),
    Sign("Remounting filesystem read-only", "fatal", "read-only", "errors have made the file system read-only"),
    Sign("error, dev rbd", "error", "io-error", "Ceph did not carry out a read or write"),
    Sign("rbd: rbd", "error", "io-error", "Ceph did not carry out a read or write", r"result -\d"),
    Sign("blocklisted", "fatal", "blocklisted", "Ceph has locked this client out", r"^(?:rbd|libceph): "),
    Sign("blacklisted", "fatal", "blocklisted", "Ceph has locked this client out", r"^(?:rbd|libceph): "),
    Sign("blocked for more than ", "error", "hung-task", "a program waits for a disk or a lock that does not answer"),
    Sign("soft lockup - CPU#", "error", "lockup", "a processor does not get on"),
    Sign("hard LOCKUP", "error", "lockup", "a processor does not get on"),
    Sign("rcu: INFO: ", "error", "lockup", "a processor does not get on", r"detected (?:expedited )?stalls?"),
    Sign("Out of memory: Killed process", "error", "out-of-memory", "there is not enough memory"),
    Sign("Dependency failed for ", "error", "unit-failed", "systemd could not start a unit", r"^systemd\[1\]"),
    Sign("Failed to ", "error", "unit-failed", "systemd could not start a unit",
         r"^systemd\[1\]: Failed to (?:start|mount) "),
    Sign("You are in emergency mode", "fatal", "emergency-mode", "systemd has given up the boot"),
    Sign("Reached target ", "fatal", "emergency-mode", "systemd has given up the boot", r"[Ee]mergency Mode"),
    Sign("reezing execution", "fatal", "init-frozen", "systemd has given up", r"^systemd"),
)  # fmt: skip

_CHECKS = tuple((sign, sign.words, re.compile(sign.pattern).search if sign.pattern else None) for sign in SIGNS)

STAGE_SIGNS = (
    (re.compile(r"systemd\[1\]: systemd .* running in system mode"), "userspace"),
    (re.compile(r"systemd-shutdown\[1\]: "), "shutdown"),
    (re.compile(r"reboot: (?:Restarting system|Power [Dd]own|System halted|machine restart)"), "shutdown"),
)
STAGE_SIGN_PREFIXES = ("systemd", "reboot: ")  # which all of them begin with, so that most lines need no search


def sign(text: str) -> Sign | None:
    """Return what a message means by itself; None for most messages."""
    for known, words, search in _CHECKS:
        if words in text and (search is None or search(text)):
            return known
    return None


def stage_sign(text: str) -> str | None:
    """Return the boot stage that a message shows to have been reached."""
    for pattern, stage in STAGE_SIGNS:
        if pattern.match(text):
            return stage
    return None
