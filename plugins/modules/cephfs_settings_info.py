#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return the settings of CephFS file systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_settings_info
short_description: Return what file systems expect of their clients and of their MDS
version_added: 0.1.0
description:
  - Returns what M(diskless.ceph.cephfs_settings) sets, and which MDS serve the file systems.
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
    details: Nothing is changed.
  idempotent:
    support: full
options:
  file_systems:
    description: Names of the file systems; without any, all that the cluster has.
    type: list
    elements: str
    default: []
    aliases: [file_system, name]
seealso:
  - module: diskless.ceph.cephfs_settings
  - module: diskless.ceph.mds_options_info
"""

EXAMPLES = r"""
- name: Settings of all file systems are known
  diskless.ceph.cephfs_settings_info:
  register: found

- name: No file system evicts a client within five minutes
  ansible.builtin.assert:
    that: item.session_autoclose >= 300
  loop: "{{ found.file_systems }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
release:
  description: Release of Ceph that all monitors run at least.
  returned: success
  type: int
  sample: 18
file_systems:
  description: The chosen file systems, in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file system.
      type: str
      sample: cephfs
    id:
      description: Number of the file system, as in the names of its metrics and in C(ceph fs dump).
      type: int
      sample: 1
    allow_new_snaps:
      description: Whether snapshots can be made.
      type: bool
      sample: true
    allow_standby_replay:
      description: Whether a standby MDS follows the journal of an active one.
      type: bool
      sample: false
    joinable:
      description: Whether an MDS may take a rank.
      type: bool
      sample: true
    max_file_size:
      description: The largest size of a file, in bytes.
      type: int
      sample: 1099511627776
    max_mds:
      description: Number of MDS that are active at once.
      type: int
      sample: 1
    refuse_client_session:
      description: Whether new sessions of clients are refused.
      returned: release 18 and later
      type: bool
      sample: false
    refuse_standby_for_another_fs:
      description: Whether a standby MDS that is for another file system may not serve this one.
      returned: release 18 and later
      type: bool
      sample: false
    required_client_features:
      description: Features that a client has to have.
      returned: release 16 and later
      type: list
      elements: str
      sample: []
    session_autoclose:
      description: Seconds of silence after which a client is evicted.
      type: int
      sample: 300
    session_timeout:
      description: Seconds of silence after which a session is stale.
      type: int
      sample: 60
    standby_count_wanted:
      description: Number of standby MDS below which the cluster's health is a warning.
      type: int
      sample: 0
    ranks:
      description: The MDS that serve the file system or follow one that does.
      type: list
      elements: dict
      contains:
        rank:
          description: The part of the file system that it serves; standby MDS that follow it have the same.
          type: int
          sample: 0
        mds:
          description: Name of the MDS, without C(mds.).
          type: str
          sample: a
        state:
          description: Its state, in Ceph's words.
          type: str
          sample: up:active
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import read_cluster
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings import parse_fs_dump, shown
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings_plan import choose, unknown


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "file_systems": {"type": "list", "elements": "str", "default": [], "aliases": ["file_system", "name"]},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    try:
        cluster = read_cluster(client)
        found = parse_fs_dump(client.ceph_json("fs", "dump"), cluster.release)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    problems = unknown(found, module.params["file_systems"])
    if problems:
        module.fail_json(msg="; ".join(problems))
    module.exit_json(
        changed=False,
        release=cluster.release,
        file_systems=[
            {
                "name": one.name,
                "id": one.file_system_id,
                **shown(one.settings),
                "ranks": [rank.as_dict() for rank in one.ranks],
            }
            for one in choose(found, module.params["file_systems"])
        ],
    )


if __name__ == "__main__":
    main()
