# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What messages of the kernel and of systemd mean by themselves. The messages are as their sources print them."""

from __future__ import annotations

import pytest
from bootlog.kernel_signs import SIGNS, STAGE_SIGN_PREFIXES, sign, stage_sign


@pytest.mark.parametrize(
    ("text", "reason", "severity"),
    [
        ("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "panic", "fatal"),
        ("VFS: Cannot open root device \"rbd0\" or unknown-block(0,0): error -6", "no-root", "fatal"),
        ("Run /init as init process failed: No working init found.  Try passing init= option", "no-init", "fatal"),
        ("Initramfs unpacking failed: invalid magic at start of compressed archive", "bad-initramfs", "error"),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000008", "kernel-bug", "error"),
        ("Oops: 0002 [#1] PREEMPT SMP NOPTI", "kernel-bug", "error"),
        ("EXT4-fs error (device rbd0): ext4_lookup:1857: inode #2: comm ls: iget: bad", "damaged-root", "fatal"),
        ("EXT4-fs (rbd0): VFS: Can't find ext4 filesystem", "damaged-root", "error"),
        ("EXT4-fs (rbd0): Remounting filesystem read-only", "read-only", "fatal"),
        ("XFS (rbd0): Metadata corruption detected at xfs_agi_verify+0x12a/0x180", "damaged-root", "fatal"),
        ("I/O error, dev rbd0, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2", "io-error", "error"),
        ("rbd: rbd0: write at objno 3 0~4096 result -108", "io-error", "error"),
        ("INFO: task jbd2/rbd0-8:300 blocked for more than 120 seconds.", "hung-task", "error"),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:1:41]", "lockup", "error"),
        ("rcu: INFO: rcu_preempt self-detected stall on CPU", "lockup", "error"),
        ("Out of memory: Killed process 712 (python3) total-vm:1kB", "out-of-memory", "error"),
        ("systemd[1]: Failed to mount srv.mount - /srv.", "unit-failed", "error"),
        ("systemd[1]: Dependency failed for local-fs.target - Local File Systems.", "unit-failed", "error"),
        ("systemd[1]: Reached target emergency.target - Emergency Mode.", "emergency-mode", "fatal"),
        ("systemd[1]: Freezing execution.", "init-frozen", "fatal"),
    ],
)  # fmt: skip
def test_sign(text: str, reason: str, severity: str) -> None:
    found = sign(text)
    assert found is not None
    assert (found.reason, found.severity) == (reason, severity)


@pytest.mark.parametrize(
    "text",
    [
        "EXT4-fs (rbd0): mounted filesystem with ordered data mode. Quota mode: none.",
        "XFS (rbd0): Ending clean mount",
        "BTRFS info (device rbd0): using crc32c",
        "rbd: rbd0: capacity 34359738368 features 0x3d",
        "systemd[1]: Reached target basic.target - Basic System.",
        "nginx: Failed to start the engine",
        "usb 1-1: device descriptor read/64, error -71",
    ],
)
def test_ordinary_message_is_no_sign(text: str) -> None:
    assert sign(text) is None


def test_every_sign_says_what_it_means() -> None:
    for each in SIGNS:
        assert each.meaning
        assert " " not in each.reason


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("systemd[1]: systemd 252.30-1~deb12u2 running in system mode (+PAM +AUDIT)", "userspace"),
        ("systemd-shutdown[1]: Syncing filesystems and block devices.", "shutdown"),
        ("reboot: Restarting system", "shutdown"),
        ("reboot: Power down", "shutdown"),
        ("systemd[1]: Reached target basic.target - Basic System.", None),
    ],
)
def test_stage_that_a_message_shows(text: str, stage: str | None) -> None:
    assert stage_sign(text) == stage
    assert text.startswith(STAGE_SIGN_PREFIXES)
