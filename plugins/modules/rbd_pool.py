#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure an RBD pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_pool
short_description: Create a Ceph pool for RBD images
version_added: 0.1.0
description:
  - Creates a pool with the cluster's own defaults for size and placement groups, and initialises it for RBD.
  - Ceph 14 has no default for the number of placement groups. There it is 32, the default of later releases.
  - An existing pool is only initialised, and only if no other application uses it. Pools are never deleted.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Name of the pool.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Pool for the images of the diskless hosts exists
  diskless.ceph.rbd_pool:
    name: diskless
    ceph_launcher: [cephadm, shell, --]
"""

RETURN = r"""
applications:
  description: Applications that the pool is marked for, after the task.
  returned: success
  type: list
  elements: str
  sample: [rbd]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import read_cluster
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_pool import create_command, pool_plan


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"name": {"type": "str", "required": True}, **CEPH_ARGUMENT_SPEC},
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    name = module.params["name"]
    try:
        plan = pool_plan(name, client.ceph_json("osd", "pool", "ls", "detail"))
        if plan.problem:
            module.fail_json(msg=plan.problem)
        if plan.create and not module.check_mode:
            client.ceph(*create_command(name, read_cluster(client).release))
        if plan.initialise and not module.check_mode:
            client.rbd("pool", "init", name)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=plan.create or plan.initialise,
        applications=list(plan.applications),
        diff={"before": plan.before, "after": plan.after},
    )


if __name__ == "__main__":
    main()
