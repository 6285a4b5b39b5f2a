# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the kernel log of this host, and what of Ceph its kernel has mounted and mapped."""

from __future__ import annotations

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import (
    Device,
    Mount,
    parse_devices,
    parse_mounts,
)
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import KernelLine, parse_dmesg, parse_journal

_RBD_DEVICES = Path("/sys/bus/rbd/devices")
_RBD_ATTRIBUTES = ("pool", "pool_ns", "name", "cluster_fsid", "client_id")
_JOURNAL_FIELDS = "MESSAGE,_BOOT_ID,_SOURCE_MONOTONIC_TIMESTAMP"


class LogUnreadable(Exception):
    """There is no kernel log that this user may read."""


def read_journal(module: AnsibleModule, boots: int) -> list[KernelLine]:
    """Read the last boots from the journal, the oldest first; nothing where there is no journal."""
    journalctl = module.get_bin_path("journalctl")
    found: list[list[KernelLine]] = []
    while journalctl and len(found) < boots:
        boot = f"--boot=-{len(found)}" if found else "--boot=0"
        command = [journalctl, "--dmesg", boot, "--output=json", f"--output-fields={_JOURNAL_FIELDS}", "--no-pager"]
        rc, stdout, _stderr = module.run_command([*command, "--quiet"], environ_update={"LC_ALL": "C"})
        lines = parse_journal(stdout) if rc == 0 else []
        if not lines:
            break
        found.append(lines)
    return [line for lines in reversed(found) for line in lines]


def read_dmesg(module: AnsibleModule) -> list[KernelLine]:
    """Read the kernel's own buffer."""
    dmesg = module.get_bin_path("dmesg")
    remedy = "run the task as root (become: true), or name a log file with path"
    if dmesg is None:
        raise LogUnreadable(f"the journal has no kernel log, and there is no dmesg: {remedy}")
    rc, stdout, stderr = module.run_command([dmesg], environ_update={"LC_ALL": "C"})
    if rc != 0:
        raise LogUnreadable(f"the journal has no kernel log, and dmesg failed: {stderr.strip()}: {remedy}")
    return parse_dmesg(stdout, time.time() - time.clock_gettime(time.CLOCK_MONOTONIC))


def read_clients() -> tuple[list[Mount], list[Device]]:
    """Return what of Ceph this kernel has mounted and mapped."""
    mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    attributes = {f"rbd{device.name}": _read_attributes(device) for device in sorted(_RBD_DEVICES.glob("*"))}
    return parse_mounts(mounts), parse_devices(attributes, mounts)


def _read_attributes(device: Path) -> dict[str, str]:
    found = {}
    for name in _RBD_ATTRIBUTES:
        try:
            found[name] = (device / name).read_text(encoding="utf-8").strip()
        except OSError:  # older kernels do not have all of them; the device may be unmapped at this moment
            continue
    return found
