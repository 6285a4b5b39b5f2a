#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure an RBD namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_namespace
short_description: Create an RBD namespace, or remove an empty one
version_added: 0.1.0
description:
  - Brings about one namespace of a pool.
  - It never deletes an image. A namespace with images in it is not removed, and Ceph itself refuses that while there
    are any in its trash.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
    details: What is in the trash shows only when Ceph refuses.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Name of the namespace.
    type: str
    required: true
  pool:
    description: Its pool.
    type: str
    required: true
  state:
    description:
      - V(present) ensures the namespace.
      - V(absent) removes it. That is refused while there are images in it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: diskless.ceph.rbd_image
"""

EXAMPLES = r"""
- name: Namespace of a retired host is gone
  diskless.ceph.rbd_namespace:
    name: pi3
    pool: diskless
    state: absent
"""

RETURN = r"""
namespace:
  description: The namespace after the task, or as check mode expects it; null if it is absent.
  returned: success
  type: dict
  contains:
    images:
      description: Names of the images in it.
      type: list
      elements: str
  sample:
    images: [root]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_namespace_plan import plan_namespace
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import list_images, read_rbd


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "pool": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    pool, name = module.params["pool"], module.params["name"]
    if not name:
        module.fail_json(msg="name is empty; expected the name of a namespace")
    try:
        # An image that need not exist: its pool's namespaces are read all the same.
        rbd_state = read_rbd(client, [ImageName(pool, name, "root")])
        images = list_images(client, pool, name) if pool in rbd_state.pools else []
        plan = plan_namespace(pool, name, module.params["state"], rbd_state, images)
        if plan.problem:
            module.fail_json(msg=plan.problem)
        if plan.operations and not module.check_mode:
            apply_operations(client, [plan.operations])
    except CephError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(plan.operations),
        namespace=plan.after,
        diff={"before": {f"{pool}/{name}": plan.before}, "after": {f"{pool}/{name}": plan.after}},
    )


if __name__ == "__main__":
    main()
