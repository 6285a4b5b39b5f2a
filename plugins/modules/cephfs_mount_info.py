#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out how the kernel's CephFS mounts of a host are, without ever hanging."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_mount_info
short_description: Find out how the CephFS mounts of a host are, without ever hanging
version_added: 0.1.0
description:
  - Says of every CephFS client instance of this host's kernel whether it works, waits, or has been thrown out by the
    cluster, and by which evidence. An instance is what the cluster sees; all mounts of one superblock share it.
  - A mount that is dead holds whoever touches it, and not even C(kill -9) helps. So this module touches none. One
    child process per superblock tries, is given O(timeout), and is left behind where it cannot be ended. A later run
    starts no second one there.
  - What it reads besides are C(/proc/self/mountinfo), C(/sys/kernel/debug/ceph) and the kernel log. It needs no Ceph
    tools and no key, but root for debugfs.
  - Made for Linux 5.10 and newer. Before 5.11 the kernel shows neither the address of an instance nor whether it knows
    that it is blocklisted; RV(clients[].address) and RV(clients[].blocklisted) are null there, and a client that the
    MDS gives no session is V(rejected), unless the kernel log says why.
  - Mounts by C(ceph-fuse) are not looked at, and of mounts in other namespaces, such as those of containers, only who
    holds them.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details: With O(write=true) it does not write in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  paths:
    description:
      - Only the client instances that are mounted at these places.
      - Without it, all; also those that are mounted nowhere any more but still there.
    type: list
    elements: path
  probe:
    description:
      - Try every client instance, by one of its mounts. That asks monitors and MDS, and an OSD unless O(read=false).
      - Without it only what the kernel says by itself counts, and no instance is found to be V(healthy).
    type: bool
    default: true
  read:
    description: Read a block of the first file that is found, past the page cache.
    type: bool
    default: true
  write:
    description:
      - Also make a small file in the mount, have it stored, read it back and remove it. Its name begins with
        C(.cephfs-probe-).
      - Not where the mount is read-only.
    type: bool
    default: false
  timeout:
    description: Seconds that a probe may take, that debugfs may take, and that the kernel log may take.
    type: float
    default: 5
  since:
    description:
      - Leave out what the kernel has logged before this ISO 8601 time, or before this age, such as V(90m) or V(2h).
    type: str
seealso:
  - module: diskless.ceph.cephfs_mount
  - module: diskless.ceph.kernel_log_info
  - module: diskless.ceph.mds_session_info
  - module: diskless.ceph.osd_blocklist_info
"""

EXAMPLES = r"""
- name: How are the CephFS mounts?
  diskless.ceph.cephfs_mount_info:
  register: cephfs

- name: All of them work
  ansible.builtin.assert:
    that: cephfs.affected | length == 0
    fail_msg: "{{ cephfs.affected }}: {{ cephfs.clients | map(attribute='evidence') | flatten | join('; ') }}"

- name: A mount can be written
  diskless.ceph.cephfs_mount_info:
    paths: [/srv/data]
    write: true
"""

RETURN = r"""
clients:
  description:
    - The client instances. First those that are mounted, then those that are mounted nowhere any more. The latter
      are there until the last process has let go of them.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description:
        - V(healthy) if every step of the probe worked.
        - V(blocklisted) if the cluster has put this instance on its blocklist. It does not come back without
          C(recover_session=clean).
        - V(rejected) if the MDS refuses to open a session. It is blocklisted, or its user has no caps any more.
        - V(stuck) if the probe did not end in time.
        - V(failed) if the probe got another error.
        - V(stale) if it was not probed, and the client waits for an MDS that has not answered for long.
        - V(unknown) if there is no evidence.
      type: str
      sample: blocklisted
    evidence:
      description: What the state follows from, in sentences.
      type: list
      elements: str
      sample:
        - "mds: EACCES"
        - "client.4137: blocklisted: yes, session with mds.0 is rejected"
    client:
      description: The name of the instance; null if it may be one of several.
      type: str
      sample: client.4137
    candidates:
      description: The instances that it may be.
      type: list
      elements: str
      sample: [client.4137]
    device:
      description: The superblock, V(MAJOR:MINOR); null if it is mounted nowhere any more.
      type: str
      sample: "0:46"
    address:
      description: Address, port and nonce of the instance, as in an entry of the blocklist; null before Linux 5.11.
      type: str
      sample: 10.0.0.7:0/2284328471
    ip:
      description: The address from which this host reaches the monitors; null if it does not.
      type: str
      sample: 10.0.0.7
    fsid:
      description: Id of the cluster, if it is known.
      type: str
      sample: 4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11
    user:
      description: The cephx user, without C(client.).
      type: str
      sample: web1
    blocklisted:
      description: Whether the kernel knows that the instance is blocklisted; null before Linux 5.11.
      type: bool
      sample: true
    sessions:
      description: Its sessions.
      type: list
      elements: dict
      contains:
        rank:
          description: Rank of the MDS.
          type: int
          sample: 0
        state:
          description: In the words of the kernel, V(open), V(hung), V(rejected) and others.
          type: str
          sample: rejected
    mds_requests:
      description: How many requests wait for an MDS.
      type: int
      sample: 2
    osd_requests:
      description: How many requests wait for OSDs.
      type: int
      sample: 0
    homeless:
      description: How many of these have no OSD that they could go to.
      type: int
      sample: 0
    caps:
      description: How many capabilities on files and directories it holds.
      type: int
      sample: 0
    caps_waiters:
      description: How many processes wait for a capability.
      type: int
      sample: 0
    session_autoclose:
      description: Seconds of silence after which the MDS evicts it, as it has learned from the cluster.
      type: int
      sample: 300
    source:
      description: What is mounted, in either syntax; null if it is mounted nowhere any more, as all of the following.
      type: str
      sample: "10.0.0.1:6789:/web"
    file_system:
      description: The file system; null for the default one.
      type: str
      sample: cephfs
    directory:
      description: The directory in it.
      type: str
      sample: /web
    options:
      description: The options of the superblock; null for those without a value. The kernel does not show the secret.
      type: dict
      sample: {"rw": null, "name": "web1", "secret": "<hidden>", "acl": null}
    recover_session:
      description: Whether the client starts again by itself when it is blocklisted (C(recover_session=clean)).
      type: bool
      sample: false
    fsc:
      description: Whether it caches file contents on a local disk.
      type: bool
      sample: false
    mounts:
      description: Where it is mounted.
      type: list
      elements: dict
      contains:
        path:
          description: The mount point.
          type: str
          sample: /srv/web
        root:
          description: What of RV(clients[].directory) is mounted here; V(/) unless it is a bind mount of a part.
          type: str
          sample: /
        read_only:
          description: Whether it is mounted read-only.
          type: bool
          sample: false
        unit:
          description: The unit by which systemd can mount it again, from a unit file or C(/etc/fstab); null if none.
          type: str
          sample: srv-web.mount
    probe:
      description: What became of the probe; null if there was none.
      type: dict
      contains:
        path:
          description: The mount that was tried.
          type: str
          sample: /srv/web
        steps:
          description: The steps that ended.
          type: list
          elements: dict
          contains:
            name:
              description:
                - V(statfs) asks the monitors, V(stat) the client's own memory, V(mds) the MDS in any case, V(list) the
                  MDS unless the client may know the directory, V(read) and V(write) the OSDs.
              type: str
              sample: mds
            error:
              description: The name of the error; null if it worked.
              type: str
              sample: EACCES
            seconds:
              description: How long it took.
              type: float
              sample: 0.003
            done:
              description: Whether there was anything to do; there may be no file to read.
              type: bool
              sample: true
        sticks:
          description: The step that did not end in time; null if all did.
          type: str
          sample: null
        pid:
          description: The process that does it; null if all steps ended.
          type: int
          sample: null
        process_state:
          description: What it was doing, as in C(ps); V(D) is uninterruptible sleep.
          type: str
          sample: null
        left_behind:
          description: Whether it is still there, because nothing can end it.
          type: bool
          sample: false
    findings:
      description: What M(diskless.ceph.kernel_log_info) finds about its mounts, in the same form.
      type: list
      elements: dict
      sample: []
    holders:
      description:
        - Of an instance that is not healthy, the processes that use it, and other mount namespaces that have it
          mounted. It lives as long as any of them, whatever is unmounted.
      type: list
      elements: dict
      contains:
        pid:
          description: The process; of a mount namespace the first one.
          type: int
          sample: 812
        name:
          description: Its name.
          type: str
          sample: nginx
        by:
          description: V(file), V(directory) or V(mount_namespace).
          type: str
          sample: file
mounts:
  description: The same by mount point.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
    state:
      description: As RV(clients[].state).
      type: str
    client:
      description: As RV(clients[].client).
      type: str
    device:
      description: As RV(clients[].device).
      type: str
  sample:
    - path: /srv/web
      state: blocklisted
      client: client.4137
      device: "0:46"
affected:
  description: The mount points whose state is not V(healthy).
  returned: success
  type: list
  elements: str
  sample: [/srv/web]
missing:
  description: Those of O(paths) at which no CephFS is mounted.
  returned: success
  type: list
  elements: str
  sample: []
kernel:
  description: Release of the kernel.
  returned: success
  type: str
  sample: 6.1.0-50-amd64
"""

import os
import socket
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_call import CallFailed, NoAnswer, bounded
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import wait_for
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client_reader import missing, read_clients
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_holders import Holder, find_holders
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_survey import survey, to_probe, with_holders
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import CephfsMount, parse_mountinfo
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_probe import Probe, parse_probe, start_probe
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_ceph_clients import parse_mounts
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import KernelLine, lines_since, parse_since
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_findings import find_incidents
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log_reader import read_dmesg, read_journal
from ansible_collections.diskless.ceph.plugins.module_utils._systemd_mount_unit import defined_unit

_PORT = 3300  # any will do: nothing is sent


def read_mounts() -> list[CephfsMount]:
    """Return the mounts of this namespace."""
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))


def probe_all(mounts: Mapping[str, CephfsMount], params: Mapping[str, Any], check_mode: bool) -> dict[str, Probe]:
    """Probe a mount of every superblock, all at once."""
    children = [
        start_probe(mount.path, device, params["read"], params["write"] and not mount.read_only and not check_mode)
        for device, mount in mounts.items()
    ]
    return {device: parse_probe(report) for device, report in zip(mounts, wait_for(children, params["timeout"]))}


def read_log(module: AnsibleModule) -> list[KernelLine]:
    """Read the kernel log. In a child as well: even to look for a program may touch a mount that is in the PATH."""

    def lines() -> list[dict[str, Any]]:
        return [asdict(line) for line in read_journal(module, 1) or read_dmesg(module)]

    return [KernelLine(**line) for line in bounded(lines, module.params["timeout"], "cephlog")]


def read_findings(module: AnsibleModule) -> list[dict[str, Any]]:
    """Return what the kernel has logged about CephFS mounts; a log that cannot be read is a warning."""
    since = module.params["since"]
    earliest = parse_since(since, datetime.now().astimezone()) if since else 0.0
    try:
        lines = lines_since(read_log(module), earliest)
    except (CallFailed, NoAnswer) as error:
        module.warn(f"the kernel log is left out: {error}")
        return []
    mounts = parse_mounts(Path("/proc/mounts").read_text(encoding="utf-8", errors="replace"))
    return find_incidents(lines, mounts)


def read_holders(mounts: Sequence[CephfsMount], seconds: float) -> dict[str, list[Holder]]:
    """Return who holds the superblocks; nobody if that cannot be found out in time."""
    try:
        found = bounded(
            lambda: {device: [asdict(one) for one in holders] for device, holders in find_holders(mounts).items()},
            seconds,
            "cephholders",
        )
    except (CallFailed, NoAnswer):
        return {}
    return {device: [Holder(**one) for one in holders] for device, holders in found.items()}


def local_address(monitors: Iterable[str]) -> str | None:
    """Return the address from which this host would send to the first of the monitors; nothing is sent."""
    for monitor in monitors:
        host = monitor[1:].partition("]")[0] if monitor.startswith("[") else monitor.partition(":")[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((host, _PORT))
                return str(asking.getsockname()[0])
        except OSError:  # there is no way to it, or no IPv6 here
            continue
    return None


def look(module: AnsibleModule) -> dict[str, Any]:
    """Return all that is known."""
    wanted = module.params["paths"]
    mounts = read_mounts()
    if wanted is not None:
        devices = {mount.device for mount in mounts if mount.path in wanted}
        mounts = [mount for mount in mounts if mount.device in devices]
    chosen = to_probe(mounts)
    probes = probe_all(chosen, module.params, module.check_mode) if module.params["probe"] else {}
    # Afterwards: by its errors a probe makes the kernel notice that it is blocklisted.
    clients = read_clients(module.params["timeout"])
    listed = survey(mounts, clients, probes, read_findings(module), defined_unit, local_address)
    if wanted is not None:
        listed = [client for client in listed if client["device"]]
    for client in listed:
        if client["probe"] is not None:
            client["probe"]["path"] = chosen[client["device"]].path
    ill = {client["device"] for client in listed if client["state"] != "healthy"}
    held = [mount for mount in mounts if mount.device in ill]
    if held:
        with_holders(listed, read_holders(held, module.params["timeout"]))
    return {"clients": listed, "missing": sorted(set(wanted or ()) - {mount.path for mount in mounts})}


def by_path(clients: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the mounts, sorted by path."""
    listed = [
        {"path": mount["path"], **{name: client[name] for name in ("state", "client", "device")}}
        for client in clients
        for mount in client["mounts"]
    ]
    return sorted(listed, key=lambda mount: str(mount["path"]))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path"},
            "probe": {"type": "bool", "default": True},
            "read": {"type": "bool", "default": True},
            "write": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 5},
            "since": {"type": "str"},
        },
        supports_check_mode=True,
    )
    if module.params["timeout"] <= 0:
        module.fail_json(msg=f"timeout is {module.params['timeout']}: expected a number of seconds above 0")
    try:
        found = look(module)
    except ValueError as error:
        module.fail_json(msg=str(error))
    mounts = by_path(found["clients"])
    unseen = missing() if mounts else None
    if unseen:
        module.warn(f"nothing is known of client instances: {unseen}")
    module.exit_json(
        changed=False,
        mounts=mounts,
        affected=[mount["path"] for mount in mounts if mount["state"] != "healthy"],
        kernel=os.uname().release,
        **found,
    )


if __name__ == "__main__":
    main()
