#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure a CephFS subvolume group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_subvolume_group
short_description: Create a directory in CephFS without mounting it
version_added: 0.1.0
description:
  - Creates a subvolume group, which is a directory in C(/volumes). It belongs to root and has mode 0755.
  - The cluster makes it by itself, so nothing has to be mounted. A cephx user can be limited to the directory, which
    has to exist before such a user can mount it.
  - An existing group is left as it is. Groups are never deleted.
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
  file_system:
    description: Name of the CephFS file system. It has to exist.
    type: str
    required: true
  name:
    description: Name of the group.
    type: str
    required: true
seealso:
  - module: diskless.ceph.cephx_user
  - name: Ceph, FS volumes and subvolumes
    description: What subvolume groups are.
    link: https://docs.ceph.com/en/latest/cephfs/fs-volumes/
"""

EXAMPLES = r"""
- name: Directory of the boot trees exists
  diskless.ceph.cephfs_subvolume_group:
    file_system: cephfs
    name: diskless
  register: directory

- name: Boot server can use it, and nothing else
  diskless.ceph.cephx_user:
    name: client.diskless-boot
    caps:
      mon: allow r
      mds: allow rw path={{ directory.path }}
      osd: allow rw tag cephfs data=cephfs
"""

RETURN = r"""
path:
  description: Path of the directory in the file system. What check mode has not made would be there.
  returned: success
  type: str
  sample: /volumes/diskless
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
    CephNotFound,
)

# Where Ceph puts groups.
VOLUMES = "/volumes"


def group_path(client: CephClient, file_system: str, name: str) -> str | None:
    """Return the path of a group, or None if there is none."""
    try:
        return client.ceph("fs", "subvolumegroup", "getpath", file_system, name).strip()
    except CephNotFound:
        return None


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "file_system": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    file_system, name = module.params["file_system"], module.params["name"]
    try:
        existing = [entry["name"] for entry in client.ceph_json("fs", "ls")]
        if file_system not in existing:
            found = ", ".join(existing) or "none"
            module.fail_json(msg=f"CephFS file system {file_system} does not exist; the cluster has {found}")
        before = path = group_path(client, file_system, name)
        if before is None and not module.check_mode:
            client.ceph("fs", "subvolumegroup", "create", file_system, name)
            path = group_path(client, file_system, name)
    except CephError as error:
        module.fail_json(msg=str(error))
    path = path or f"{VOLUMES}/{name}"
    module.exit_json(
        changed=before is None,
        path=path,
        diff={"before": {"path": before}, "after": {"path": path}},
    )


if __name__ == "__main__":
    main()
