#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure one snapshot of an RBD image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_snapshot
short_description: Create, protect, delete or roll back to a snapshot of an RBD image
version_added: 0.1.0
description:
  - Brings about one snapshot, or makes an image again what it was when the snapshot was taken.
  - A protected snapshot cannot be deleted, which is what a golden image needs.
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
    support: partial
    details:
      - With O(state=rolled_back) Ceph tells whether anything was written since the snapshot. If nothing was, nothing
        changes. But Ceph also takes what was written before the last rollback for a difference, so rolling back again
        is mostly a change again.
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
      - V(unprotected) ensures the snapshot and takes its protection away. That is refused while it has clones.
      - V(absent) deletes it, protected or not. That is refused while it has clones.
      - V(rolled_back) gives the image the content and the size that it had when the snapshot was taken. What was
        written since is lost, and other snapshots stay. That is refused while the image has watchers, because a
        running client would not notice, and while somebody locks it by hand.
      - A rollback looks at every object of the image, which may take longer than O(ceph_timeout). To give a host
        another root, a new clone is faster.
    type: str
    choices: [present, protected, unprotected, absent, rolled_back]
    default: present
seealso:
  - module: diskless.ceph.rbd_image
  - module: diskless.ceph.rbd_image_info
"""

EXAMPLES = r"""
- name: Golden image has its snapshot
  diskless.ceph.rbd_snapshot:
    name: root
    image: golden-bookworm-amd64-0a1b2c3d4e5f
    pool: diskless
    state: protected

- name: Image is what it was before the upgrade
  diskless.ceph.rbd_snapshot:
    name: before-upgrade
    image: root
    pool: diskless
    namespace: pi1
    state: rolled_back
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
    size:
      description: Size in bytes that the image had when the snapshot was taken.
      type: int
    image_differs:
      description: Whether the image differs from it, which it does not after a rollback.
      returned: with O(state=rolled_back)
      type: bool
    image_size:
      description: Size of the image in bytes.
      returned: with O(state=rolled_back)
      type: int
  sample:
    image_differs: false
    image_size: 4194304
    protected: false
    size: 4194304
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, SnapshotName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_images
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_snapshot_plan import (
    SnapshotPlan,
    clone_names,
    plan_snapshot,
)

_STATES = ["present", "protected", "unprotected", "absent", "rolled_back"]


def differs(client: CephClient, name: SnapshotName, image: Image) -> bool:
    """Return whether the image has been written since the snapshot, as far as Ceph knows.

    Asked for whole objects, Ceph looks them up in the object map instead of visiting each, if the image has fast-diff.
    """
    if image.snapshot(name.snapshot) is None:
        return False
    return bool(client.rbd_json("diff", "--whole-object", "--from-snap", name.snapshot, str(name.image)))


def make_plan(client: CephClient, name: SnapshotName, state: str) -> SnapshotPlan:
    """Read what the state depends on, and plan."""
    found = read_rbd(client, [name.image])
    image = found.images.get(name.image)
    if image is None:
        problem = None if state == "absent" else f"snapshot {name}: {missing_images(client, [name.image], found)[0]}"
        return SnapshotPlan((), None, None, problem)
    clones = []
    if state in ("absent", "unprotected") and image.snapshot(name.snapshot) is not None:
        clones = clone_names(client.rbd_json("children", str(name)))
    return plan_snapshot(name, state, image, clones, state == "rolled_back" and differs(client, name, image))


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": _STATES, "default": "present"},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    client = CephClient.from_params(params)
    name = SnapshotName(ImageName(params["pool"], params["namespace"], params["image"]), params["name"])
    try:
        plan = make_plan(client, name, params["state"])
        if plan.problem:
            module.fail_json(msg=plan.problem)
        if plan.operations and not module.check_mode:
            apply_operations(client, [plan.operations])
    except CephError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(plan.operations),
        snapshot=plan.after,
        diff={"before": {str(name): plan.before}, "after": {str(name): plan.after}},
    )


if __name__ == "__main__":
    main()
