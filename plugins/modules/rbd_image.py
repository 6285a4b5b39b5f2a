#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure one RBD image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_image
short_description: Create, import, clone, resize or delete an RBD image
version_added: 0.1.0
description:
  - Brings about one RBD image, empty, imported from a file, or cloned from a snapshot.
  - What an existing image holds is not compared with O(source). An image with other features or another parent than
    asked for is an error, never changed. To give hosts another content, create another image.
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
    description: Name of the image.
    type: str
    required: true
  pool:
    description: Pool of the image.
    type: str
    required: true
  namespace:
    description:
      - RBD namespace of the image; empty for the pool's default namespace.
      - It is created if it does not exist.
    type: str
    default: ""
  state:
    description:
      - V(present) ensures the image.
      - V(absent) deletes it. That is refused while the image has watchers or snapshots.
    type: str
    choices: [present, absent]
    default: present
  size:
    description:
      - Size of the image, in bytes or as a string such as V(32GiB).
      - Needed to create an empty image. With O(source) or O(parent) it may be more than their size.
      - A smaller image is grown. A larger one is an error without O(allow_shrink).
    type: str
  allow_shrink:
    description: Cut off what lies behind O(size). Refused while the image has watchers.
    type: bool
    default: false
  features:
    description:
      - Features of the image; the cluster's own default if not given.
      - C(object-map) needs C(exclusive-lock), C(fast-diff) needs C(object-map). No kernel can map C(journaling).
    type: list
    elements: str
    choices: [layering, exclusive-lock, object-map, fast-diff, deep-flatten, journaling]
  source:
    description:
      - Path of a raw image file on the target host, imported if the image does not exist.
      - It is written to an image of the same name with C(.part) at its end, which gets its name when it is whole.
        So a run that dies half-way leaves no half image, and the next run removes the rest.
    type: path
  import_timeout:
    description: Seconds that the import of O(source) may take.
    type: int
    default: 3600
  parent:
    description:
      - Snapshot to clone if the image does not exist, V(pool/image@snapshot) or V(pool/namespace/image@snapshot).
    type: str
"""

EXAMPLES = r"""
- name: Golden image exists
  diskless.ceph.rbd_image:
    name: golden-bookworm-amd64-0a1b2c3d4e5f
    pool: diskless
    source: /var/cache/diskless/golden-bookworm-amd64.raw
    features: [layering, exclusive-lock, object-map, fast-diff]

- name: Scratch image is gone
  diskless.ceph.rbd_image:
    name: scratch
    pool: diskless
    state: absent
"""

RETURN = r"""
image:
  description:
    - The image after the task, or as check mode expects it; null if it is absent.
    - In check mode, what is only known after an import or left to the cluster's defaults is missing from it.
  returned: success
  type: dict
  contains:
    size:
      description: Size in bytes.
      type: int
    features:
      description: Those features that can be chosen.
      type: list
      elements: str
    parent:
      description: The snapshot it was cloned from; null if it is no clone.
      type: str
  sample:
    features: [layering, exclusive-lock, object-map, fast-diff]
    parent: null
    size: 8388608
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_commands import run_commands
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import SELECTABLE
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, parse_snapshot_name
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image_plan import (
    ImagePlan,
    WantedImage,
    describe,
    plan_absent,
    plan_present,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import parse_size


def wanted_image(params: dict[str, Any]) -> WantedImage:
    """Return what the options ask for; raises ValueError for one that cannot be understood."""
    return WantedImage(
        name=ImageName(params["pool"], params["namespace"], params["name"]),
        size=None if params["size"] is None else parse_size(params["size"]),
        features=tuple(params["features"] or ()),
        source=params["source"],
        parent=None if params["parent"] is None else parse_snapshot_name(params["parent"]),
        allow_shrink=params["allow_shrink"],
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "size": {"type": "str"},
            "allow_shrink": {"type": "bool", "default": False},
            "features": {"type": "list", "elements": "str", "choices": list(SELECTABLE)},
            "source": {"type": "path"},
            "import_timeout": {"type": "int", "default": 3600},
            "parent": {"type": "str"},
            **CEPH_ARGUMENT_SPEC,
        },
        mutually_exclusive=[("source", "parent")],
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    try:
        wanted = wanted_image(module.params)
        run(module, client, wanted)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))


def run(module: AnsibleModule, client: CephClient, wanted: WantedImage) -> None:
    """Read, plan and, unless in check mode, apply."""
    state = read_rbd(client, wanted.reads())
    plan: ImagePlan
    plan = plan_present(wanted, state) if module.params["state"] == "present" else plan_absent(wanted.name, state)
    problems = list(plan.problems)
    if plan.before is None and plan.commands and wanted.source and not Path(wanted.source).is_file():
        problems.append(f"image {wanted.name}: source {wanted.source} is not a file")
    if problems:
        module.fail_json(msg="; ".join(problems))
    after = plan.after
    if plan.commands and not module.check_mode:
        run_commands(client, plan.commands, module.params["import_timeout"])
        found = read_rbd(client, [wanted.name]).images.get(wanted.name)
        after = None if found is None else describe(found)
    module.exit_json(
        changed=bool(plan.commands),
        image=after,
        diff={"before": {str(wanted.name): plan.before}, "after": {str(wanted.name): after}},
    )


if __name__ == "__main__":
    main()
