#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the locks of RBD images from dead owners."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_lock
short_description: Take the lock of an RBD image from its dead owner
version_added: 0.1.0
description:
  - Breaks the exclusive lock of an image whose owner died without giving it back, so that another client can write.
  - The owner's client instance, and nothing else, is blocklisted first, and C(ceph osd dump) has to list it.
    So an owner that was only cut off from the network cannot write any more when it comes back.
    What else that instance has open, other images or file systems, it loses as well.
  - Then the lock is broken, if it still is the same, and the image is read again to see that it is gone.
  - A client that opens an image for writing does all of this by itself once the owner is dead, if its caps allow it to
    blocklist. This module is for clients that may not, and for those who want to know before they start one.
  - Ceph itself blocklists the owner of a lock that is broken, for 3600 seconds, unless the option
    C(rbd_blocklist_on_break_lock) is off. An entry that this module made before keeps its own time.
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
  image:
    description: Name of the image. One of O(image) and O(images) is required.
    type: str
  images:
    description:
      - Many images, at the cost of a few calls of Ceph.
      - What an image does not say, the module's own O(pool), O(namespace) and O(owner) say.
    type: list
    elements: dict
    suboptions:
      image:
        description: Name of the image.
        type: str
        required: true
      pool:
        description: Pool of the image.
        type: str
      namespace:
        description: RBD namespace of the image.
        type: str
      owner:
        description: Whose lock it has to be.
        type: str
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
      - V(broken) takes the lock away. An image without a lock stays as it is.
    type: str
    choices: [broken]
    default: broken
  owner:
    description:
      - Whose lock it has to be, a client such as V(client.4137) or a client instance such as V(10.0.0.13:0/2736153118),
        as M(diskless.ceph.rbd_lock_info) returns them.
      - If the lock belongs to somebody else by now, the module fails and does nothing to whoever that is.
      - Without it, it is the owner that is found.
    type: str
  force:
    description:
      - Break the lock although its owner is alive, which means that it watches the image, or although nothing
        tells whether it is, which is so for a lock set by hand with C(rbd lock add).
      - A live owner loses what it has not written yet. It gets C(ESHUTDOWN) for every write from then on;
        a librbd client of Ceph 14 hangs for good instead.
    type: bool
    default: false
  blocklist_expire:
    description:
      - How long the owner is kept out, seconds or a duration such as V(1h30m); one minute at least.
      - It has to be longer than the owner may need to come back, for example from a suspended state.
      - An entry for the instance, its host or a range that has at least half of that left is left alone.
        One for the instance that ends earlier is renewed. Ceph can only remove it and add it again; in between,
        the owner still has its lock.
    type: str
    default: 1h
seealso:
  - module: diskless.ceph.rbd_lock_info
"""

EXAMPLES = r"""
- name: Lock of the host that lost its power is broken
  diskless.ceph.rbd_lock:
    image: pi3
    pool: diskless
    owner: client.4137

- name: Locks of a rack that lost its power are broken
  diskless.ceph.rbd_lock:
    pool: diskless
    images:
      - image: pi3
      - image: pi4
        owner: 10.0.0.14:0/2736153118
    blocklist_expire: 1d
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - blocklist 10.88.0.3:0/1345063765 for 3600 s
    - break lock 'auto 140467442388832' of client.4154 on image diskless/pi3/root
locks:
  description: The locks that were broken, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description: Pool of the image.
      type: str
    namespace:
      description: RBD namespace of the image; empty for the default one.
      type: str
    image:
      description: Name of the image.
      type: str
    owner:
      description: The client that held the lock.
      type: str
    address:
      description: The client instance of the owner.
      type: str
    lock_id:
      description: Ceph's name of the lock.
      type: str
  sample:
    - address: 10.88.0.3:0/1345063765
      image: root
      lock_id: auto 140467442388832
      namespace: pi3
      owner: client.4154
      pool: diskless
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_expire import parse_duration
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock import parse_owner
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_apply import break_locks
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_fence import latest_now, plan_fence
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_plan import (
    LockPlan,
    WantedBreak,
    describe_lock,
    refusal,
    repetitions,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_reader import read_images

SHORTEST_EXPIRE_SECONDS = 60


def wanted_breaks(params: dict[str, Any]) -> list[WantedBreak]:
    """Return what the options ask for; raises ValueError that names everything wrong with them."""
    wanted, problems = [], []
    for item in bulk_items(params, "image", "images", ("pool", "namespace", "owner")):
        name = ImageName(item["pool"], item["namespace"], item["image"])
        try:
            wanted.append(WantedBreak(name, item["owner"] and parse_owner(item["owner"])))
        except ValueError as error:
            problems.append(f"image {name}: {error}")
    problems += repetitions(wanted)
    if problems:
        raise ValueError("; ".join(problems))
    return wanted


def expire_seconds(text: str) -> int:
    """Return option ``blocklist_expire`` in seconds; raises ValueError."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"blocklist_expire: {error}") from error
    if seconds < SHORTEST_EXPIRE_SECONDS:
        raise ValueError(f"blocklist_expire {text}: the owner would soon be back, {SHORTEST_EXPIRE_SECONDS} s at least")
    return seconds


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "str"},
            "images": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "image": {"type": "str", "required": True},
                    "pool": {"type": "str"},
                    "namespace": {"type": "str"},
                    "owner": {"type": "str"},
                },
            },
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["broken"], "default": "broken"},
            "owner": {"type": "str"},
            "force": {"type": "bool", "default": False},
            "blocklist_expire": {"type": "str", "default": "1h"},
            **CEPH_ARGUMENT_SPEC,
        },
        required_one_of=[("image", "images")],
        mutually_exclusive=[("image", "images")],
        supports_check_mode=True,
    )
    try:
        wanted, seconds = wanted_breaks(module.params), expire_seconds(module.params["blocklist_expire"])
        run(module, CephClient.from_params(module.params), wanted, seconds)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))


def run(module: AnsibleModule, client: CephClient, wanted: list[WantedBreak], seconds: int) -> None:
    """Read, plan and, unless in check mode, apply."""
    mon_dump, osd_dump = client.ceph_json_many([("mon", "dump"), ("osd", "dump")])
    dialect = Dialect(parse_mon_dump(mon_dump).release)
    images = read_images(client, [item.name for item in wanted])
    problems = [refusal(item, image, module.params["force"]) for item, image in zip(wanted, images)]
    if any(problems):
        raise ValueError("; ".join(problem for problem in problems if problem))
    now = latest_now(datetime.now(timezone.utc), dialect.release)
    plans = plan_locks(images, parse_blocklist(osd_dump), seconds, now)
    if plans and not module.check_mode:
        break_locks(client, dialect, plans)
    untouched = {str(image.name): {"lock": None} for image in images}
    module.exit_json(
        changed=bool(plans),
        actions=list(dict.fromkeys(action for plan in plans for action in plan.actions)),
        locks=[
            {
                "pool": plan.name.pool,
                "namespace": plan.name.namespace,
                "image": plan.name.image,
                **describe_lock(plan.lock),
            }
            for plan in plans
        ],
        diff={
            "before": {**untouched, **{str(plan.name): plan.before for plan in plans}},
            "after": {**untouched, **{str(plan.name): plan.after for plan in plans}},
        },
    )


def plan_locks(images: list[Image], blocklist: Blocklist, seconds: int, now: datetime) -> list[LockPlan]:
    """Plan for the images that have a lock."""
    return [
        LockPlan(image.name, image.lock, plan_fence(image.lock.address, blocklist, seconds, now))
        for image in sorted(images, key=lambda image: image.name)
        if image.lock is not None
    ]


if __name__ == "__main__":
    main()
