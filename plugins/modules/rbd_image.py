#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure RBD images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_image
short_description: Create, import, clone, rename, resize, flatten or delete RBD images
version_added: 0.1.0
description:
  - Brings about one RBD image, or with O(images) any number of them in one task. Each is empty, imported from a file,
    or cloned from a snapshot.
  - A thousand images cost a handful of processes where Ceph's Python bindings are installed, and a task that finds
    everything as wanted costs one.
  - What an existing image holds is not compared with O(source). An image with other features, another parent or
    another data pool than asked for is an error, never changed. For features there is M(diskless.ceph.rbd_feature).
    To give hosts another content, create another image.
  - Before anything changes, everything is read, and all problems of all images are reported together.
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
    details: Shows the images that change.
  idempotent:
    support: full
options:
  name:
    description: Name of the image.
    type: str
  images:
    description:
      - Many images instead of one O(name).
      - What an item does not say, the module's own option says.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the image.
        type: str
        required: true
      pool:
        description: See O(pool).
        type: str
      namespace:
        description: See O(namespace).
        type: str
      state:
        description: See O(state).
        type: str
        choices: [present, flattened, absent]
      size:
        description: See O(size).
        type: str
      allow_shrink:
        description: See O(allow_shrink).
        type: bool
      features:
        description: See O(features).
        type: list
        elements: str
        choices: [layering, exclusive-lock, object-map, fast-diff, deep-flatten, journaling]
      source:
        description: See O(source).
        type: path
      parent:
        description: See O(parent).
        type: str
      renamed_from:
        description: See O(renamed_from).
        type: str
      data_pool:
        description: See O(data_pool).
        type: str
      metadata:
        description: See O(metadata).
        type: dict
  pool:
    description: Pool of the image. Required, if not by each item of O(images).
    type: str
  namespace:
    description:
      - RBD namespace of the image; empty for the pool's default namespace.
      - It is created if it does not exist.
    type: str
    default: ""
  state:
    description:
      - V(present) ensures the image.
      - V(flattened) ensures the image, and that it has no parent. What it shares with its parent is copied, which may
        take longer than O(ceph_timeout).
      - V(absent) deletes it. That is refused while the image has watchers, snapshots, or a lock that somebody took by
        hand.
    type: str
    choices: [present, flattened, absent]
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
      - Features of the image.
      - If they are not given, a new image gets the cluster's own default, and a clone those of its parent.
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
  renamed_from:
    description:
      - Name, in the same pool and namespace, of the image that gets this name if no image has it yet. It keeps its
        snapshots and clones.
      - That is refused while the image has watchers, or a lock that somebody took by hand.
      - If an image has the name already, it stays as it is, and so does the one with the former name.
    type: str
  data_pool:
    description:
      - Pool that holds the data of the image, if that is not to be O(pool); it may be an erasure-coded one.
      - It cannot be changed later.
    type: str
  metadata:
    description:
      - Metadata of the image, by key. Keys that are not named are left alone, and null removes a key.
      - A clone begins with the metadata of its parent.
    type: dict
seealso:
  - module: diskless.ceph.rbd_image_info
  - module: diskless.ceph.rbd_feature
  - module: diskless.ceph.rbd_snapshot
"""

EXAMPLES = r"""
- name: Golden image exists
  diskless.ceph.rbd_image:
    name: golden-bookworm-amd64-0a1b2c3d4e5f
    pool: diskless
    source: /var/cache/diskless/golden-bookworm-amd64.raw
    features: [layering, exclusive-lock, object-map, fast-diff]
    metadata:
      suite: bookworm

- name: Each host has a scratch image
  diskless.ceph.rbd_image:
    pool: diskless
    size: 8GiB
    features: [layering, exclusive-lock, object-map, fast-diff]
    images:
      - name: scratch
        namespace: pi1
      - name: scratch
        namespace: pi2
        size: 16GiB

- name: Copy of the golden image stands on its own
  diskless.ceph.rbd_image:
    name: rescue
    pool: diskless
    parent: diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root
    state: flattened

- name: Former root of the host is kept under another name
  diskless.ceph.rbd_image:
    name: root-20261121
    renamed_from: root
    pool: diskless
    namespace: pi1

- name: Old image is gone
  diskless.ceph.rbd_image:
    name: scratch
    pool: diskless
    state: absent
"""

RETURN = r"""
image:
  description: The image after the task, or as check mode expects it; null if it is absent.
  returned: success, with O(name)
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
    data_pool:
      description: The pool that holds its data; null if that is its own pool.
      type: str
    metadata:
      description: Its metadata.
      type: dict
  sample:
    data_pool: null
    features: [layering, exclusive-lock, object-map, fast-diff]
    metadata:
      suite: bookworm
    parent: null
    size: 8388608
images:
  description: The images after the task by their names C(pool/namespace/image), each like RV(image).
  returned: success, with O(images)
  type: dict
  sample:
    diskless/pi1/scratch:
      data_pool: null
      features: [layering, exclusive-lock, object-map, fast-diff]
      metadata: {}
      parent: null
      size: 8589934592
    diskless/pi2/scratch:
      data_pool: null
      features: [layering, exclusive-lock, object-map, fast-diff]
      metadata: {}
      parent: null
      size: 17179869184
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import SELECTABLE
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, parse_snapshot_name
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image_plan import (
    ImagePlan,
    WantedImage,
    describe,
    plan_images,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import (
    RbdState,
    read_default_features,
    read_rbd,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import parse_size

_STATES = ["present", "flattened", "absent"]
# What an item may say for itself; defaults are the module's own options'.
_ITEM: dict[str, dict[str, Any]] = {
    "pool": {"type": "str"},
    "namespace": {"type": "str"},
    "state": {"type": "str", "choices": _STATES},
    "size": {"type": "str"},
    "allow_shrink": {"type": "bool"},
    "features": {"type": "list", "elements": "str", "choices": list(SELECTABLE)},
    "source": {"type": "path"},
    "parent": {"type": "str"},
    "renamed_from": {"type": "str"},
    "data_pool": {"type": "str"},
    "metadata": {"type": "dict"},
}
_DEFAULTS = {"namespace": "", "state": "present", "allow_shrink": False}


def wanted_image(item: dict[str, Any]) -> WantedImage:
    """Return what an item asks for; raises ValueError for what cannot be understood."""
    if item["pool"] is None:
        raise ValueError(f"image {item['name']}: pool has to be given, for this image or for all")
    return WantedImage(
        name=ImageName(item["pool"], item["namespace"], item["name"]),
        state=item["state"],
        size=None if item["size"] is None else parse_size(item["size"]),
        features=tuple(item["features"] or ()),
        source=item["source"],
        source_size=_file_size(item["source"]),
        parent=None if item["parent"] is None else parse_snapshot_name(item["parent"]),
        renamed_from=None
        if item["renamed_from"] is None
        else ImageName(item["pool"], item["namespace"], item["renamed_from"]),
        allow_shrink=item["allow_shrink"],
        data_pool=item["data_pool"],
        metadata={key: _metadata_text(value) for key, value in (item["metadata"] or {}).items()},
    )


def _file_size(path: str | None) -> int | None:
    return Path(path).stat().st_size if path is not None and Path(path).is_file() else None


def _metadata_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def main() -> None:
    """Run the module."""
    own = {name: {**spec, "default": _DEFAULTS[name]} if name in _DEFAULTS else spec for name, spec in _ITEM.items()}
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "images": {
                "type": "list",
                "elements": "dict",
                "options": {"name": {"type": "str", "required": True}, **_ITEM},
            },
            "import_timeout": {"type": "int", "default": 3600},
            **own,
            **CEPH_ARGUMENT_SPEC,
        },
        required_one_of=[("name", "images")],
        mutually_exclusive=[("name", "images"), ("source", "parent", "renamed_from")],
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    wanted, problems = [], []
    for item in bulk_items(module.params, "name", "images", _ITEM):
        try:
            wanted.append(wanted_image(item))
        except ValueError as error:
            problems.append(str(error))
    try:
        run(module, client, wanted, problems)
    except CephError as error:
        module.fail_json(msg=str(error))


def run(module: AnsibleModule, client: CephClient, wanted: list[WantedImage], problems: list[str]) -> None:
    """Read, plan and, unless in check mode, apply."""
    state = read_rbd(client, {name for image in wanted for name in image.reads()})
    plans = plan_images(wanted, state, _default_features(client, wanted, state))
    problems += [problem for plan in plans for problem in plan.problems]
    if problems:
        module.fail_json(msg="; ".join(problems))
    changed = [plan for plan in plans if plan.operations]
    after = {str(plan.name): plan.after for plan in plans}
    if changed and not module.check_mode:
        apply_operations(client, [plan.operations for plan in changed], module.params["import_timeout"])
        after.update(_read_again(client, changed))
    result = {"images": after} if module.params["name"] is None else {"image": after[str(plans[0].name)]}
    diff = {
        "before": {name: state for plan in changed for name, state in plan.before_by_name.items()},
        "after": {name: state for plan in changed for name, state in plan.after_by_name.items()},
    }
    module.exit_json(changed=bool(changed), diff=diff, **result)


def _default_features(client: CephClient, wanted: list[WantedImage], state: RbdState) -> dict[str, tuple[str, ...]]:
    pools = {
        image.name.pool
        for image in wanted
        if image.state != "absent" and image.name not in state.images
        # Whatever exists has its features, and a clone those of its parent.
        if not (image.features or image.parent or image.renamed_from)
    }
    existing = pools & state.pools
    return read_default_features(client, existing) if existing else {}


def _read_again(client: CephClient, plans: list[ImagePlan]) -> dict[str, Any]:
    images = read_rbd(client, [plan.name for plan in plans]).images
    return {str(plan.name): describe(images[plan.name]) if plan.name in images else None for plan in plans}


if __name__ == "__main__":
    main()
