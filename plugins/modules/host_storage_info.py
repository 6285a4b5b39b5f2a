#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what Ceph knows of each diskless host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_storage_info
short_description: Tell what Ceph knows of each diskless host
version_added: 0.1.0
description:
  - For all hosts in one call, returns what decides in Ceph whether a diskless host boots. That is the state of the
    cluster, the host's root image with its lock and watchers, its cephx user, and what in the OSD blocklist hits it.
  - It changes nothing, and it does not fail when the cluster cannot be asked. Then RV(reached) is false, RV(error) says
    why, and everything that is not known is null. The shape of the answer is always the same.
  - With Ceph's Python bindings it costs two processes for up to a thousand hosts. Without them the images cost some
    processes each.
  - Keys are not part of the answer, only the means to compare them.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
options:
  hosts:
    description:
      - One host spec per host, as P(diskless.ceph.host_specs#filter) makes them.
      - The same keys are used as by M(diskless.ceph.host_storage).
    type: list
    elements: dict
    required: true
seealso:
  - module: diskless.ceph.host_storage
  - module: diskless.ceph.rbd_lock_info
  - module: diskless.ceph.osd_blocklist_info
"""

EXAMPLES = r"""
- name: What Ceph knows of the diskless hosts
  diskless.ceph.host_storage_info:
    hosts: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
  register: ceph

- name: Hosts that could not break the lock of their former self
  ansible.builtin.debug:
    msg: "{{ ceph.hosts | dict2items | rejectattr('value.user.can_blocklist_itself') | map(attribute='key') }}"
  when: ceph.reached
"""

RETURN = r"""
reached:
  description: Whether the cluster answered at all, and be it that O(ceph_name) may not ask.
  returned: success
  type: bool
  sample: true
error:
  description:
    - Why something is not known; null if all is.
    - With RV(reached=true) the monitors refused, or they answered and the OSDs, which have the images, did not.
  returned: success
  type: str
  sample: null
cluster:
  description: The cluster. All of it is null if the monitors could not be asked.
  returned: success
  type: dict
  contains:
    fsid:
      description: Identity of the cluster.
      type: str
    release:
      description: Oldest Ceph release that the monitors agree on.
      type: int
    health:
      description: What Ceph says of itself, V(HEALTH_OK), V(HEALTH_WARN) or V(HEALTH_ERR).
      type: str
    checks:
      description: The health checks behind that, errors first. Muted ones are left out, as Ceph leaves them out.
      type: list
      elements: dict
      contains:
        code:
          description: Ceph's name of the check.
          type: str
        severity:
          description: V(HEALTH_WARN) or V(HEALTH_ERR).
          type: str
        summary:
          description: What Ceph says about it.
          type: str
    flags:
      description:
        - Flags of the OSD map, such as V(noout) or V(pauserd).
        - With those of the hosts' pools that say that these are full or nearly so, or that they answer with errors,
          V(full), V(full_quota), V(backfillfull), V(nearfull) and V(eio). Ceph no longer sets these for the whole map.
      type: list
      elements: str
    recovering:
      description:
        - Whether objects are degraded, in the wrong place, or on their way.
        - Null if Ceph knows of no placement group.
      type: bool
    monitors:
      description: The monitors in the order of their names.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the monitor.
          type: str
        v1:
          description: Its address for the first version of the protocol; null if it does not speak that.
          type: str
        v2:
          description: Its address for the second version of the protocol; null if it does not speak that.
          type: str
        in_quorum:
          description: Whether it is part of the quorum.
          type: bool
  sample:
    checks: []
    flags: [pglog_hardlimit, purged_snapdirs, recovery_deletes, sortbitwise]
    fsid: 4a06b58e-054b-4e58-b571-c6f05fa8a770
    health: HEALTH_OK
    monitors:
      - in_quorum: true
        name: a
        v1: 10.177.0.1:6789
        v2: 10.177.0.1:3300
    recovering: false
    release: 16
hosts:
  description: For each host, by its name, a dictionary with these keys.
  returned: success
  type: dict
  contains:
    image:
      description: Its root image.
      type: dict
      contains:
        name:
          description: The image as pool, namespace and name.
          type: str
        exists:
          description: Whether there is such an image.
          type: bool
        size:
          description: Its size in bytes; null if it does not exist.
          type: int
        wanted_size:
          description: The size in bytes that the host spec asks for.
          type: int
        features:
          description: Its RBD features, those included that Ceph sets by itself; null if it does not exist.
          type: list
          elements: str
        parent:
          description: The snapshot that it was cloned from; null if it is flattened or does not exist.
          type: str
        problems:
          description:
            - What keeps the kernel of the host spec from mapping it or from writing to it.
            - If it does not exist, the part of its name that does not.
          type: list
          elements: str
    locks:
      description: Its exclusive lock, if somebody holds that. Of a shared lock this is the first of its owners.
      type: list
      elements: dict
      contains:
        owner:
          description: The client that holds the lock.
          type: str
        address:
          description: The client instance of the owner, which is what the OSD blocklist knows it by.
          type: str
        cookie:
          description: Cookie of the watch under which the client took the lock; null if the lock was set by hand.
          type: int
    watchers:
      description: The clients that have the image open for writing.
      type: list
      elements: dict
      contains:
        client:
          description: The client.
          type: str
        address:
          description: Its client instance.
          type: str
    owner_alive:
      description:
        - Whether the owner of the lock is among the watchers. A client that died still is for 30 s,
          or what C(osd_client_watch_timeout) says.
        - Null without a lock, and where that cannot be known, because the lock was set by hand (C(rbd lock add)).
      type: bool
    user:
      description: Its cephx user.
      type: dict
      contains:
        name:
          description: Name of the user.
          type: str
        exists:
          description: Whether there is such a user. If not, all that follows is null.
          type: bool
        caps:
          description: Its caps by service.
          type: dict
        caps_missing:
          description:
            - Of the caps that M(diskless.ceph.host_storage) gives a host, those that this host needs and cannot do
              without, each with its service. Caps that are wider, or put in other words, miss nothing.
            - What it needs to read the parent of its image is compared if the image is known.
          type: list
          elements: str
        can_blocklist_itself:
          description:
            - Whether the host may put its former self on the blocklist. Without that it cannot break the lock that a
              power cut left behind, and does not boot until somebody else has broken it.
            - Null if that hangs on a pattern in the caps that cannot be judged.
          type: bool
        key_fingerprint:
          description: 16 hexadecimal digits of the SHA-256 of its key, to compare with the key that the host has.
          type: str
    blocklist:
      description: The entries of the OSD blocklist that hit the host's address.
      type: list
      elements: dict
      contains:
        address:
          description: The entry, an instance, a whole host or a range.
          type: str
        kind:
          description: V(client) for one instance, V(host) for all of the host, V(range) for a network.
          type: str
        until:
          description: When it ends, in UTC. Ceph 14 prints the local time of its monitors, which is taken for UTC.
          type: str
        fence:
          description: Whether it shuts out more than one client instance, also those that start later.
          type: bool
  sample:
    pi3:
      blocklist:
        - address: 10.77.0.0/24
          fence: true
          kind: range
          until: "2026-11-21T14:24:22Z"
      image:
        exists: true
        features: [layering, exclusive-lock, object-map, fast-diff, operations]
        name: diskless/pi3/root
        parent: diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root
        problems: []
        size: 8589934592
        wanted_size: 8589934592
      locks:
        - address: 10.77.0.13:0/1345063765
          cookie: 140467442388832
          owner: client.4154
      owner_alive: false
      user:
        can_blocklist_itself: true
        caps:
          mon: profile rbd
          osd: profile rbd pool=diskless
        caps_missing: []
        exists: true
        key_fingerprint: 5c628acf9a1d9e1c
        name: client.diskless.pi3
      watchers: []
"""

from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CEPH_ARGUMENT_SPEC, CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_evidence import fleet_evidence
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_reader import read_what_answers
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import parse_hosts


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"hosts": {"type": "list", "elements": "dict", "required": True}, **CEPH_ARGUMENT_SPEC},
        supports_check_mode=True,
    )
    hosts, problems = parse_hosts(module.params["hosts"])
    if problems:
        module.fail_json(msg="; ".join(problems), problems=problems)
    reading = read_what_answers(CephClient.from_params(module.params), hosts)
    module.exit_json(changed=False, **fleet_evidence(reading, hosts, datetime.now(timezone.utc)))


if __name__ == "__main__":
    main()
