#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell who holds the locks of RBD images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_lock_info
short_description: Tell who holds the locks of RBD images, and whether that client is alive
version_added: 0.1.0
description:
  - For some images of a pool, or for all of them, returns the owner of the exclusive lock, the watchers, whether the
    owner is among them, and what in the OSD blocklist hits the owner.
  - It costs the same few calls of Ceph for one image as for a thousand.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  pool:
    description: Pool of the images.
    type: str
    required: true
  namespace:
    description:
      - RBD namespace of the images; empty for the pool's default namespace.
      - Without it, O(images) are in the default namespace, and without O(images) it is every namespace of the pool.
    type: str
  images:
    description:
      - Names of the images. They have to exist.
      - Without it, all images of the namespace or of the pool.
    type: list
    elements: str
    aliases: [image]
seealso:
  - module: diskless.ceph.rbd_lock
"""

EXAMPLES = r"""
- name: Locks of all root images are known
  diskless.ceph.rbd_lock_info:
    pool: diskless
  register: locks

- name: Images whose owner is dead are shown
  ansible.builtin.debug:
    msg: "{{ locks.images | selectattr('lock') | rejectattr('lock.owner_alive') | map(attribute='image') }}"
"""

RETURN = r"""
images:
  description: The images, sorted by pool, namespace and name.
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
    lock:
      description: The lock; null if nobody holds it. Of a shared lock this is the first of its owners.
      type: dict
      contains:
        owner:
          description: The client that holds the lock, in Ceph's word its locker.
          type: str
        address:
          description: The client instance of the owner, which is what the OSD blocklist knows it by.
          type: str
        lock_id:
          description: Ceph's name of the lock; one that a client takes by itself is C(auto) and the cookie.
          type: str
        cookie:
          description: Cookie of the watch under which the client took the lock; null if the lock was set by hand.
          type: int
        exclusive:
          description: Whether there can be no other owner. Only a lock set by hand can be shared.
          type: bool
        owner_alive:
          description:
            - Whether the owner's instance watches the image. A client that died still does so for 30 s,
              or what C(osd_client_watch_timeout) says.
            - Null where that cannot be known, because the lock was set by hand (C(rbd lock add)).
          type: bool
        owner_blocklisted:
          description: Whether the OSD blocklist hits the owner's instance.
          type: bool
        blocklisted_by:
          description: The blocklist entries that hit the owner's instance.
          type: list
          elements: dict
          contains:
            address:
              description: The entry, an instance, a whole host or a range.
              type: str
            kind:
              description: V(client) for the very instance, V(host) for all of its host, V(range) for a network.
              type: str
            seconds_left:
              description:
                - Seconds until it ends.
                - Ceph 14 gives no time zone with it; it is taken to be UTC.
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
  sample:
    - image: root
      lock:
        address: 10.88.0.3:0/1345063765
        blocklisted_by:
          - address: 10.88.0.3:0/1345063765
            kind: client
            seconds_left: 995
        cookie: 140467442388832
        exclusive: true
        lock_id: auto 140467442388832
        owner: client.4154
        owner_alive: false
        owner_blocklisted: true
      namespace: pi3
      pool: diskless
      watchers: []
    - image: root
      lock:
        address: 10.88.0.3:0/1720152715
        blocklisted_by: []
        cookie: 139749847222368
        exclusive: true
        lock_id: auto 139749847222368
        owner: client.4184
        owner_alive: true
        owner_blocklisted: false
      namespace: pi4
      pool: diskless
      watchers:
        - address: 10.88.0.3:0/1720152715
          client: client.4184
"""

from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock import describe_image
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_reader import read_all_images, read_images


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            "images": {"type": "list", "elements": "str", "aliases": ["image"]},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    pool, namespace, wanted = (module.params[option] for option in ("pool", "namespace", "images"))
    try:
        osd_dump = client.ceph_json("osd", "dump")
        if wanted is None:
            pools = {entry["pool_name"] for entry in osd_dump["pools"]}
            images = read_all_images(client, pool, namespace, pools)
        else:
            images = read_images(client, sorted({ImageName(pool, namespace or "", image) for image in wanted}))
        blocklist, now = parse_blocklist(osd_dump), datetime.now(timezone.utc)
        found = [describe_image(image, blocklist, now) for image in images]
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, images=found)


if __name__ == "__main__":
    main()
