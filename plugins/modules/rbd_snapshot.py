#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure one snapshot of an RBD image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_snapshot
short_description: Create, protect or delete a snapshot of an RBD image
version_added: 0.1.0
description:
  - Brings about one snapshot. A protected snapshot cannot be deleted, which is what a golden image needs.
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
    description: Name of the snapshot.
    type: str
    required: true
  image:
    description: Name of the image.
    type: str
    required: true
  pool:
    description: Pool of the image.
    type: str
    required: true
  namespace:
    description: RBD namespace of the image; empty for the pool's default namespace.
    type: str
    default: ""
  state:
    description:
      - V(present) ensures the snapshot and leaves its protection as it is.
      - V(protected) ensures the snapshot and protects it.
      - V(absent) deletes it, protected or not. That is refused while it has clones.
    type: str
    choices: [present, protected, absent]
    default: present
"""

EXAMPLES = r"""
- name: Golden image has its snapshot
  diskless.ceph.rbd_snapshot:
    name: root
    image: golden-bookworm-amd64-0a1b2c3d4e5f
    pool: diskless
    state: protected
"""

RETURN = r"""
snapshot:
  description: The snapshot after the task, or as check mode expects it; null if it is absent.
  returned: success
  type: dict
  contains:
    protected:
      description: Whether it is protected.
      type: bool
  sample:
    protected: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_commands import run_commands
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, SnapshotName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_snapshot_plan import clone_names, plan_snapshot


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "protected", "absent"], "default": "present"},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    image = ImageName(module.params["pool"], module.params["namespace"], module.params["image"])
    name = SnapshotName(image, module.params["name"])
    state = module.params["state"]
    try:
        found = read_rbd(client, [image]).images.get(image)
        exists = found is not None and found.snapshot(name.snapshot) is not None
        clones = clone_names(client.rbd_json("children", str(name))) if exists and state == "absent" else []
        plan = plan_snapshot(name, state, found, clones)
        if plan.problem:
            module.fail_json(msg=plan.problem)
        if not module.check_mode:
            run_commands(client, plan.commands)
    except CephError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(plan.commands),
        snapshot=plan.after,
        diff={"before": {str(name): plan.before}, "after": {str(name): plan.after}},
    )


if __name__ == "__main__":
    main()
