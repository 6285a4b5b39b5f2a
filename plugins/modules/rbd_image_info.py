#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell all about RBD images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_image_info
short_description: List RBD images with features, parents, snapshots, watchers and locks
version_added: 0.1.0
description:
  - Returns the images of a pool, all or those that are named, with everything that decides what can be done to them.
  - An image that does not exist is no error, it is missing from the list. So this also answers whether there is one.
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
    description: The pool.
    type: str
    required: true
  namespace:
    description:
      - Only images of this RBD namespace; an empty string is the pool's default namespace.
      - Without it those of every namespace of the pool.
    type: str
  images:
    description: Only images of these names.
    type: list
    elements: str
    aliases: [image]
  pattern:
    description: Only images whose name matches this shell pattern, such as V(golden-*).
    type: str
seealso:
  - module: diskless.ceph.rbd_image
  - module: diskless.ceph.rbd_feature
  - module: diskless.ceph.rbd_snapshot
  - module: diskless.ceph.rbd_lock_info
"""

EXAMPLES = r"""
- name: Root images of all hosts
  diskless.ceph.rbd_image_info:
    pool: diskless
    images: [root]
  register: root_images

- name: No image has an object map that is out of date
  ansible.builtin.assert:
    that: root_images.images | selectattr('flags') | length == 0
"""

RETURN = r"""
images:
  description: The images in the order of namespace and name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the image.
      type: str
    pool:
      description: Its pool.
      type: str
    namespace:
      description: Its namespace; empty for the pool's default namespace.
      type: str
    spec:
      description: The whole name as C(rbd) takes it, C(pool/namespace/image).
      type: str
    id:
      description: Ceph's id of the image, part of the names of its objects.
      type: str
    size:
      description: Size in bytes.
      type: int
    features:
      description: Its features, also those that Ceph sets by itself.
      type: list
      elements: str
    flags:
      description: C(object map invalid) and C(fast diff invalid), where they are set.
      type: list
      elements: str
    parent:
      description:
        - The snapshot it was cloned from; null if it is no clone. A parent's snapshot that was deleted under its
          clones has a UUID for a name.
      type: str
    parent_id:
      description: Ceph's id of the parent image; null if it is no clone.
      type: str
    snapshots:
      description: Its snapshots, the oldest first.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the snapshot.
          type: str
        size:
          description: Size in bytes of the image when it was taken.
          type: int
        protected:
          description: Whether it is protected.
          type: bool
    watchers:
      description: The clients that have the image open for writing.
      type: list
      elements: dict
      contains:
        address:
          description: Client instance, C(address:port/nonce).
          type: str
        client:
          description: The client, C(client.NUMBER).
          type: str
    lock:
      description:
        - Who holds the lock; null if nobody does. A lock without a watcher of the same address is that of a client
          that is gone.
      type: dict
      contains:
        locker:
          description: The client, C(client.NUMBER).
          type: str
        address:
          description: Its client instance, C(address:port/nonce).
          type: str
        lock_id:
          description: Id of the lock; C(auto) and a number where the client took it by itself.
          type: str
        exclusive:
          description: Whether it is the only one; a shared lock can have more owners than the one that is named.
          type: bool
    data_pool:
      description: The pool that holds its data; null if that is its own pool.
      type: str
    metadata:
      description: Its metadata.
      type: dict
  sample:
    - data_pool: null
      features: [layering, exclusive-lock, object-map, fast-diff, operations]
      flags: []
      id: 13b03446e296
      lock:
        address: 127.0.0.1:0/26684390
        exclusive: true
        lock_id: auto 139948556652320
        locker: client.5046
      metadata:
        suite: bookworm
      name: root
      namespace: pi1
      parent: diskless/golden-bookworm-amd64-0a1b2c3d4e5f@root
      parent_id: 13a26396d58b
      pool: diskless
      size: 17179869184
      snapshots:
        - name: before-upgrade
          protected: false
          size: 17179869184
      spec: diskless/pi1/root
      watchers:
        - address: 127.0.0.1:0/26684390
          client: client.5046
"""

from fnmatch import fnmatchcase
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import list_images, read_rbd


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str"},
            "images": {"type": "list", "elements": "str", "aliases": ["image"]},
            "pattern": {"type": "str"},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    pool = module.params["pool"]
    try:
        state = read_rbd(client, wanted_names(client, module.params))
    except CephError as error:
        module.fail_json(msg=str(error))
    if pool not in state.pools:
        module.fail_json(msg=f"pool {pool} does not exist{nearest(pool, state.pools)}")
    module.exit_json(changed=False, images=[image_info(image) for _name, image in sorted(state.images.items())])


def wanted_names(client: CephClient, params: dict[str, Any]) -> list[ImageName]:
    """Return the images to read; the cluster is asked for their names where the task does not say them all."""
    pool, namespace, names, pattern = (params[option] for option in ("pool", "namespace", "images", "pattern"))
    if names is not None and namespace is not None:
        found = [ImageName(pool, namespace, name) for name in names]
    else:
        found = list_images(client, pool, namespace)
    return [
        image for image in found if (names is None or image.image in names) and fnmatchcase(image.image, pattern or "*")
    ]


def image_info(image: Image) -> dict[str, Any]:
    """Return an image as the module returns it."""
    name, parent, lock = image.name, image.parent, image.lock
    return {
        "name": name.image,
        "pool": name.pool,
        "namespace": name.namespace,
        "spec": str(name),
        "id": image.image_id,
        "size": image.size,
        "features": list(image.features),
        "flags": list(image.flags),
        "parent": None if parent is None else str(parent.snapshot),
        "parent_id": None if parent is None else parent.image_id,
        "snapshots": [vars(snapshot) for snapshot in image.snapshots],
        "watchers": [vars(watcher) for watcher in image.watchers],
        "lock": None if lock is None else vars(lock),
        "data_pool": image.data_pool,
        "metadata": dict(image.metadata),
    }


if __name__ == "__main__":
    main()
