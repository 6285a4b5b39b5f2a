#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell how a diskless host is that can be reached."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Tell how a running diskless host is, from which image, and as which client of Ceph
version_added: 0.1.0
description:
  - Runs on a diskless host and returns what tells whether it is well, and which boot, image and client instance it is.
  - It never waits for a mount whose server is gone. It touches none, and what may wait all the same, such as a program
    on a root that no longer answers, is given ten seconds in a process of its own. What did not answer is null, or
    V(unknown), with a warning.
  - It works on other machines as well; what they do not have is null.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
options: {}
seealso:
  - module: diskless.ceph.boot_tree_info
  - module: diskless.ceph.kernel_log_info
  - module: diskless.ceph.rbd_lock_info
"""

EXAMPLES = r"""
- name: Host is asked how it is
  diskless.ceph.host_info:
  register: host

- name: Host is well
  ansible.builtin.assert:
    that:
      - host.state == 'running'
      - host.boot_mounted
      - host.exitrd
      - not host.root.read_only
    fail_msg: "{{ inventory_hostname }} is {{ host.state }}, failed: {{ host.failed_units | join(', ') }}"
"""

RETURN = r"""
reachable:
  description: V(true), since it has answered.
  returned: success
  type: bool
  sample: true
boot_id:
  description: What tells this boot from all others, as the kernel gives it.
  returned: success
  type: str
  sample: 4b5fd6a6-7d4e-4f9c-a22a-08f9dd0ecb1c
uptime:
  description: Seconds since the kernel started.
  returned: success
  type: float
  sample: 3601.12
clock:
  description: The host's clock, seconds since 1970 in UTC.
  returned: success
  type: float
  sample: 1763715801.328
kernel:
  description: Release of the kernel that runs.
  returned: success
  type: str
  sample: 6.1.0-56-amd64
root:
  description: Where the root file system is; null if the kernel did not answer.
  returned: success
  type: dict
  contains:
    device:
      description: The mapped RBD image, or whatever else the root file system is on.
      type: str
    read_only:
      description: Whether the root is mounted read-only, which it is after an error.
      type: bool
    pool:
      description: Pool of the image; null where the root is on none.
      type: str
    namespace:
      description: RBD namespace of the image; empty for the default one.
      type: str
    image:
      description: Name of the image.
      type: str
    fsid:
      description: Id of the cluster.
      type: str
    client:
      description: The client instance that has mapped it, as in Ceph's list of watchers and in the OSD blocklist.
      type: str
    client_id:
      description: Name of the client, as in the lock of the image.
      type: str
  sample:
    client: 10.77.0.11:0/2711312945
    client_id: client.4170
    device: /dev/rbd0
    fsid: 4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11
    image: root
    namespace: udoo1
    pool: diskless
    read_only: false
boot_mounted:
  description:
    - Whether C(/boot) is mounted by NFS, and so is the boot tree. Not whether the server answers.
    - Without it a new kernel would not be what boots next.
  returned: success
  type: bool
  sample: true
state:
  description:
    - What systemd says of the whole, such as V(running), V(degraded) with failed units, or V(starting).
    - V(unknown) if it did not answer.
  returned: success
  type: str
  sample: running
failed_units:
  description: Units of systemd that have failed; null if it did not answer.
  returned: success
  type: list
  elements: str
  sample: []
exitrd:
  description:
    - Whether C(/run/initramfs/shutdown) can be executed, so that the root image is unmapped at shutdown.
    - Without it the host leaves its lock behind, which the next boot has to break.
  returned: success
  type: bool
  sample: true
mtu:
  description: MTU of the network card that the root comes through; null if the initramfs has not told which it is.
  returned: success
  type: int
  sample: 1500
kernel_log:
  description:
    - What the kernel has logged about its Ceph clients since it started, in the form of
      RV(diskless.ceph.kernel_log_info#module:findings).
    - Null if the log could not be read in time.
  returned: success
  type: list
  elements: dict
  sample: []
"""

import os
import time
from pathlib import Path
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_call import CallFailed, NoAnswer, bounded
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_command import SECONDS, output
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import find_incidents
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_reader import (
    read_clients,
    read_dmesg,
    read_journal,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mountinfo import mounted_at, parse_mountinfo
from ansible_collections.diskless.ceph.plugins.module_utils._root_device import root_device
from ansible_collections.diskless.ceph.plugins.module_utils._systemd_units import FAILED, parse_failed

ROOT = Path("/")
NETWORK = "run/diskless/network"  # the initramfs has written it, in a tmpfs
EXITRD = "run/initramfs/shutdown"


def in_time(module: AnsibleModule, what: str, call: Callable[[], Any]) -> Any:
    """Return what the call returns; None, and a warning, when it fails or takes too long.

    what: a word for it, of 7 letters at most.
    """
    try:
        return bounded(call, SECONDS, f"{what}-{os.getpid()}")
    except (CallFailed, NoAnswer) as error:
        module.warn(f"{what}: {error}")
        return None


def mounts() -> dict[str, Any]:
    """Return what is known of the root and of /boot."""
    found = parse_mountinfo((ROOT / "proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    root, boot = mounted_at(found, "/"), mounted_at(found, "/boot")
    return {
        "root": root_device(root, ROOT / "sys") if root else None,
        "boot_mounted": boot is not None and boot.kind.startswith("nfs"),
    }


def mtu() -> int | None:
    """Return the MTU of the card that the initramfs has brought up."""
    try:
        text = (ROOT / NETWORK).read_text(encoding="utf-8")
    except OSError:
        return None
    names = [line[len("NIC=") :].strip("'\"") for line in text.splitlines() if line.startswith("NIC=")]
    try:
        return int((ROOT / "sys/class/net" / names[0] / "mtu").read_text(encoding="ascii"))
    except (IndexError, OSError):
        return None


def kernel_log(module: AnsibleModule) -> list[dict[str, Any]]:
    """Return what the kernel has logged about its Ceph clients. Raises LogUnreadable."""
    return find_incidents(read_journal(module, 1) or read_dmesg(module), *read_clients())


def system_state(module: AnsibleModule) -> str:
    """Return what systemd says of the whole; it exits with 1 for everything but running."""
    return (output(module, "systemctl", ["is-system-running"], rcs=(0, 1)) or "").strip() or "unknown"


def failed_units(module: AnsibleModule) -> list[str] | None:
    """Return the failed units."""
    said = output(module, "systemctl", FAILED)
    return None if said is None else parse_failed(said)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    found = in_time(module, "mounts", mounts) or {"root": None, "boot_mounted": None}
    module.exit_json(
        changed=False,
        reachable=True,
        boot_id=(ROOT / "proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
        uptime=float((ROOT / "proc/uptime").read_text(encoding="ascii").split()[0]),
        clock=round(time.time(), 3),
        kernel=os.uname().release,
        **found,
        state=system_state(module),
        failed_units=failed_units(module),
        exitrd=in_time(module, "exitrd", lambda: os.access(ROOT / EXITRD, os.X_OK)),
        mtu=in_time(module, "mtu", mtu),
        kernel_log=in_time(module, "log", lambda: kernel_log(module)),
    )


if __name__ == "__main__":
    main()
