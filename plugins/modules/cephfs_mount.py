#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detach CephFS mounts whose client is dead."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_mount
short_description: Detach CephFS mounts whose client is dead
version_added: 0.1.0
description:
  - Takes all mounts of a CephFS client instance away at once, even if processes use them and the cluster does not
    answer, and ends the instance, so that no later mount shares it. A plain C(umount -l) does only the first; the
    superblock with its dead client lives on, and the next C(mount) with the same options may get it again.
  - What the instance has not written is lost with that. Where the kernel does not know that the client is blocklisted
    or rejected by the MDS, and so nothing more to lose, it therefore needs O(force=true).
  - It never hangs. What may not return is done in child processes that are left behind if they cannot be ended.
  - Mounts in other namespaces, such as those of containers, stay, and get errors. They keep the superblock alive, and
    with it the local cache of a mount with C(fsc); RV(clients[].holders) names them.
  - It does not mount. Units of systemd do that, such as those of the role P(diskless.ceph.cephfs_mount#role).
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  devices:
    description:
      - The superblocks, as RV(diskless.ceph.cephfs_mount_info#module:clients[].device) names them. At least one.
      - One that is mounted nowhere is done.
    type: list
    elements: str
    required: true
  state:
    description: V(detached) has the superblocks mounted nowhere in this namespace.
    type: str
    choices: [detached]
    default: detached
  force:
    description: Detach mounts of a client that is not known to be dead, and lose what it has not written.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for each superblock, and for the instances to end.
    type: float
    default: 10
seealso:
  - module: diskless.ceph.cephfs_mount_info
  - module: diskless.ceph.mds_session_info
"""

EXAMPLES = r"""
- name: How are the mounts?
  diskless.ceph.cephfs_mount_info:
  register: cephfs

- name: Mounts of blocklisted clients are gone
  diskless.ceph.cephfs_mount:
    devices: "{{ cephfs.clients | selectattr('state', 'eq', 'blocklisted') | map(attribute='device') | select | list }}"
  when: cephfs.affected | length > 0
"""

RETURN = r"""
detached:
  description: The mounts that were taken away, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
    device:
      description: The superblock.
      type: str
    source:
      description: What was mounted.
      type: str
  sample:
    - path: /srv/web
      device: "0:46"
      source: "10.0.0.1:6789:/web"
clients:
  description: The client instances that served them.
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: The superblock.
      type: str
    clients:
      description: The instance; several if it cannot be told which of them it was.
      type: list
      elements: str
    gone:
      description: Whether the kernel has given it up. In check mode, and if it may be one of several, null.
      type: bool
    holders:
      description:
        - The processes and other mount namespaces that used it before, as in
          RV(diskless.ceph.cephfs_mount_info#module:clients[].holders). As long as one of them does, it is not gone.
      type: list
      elements: dict
      contains:
        pid:
          description: The process; of a mount namespace the first one.
          type: int
        name:
          description: Its name.
          type: str
        by:
          description: V(file), V(directory) or V(mount_namespace).
          type: str
  sample:
    - device: "0:46"
      clients: [client.4137]
      gone: false
      holders:
        - pid: 812
          name: nginx
          by: file
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_call import CallFailed, NoAnswer, bounded
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client_reader import DEBUGFS, read_clients
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_detach import detach, in_order, refusals
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_holders import find_holders
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_match import match
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount, parse_mountinfo

PAUSE_SECONDS = 0.2


def read_mounts() -> list[CephfsMount]:
    """Return the CephFS mounts of this namespace."""
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))


def read_holders(mounts: Sequence[CephfsMount], seconds: float) -> dict[str, list[dict[str, Any]]]:
    """Return who uses the superblocks, by device; nobody if that cannot be found out in time."""
    try:
        found: dict[str, list[dict[str, Any]]] = bounded(
            lambda: {device: [asdict(one) for one in holders] for device, holders in find_holders(mounts).items()},
            seconds,
            "cephholders",
        )
    except (CallFailed, NoAnswer):
        return {}
    return found


def apply(module: AnsibleModule, mounts: Sequence[CephfsMount]) -> None:
    """Detach the mounts, and fail if some of them are still there."""
    for device in dict.fromkeys(mount.device for mount in mounts):
        detach(device, [mount for mount in mounts if mount.device == device], module.params["timeout"])
    devices = {mount.device for mount in mounts}
    remaining = [mount.path for mount in read_mounts() if mount.device in devices]
    if remaining:
        module.fail_json(
            msg=f"{', '.join(remaining)} could not be detached within {module.params['timeout']:g} s: the way there "
            "leads through another mount that does not answer; detach that one first, or reboot the host"
        )


def gone(clients: Sequence[Client], seconds: float) -> dict[str, bool]:
    """Return by directory whether the kernel has given the clients up, waiting for that."""
    deadline = time.monotonic() + seconds
    while True:
        there = {client.directory: Path(DEBUGFS, "ceph", client.directory).exists() for client in clients}
        if not any(there.values()) or time.monotonic() >= deadline:
            return {directory: not exists for directory, exists in there.items()}
        time.sleep(PAUSE_SECONDS)


def describe(
    matched: Mapping[str, Sequence[Client]], ended: Mapping[str, bool], holders: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the clients as the module returns them."""
    return [
        {
            "device": device,
            "clients": sorted(client.client for client in clients),
            "gone": ended.get(clients[0].directory) if len(clients) == 1 else None,
            "holders": holders.get(device, []),
        }
        for device, clients in matched.items()
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "devices": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["detached"], "default": "detached"},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 10},
        },
        supports_check_mode=True,
    )
    devices, seconds = module.params["devices"], module.params["timeout"]
    if not devices or "" in devices:
        module.fail_json(msg="devices names no superblock: expected at least one, such as 0:46 from cephfs_mount_info")
    if seconds <= 0:
        module.fail_json(msg=f"timeout is {seconds}: expected a number of seconds above 0")
    listed = read_mounts()
    mounts = in_order(mount for mount in listed if mount.device in devices)
    # With all mounts: what serves another one does not serve these.
    found = match(listed, read_clients(seconds), {}) if mounts else {}
    matched = {device: clients for device, clients in found.items() if device in devices}
    problems = [] if module.params["force"] else refusals(mounts, matched)
    if problems:
        module.fail_json(msg="; ".join(problems))
    holders = read_holders(mounts, seconds) if mounts else {}
    ended: dict[str, bool] = {}
    if mounts and not module.check_mode:
        apply(module, mounts)
        ended = gone([clients[0] for clients in matched.values() if len(clients) == 1], seconds)
    paths = sorted(mount.path for mount in mounts)
    module.exit_json(
        changed=bool(mounts),
        detached=[{"path": mount.path, "device": mount.device, "source": mount.source} for mount in mounts],
        clients=describe(matched, ended, holders),
        diff={"before": {"mounts": paths}, "after": {"mounts": []}},
    )


if __name__ == "__main__":
    main()
