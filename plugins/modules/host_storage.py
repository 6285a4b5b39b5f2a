#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure root images and cephx users of a fleet of diskless hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_storage
short_description: Give every diskless host its root image and its cephx user
version_added: 0.1.0
description:
  - For all hosts in one call, ensures the RBD namespace of the host, the root image in it, cloned from the golden
    image, and a cephx user that can do no more than this host needs.
  - That user reaches only the host's own namespace, and may read the parent of the root image. It may blocklist only
    former client instances of the host's own address, which is how a kernel breaks the lock that a power cut left
    behind. All of it from the host's own address alone.
  - A root image that is too small is grown. Whatever else is not as asked for in an existing root image (another
    parent, other features, more size) is reported in RV(hosts[].differences) and as a warning, and left alone.
  - Before anything changes, everything is read, and all problems of all hosts are reported together.
  - A run that was interrupted is completed by the next one.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
    details: The key of a user that would be created does not exist yet, so it is missing from RV(cephx_keys).
  diff_mode:
    support: full
    details: Shows the hosts that change. Keys are never part of it.
  idempotent:
    support: full
options:
  hosts:
    description:
      - One host spec per host, as P(diskless.ceph.host_specs#filter) makes them.
      - The keys C(name), C(arch), C(address), C(pool), C(namespace), C(image), C(cephx_user), C(root_size) in bytes,
        C(features) and C(kernel) are used.
    type: list
    elements: dict
    required: true
  golden_images:
    description:
      - For each architecture the protected snapshot that new root images are cloned from,
        V(pool/image@snapshot) or V(pool/namespace/image@snapshot).
    type: dict
    required: true
notes:
  - The task returns keys. Give it C(no_log).
"""

EXAMPLES = r"""
- name: Diskless hosts have their root images and cephx users
  diskless.ceph.host_storage:
    hosts: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
    golden_images:
      amd64: diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root
  no_log: true
  register: host_storage
"""

RETURN = r"""
hosts:
  description: The hosts in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the host.
      type: str
    image:
      description: Its root image.
      type: str
    parent:
      description: The snapshot that the root image was cloned from; null if that is flattened.
      type: str
    image_action:
      description: What happened to the root image, one of V(created), V(grown) and V(unchanged).
      type: str
    user_action:
      description: What happened to the cephx user, one of V(created), V(updated) and V(unchanged).
      type: str
    differences:
      description: What is not as asked for in an existing root image, and was left alone.
      type: list
      elements: str
  sample:
    - differences: []
      image: diskless/udoo1/root
      image_action: created
      name: udoo1
      parent: diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root
      user_action: created
cephx_keys:
  description: Key of each host's cephx user by the name of the host.
  returned: success
  type: dict
  sample:
    udoo1: AQDCMABrqNLwBhAAd9nOB8nV9sTXeHK6wV5D5A==
monitors:
  description: Monitors of the cluster, with their addresses by protocol version; null where one does not speak it.
  returned: success
  type: list
  elements: dict
  sample:
    - name: a
      v1: 10.177.0.1:6789
      v2: 10.177.0.1:3300
fsid:
  description: Identity of the cluster.
  returned: success
  type: str
  sample: 143c5f61-175d-4382-9f51-b14c8cb6ca2e
release:
  description: Oldest Ceph release that the monitors agree on.
  returned: success
  type: int
  sample: 16
problems:
  description: What keeps the task from doing anything, for all hosts.
  returned: failure, if the options or the cluster are not fit for it
  type: list
  elements: str
  sample:
    - "host udoo1: kernel 6.1 cannot map a root image like that: no kernel maps journaling"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage import apply_plan, read_state
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_plan import fleet_diff, plan_fleet
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_result import fleet_result
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import parse_golden, parse_hosts


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "dict", "required": True},
            "golden_images": {"type": "dict", "required": True},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    hosts, host_problems = parse_hosts(module.params["hosts"])
    golden, golden_problems = parse_golden(module.params["golden_images"])
    try:
        state = read_state(client, hosts, golden)
        plan = plan_fleet(hosts, golden, state)
        problems = [*host_problems, *golden_problems, *plan.problems]
        if problems:
            module.fail_json(msg="nothing was changed: " + "; ".join(problems), problems=problems)
        if not module.check_mode:
            apply_plan(client, plan)
    except CephError as error:
        module.fail_json(msg=str(error))
    for step in plan.hosts:
        for difference in step.differences:
            module.warn(difference)
    module.exit_json(**fleet_result(plan, state.cluster, module.check_mode), diff=fleet_diff(plan))


if __name__ == "__main__":
    main()
