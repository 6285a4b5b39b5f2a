#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable or disable features of RBD images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_feature
short_description: Enable or disable features of RBD images
version_added: 0.1.0
description:
  - Enables or disables features of one existing RBD image, or with O(images) of any number of them in one task.
  - C(object-map), C(fast-diff) and C(journaling) build on C(exclusive-lock). Enabling a feature also enables what it
    builds on, disabling one also disables what builds on it, always in the order that Ceph demands. What that comes
    down to is returned, and shown by the diff, before anything is done.
  - Ceph enables and disables C(object-map) and C(fast-diff) together, whichever of the two it is asked for.
  - Other features are chosen when an image is created. C(deep-flatten) can be disabled, but never enabled again.
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
      features:
        description: See O(features).
        type: list
        elements: str
      state:
        description: See O(state).
        type: str
        choices: [enabled, disabled]
  pool:
    description: Pool of the image. Required, if not by each item of O(images).
    type: str
  namespace:
    description: RBD namespace of the image; empty for the pool's default namespace.
    type: str
    default: ""
  features:
    description:
      - The features to enable or disable, of C(exclusive-lock), C(object-map), C(fast-diff), C(journaling) and
        C(deep-flatten). Required, if not by each item of O(images).
      - Those that cannot be changed, such as C(layering), may be named as long as the image already is as wanted.
    type: list
    elements: str
  state:
    description:
      - V(enabled) enables O(features) and what they build on.
      - V(disabled) disables O(features) and what builds on them.
    type: str
    choices: [enabled, disabled]
    default: enabled
  kernel:
    description:
      - Version of the kernel that maps the images, such as V(6.1) or V(6.1.0-28-amd64). A feature that it cannot map is
        not enabled.
      - C(object-map) and C(fast-diff) need 5.3, C(exclusive-lock) needs 4.9. No kernel can map C(journaling).
    type: str
  rebuild_object_map:
    description:
      - Rebuild the object map after enabling it, and whenever the image says that it is invalid. Until then Ceph makes
        no use of it.
      - With O(state=disabled) it is never rebuilt.
      - That looks at every object of the image, which may take longer than O(ceph_timeout). The object maps of
        snapshots are not rebuilt.
    type: bool
    default: true
  force:
    description:
      - Disable C(exclusive-lock) and what builds on it although a client holds the lock or watches the image.
      - Then nothing keeps a second client from writing at the same time.
    type: bool
    default: false
seealso:
  - module: diskless.ceph.rbd_image
  - module: diskless.ceph.rbd_image_info
  - module: diskless.ceph.rbd_lock
"""

EXAMPLES = r"""
- name: Only one host at a time can write to the image, and Ceph keeps track of what it holds
  diskless.ceph.rbd_feature:
    name: root
    pool: diskless
    namespace: pi1
    features: [fast-diff]
    kernel: "{{ ansible_facts.kernel }}"

- name: Old kernels can map the images
  diskless.ceph.rbd_feature:
    pool: diskless
    features: [object-map, deep-flatten]
    state: disabled
    images:
      - name: root
        namespace: udoo1
      - name: root
        namespace: udoo2
"""

RETURN = r"""
image:
  description: The image after the task, or as check mode expects it.
  returned: success, with O(name)
  type: dict
  contains:
    closure:
      description:
        - The features that the task changed, or would change, with those that come along, in the order in which they
          have to be. Empty if everything was as wanted.
      type: list
      elements: str
    features:
      description: All features of the image.
      type: list
      elements: str
    flags:
      description: What Ceph says of its object map, V(object map invalid) and V(fast diff invalid).
      type: list
      elements: str
  sample:
    closure: [exclusive-lock, object-map, fast-diff]
    features: [layering, exclusive-lock, object-map, fast-diff]
    flags: []
images:
  description: The images after the task by their names C(pool/namespace/image), each like RV(image).
  returned: success, with O(images)
  type: dict
  sample:
    rbd-tests/many-1:
      closure: [object-map, fast-diff]
      features: [layering, exclusive-lock, object-map, fast-diff]
      flags: []
    rbd-tests/many-2:
      closure: [fast-diff, object-map, deep-flatten]
      features: [layering, exclusive-lock]
      flags: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_feature_plan import (
    FeaturePlan,
    FeatureRules,
    WantedFeatures,
    plan_features,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import parse_kernel
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_images
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd

# What an item may say for itself; defaults are the module's own options'.
_ITEM: dict[str, dict[str, Any]] = {
    "pool": {"type": "str"},
    "namespace": {"type": "str"},
    "features": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["enabled", "disabled"]},
}
_DEFAULTS = {"namespace": "", "state": "enabled"}


def wanted_features(item: dict[str, Any]) -> WantedFeatures:
    """Return what an item asks for; raises ValueError for what is missing."""
    for option in ("pool", "features"):
        if not item[option]:
            raise ValueError(f"image {item['name']}: {option} has to be given, for this image or for all")
    name = ImageName(item["pool"], item["namespace"], item["name"])
    return WantedFeatures(name, tuple(item["features"]), item["state"] == "enabled")


def collect(params: dict[str, Any]) -> tuple[list[WantedFeatures], list[str]]:
    """Return what the task asks for, and what is wrong with how it asks."""
    wanted: dict[ImageName, WantedFeatures] = {}
    problems = []
    for item in bulk_items(params, "name", "images", _ITEM):
        try:
            found = wanted_features(item)
        except ValueError as error:
            problems.append(str(error))
            continue
        if found.name in wanted:
            problems.append(f"image {found.name} is named twice: name it once, or use a task for each")
        wanted[found.name] = found
    if params["kernel"] is not None:
        try:
            parse_kernel(params["kernel"])
        except ValueError as error:
            problems.append(str(error))
    return list(wanted.values()), problems


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
            **own,
            "kernel": {"type": "str"},
            "rebuild_object_map": {"type": "bool", "default": True},
            "force": {"type": "bool", "default": False},
            **CEPH_ARGUMENT_SPEC,
        },
        required_one_of=[("name", "images")],
        mutually_exclusive=[("name", "images")],
        supports_check_mode=True,
    )
    wanted, problems = collect(module.params)
    if problems:
        module.fail_json(msg="; ".join(problems))
    try:
        run(module, CephClient.from_params(module.params), wanted)
    except CephError as error:
        module.fail_json(msg=str(error))


def run(module: AnsibleModule, client: CephClient, wanted: list[WantedFeatures]) -> None:
    """Read, plan and, unless in check mode, apply."""
    params = module.params
    rules = FeatureRules(params["kernel"], params["rebuild_object_map"], params["force"])
    state = read_rbd(client, [image.name for image in wanted])
    problems = missing_images(client, [image.name for image in wanted], state)
    plans = [plan_features(image, state.images[image.name], rules) for image in wanted if image.name in state.images]
    problems += [problem for plan in plans for problem in plan.problems]
    if problems:
        module.fail_json(msg="; ".join(problems))
    changed = [plan for plan in plans if plan.operations]
    if changed and not module.check_mode:
        apply_operations(client, [plan.operations for plan in changed])
    after = {str(plan.name): result(plan) for plan in plans}
    answer = {"images": after} if params["name"] is None else {"image": after[str(plans[0].name)]}
    diff = {
        "before": {str(plan.name): plan.before for plan in changed},
        "after": {str(plan.name): plan.after for plan in changed},
    }
    module.exit_json(changed=bool(changed), diff=diff, **answer)


def result(plan: FeaturePlan) -> dict[str, Any]:
    """Return what the module says about an image."""
    return {**plan.after, "closure": list(plan.closure)}


if __name__ == "__main__":
    main()
