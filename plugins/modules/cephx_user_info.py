#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List cephx users."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephx_user_info
short_description: List cephx users, how old their keys are, and who of them can fence others off
version_added: 0.1.0
description:
  - Lists cephx users with their caps, the networks these are restricted to, and the type and age of the key. The key
    itself is never returned.
  - Says by which grants a user can fence others off, that is, put more than single clients on the OSD blocklist.
  - From Ceph 16 on everybody with C(profile rbd), C(profile rbd-read-only) and the like may run
    C(ceph osd blocklist range add), which cuts off all clients of a network; before, C(ceph osd blacklist add) with
    C(ADDRESS:0/0), which cuts off all clients of a host and works on later releases as well. The cluster's health says
    nothing about it. The profiles of M(diskless.ceph.cephx_user) are a narrower choice.
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
  name:
    description: Only these users. One that does not exist is not in the result.
    type: list
    elements: str
    default: []
  pattern:
    description: Only users whose names match one of these shell patterns, as V(client.diskless.*).
    type: list
    elements: str
    default: []
seealso:
  - module: diskless.ceph.cephx_user
  - name: Ceph, user management
    description: What caps mean.
    link: https://docs.ceph.com/en/latest/rados/operations/user-management/
"""

EXAMPLES = r"""
- name: Users are known
  diskless.ceph.cephx_user_info:
    pattern: client.*
  register: cephx

- name: No client but the administrator can fence off a network
  ansible.builtin.assert:
    that: >-
      cephx.users | rejectattr('name', 'eq', 'client.admin') | map(attribute='can_fence') | flatten
      | selectattr('reach', 'eq', 'network') | length == 0
"""

RETURN = r"""
users:
  description: The users by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the user.
      type: str
    caps:
      description: Its caps by service.
      type: dict
    networks:
      description: Networks that grants are restricted to, as they are written there.
      type: list
      elements: str
    restricted:
      description: Whether every grant is restricted to a network, and there is one.
      type: bool
    matches_nobody:
      description: Those of RV(users[].networks) that Ceph takes but lets nobody in from, as they lack a prefix length.
      type: list
      elements: str
    key_type:
      description: Type of the key, V(aes), V(aes256k) or V(unknown).
      type: str
    key_created:
      description: When the key was created, in UTC; null if the key does not say.
      type: str
    key_age_seconds:
      description: How old the key is by the clock of the managed node; null if the key does not say.
      type: int
    can_fence:
      description: The grants by which the user can put more than single clients on the blocklist; empty if it cannot.
      type: list
      elements: dict
      contains:
        grant:
          description: The grant among the mon caps.
          type: str
        reach:
          description: What can be fenced off, V(network) or V(host). Before Ceph 16 it is never a network.
          type: str
        network:
          description: From where alone the grant can be used; empty for anywhere.
          type: str
  sample:
    - name: client.backup
      caps:
        mon: profile simple-rados-client network 10.77.0.5/32
        osd: profile rbd-read-only pool=diskless network 10.77.0.5/32
      networks: [10.77.0.5/32]
      restricted: true
      matches_nobody: []
      key_type: aes
      key_created: "2026-11-21T12:32:11Z"
      key_age_seconds: 23
      can_fence: []
    - name: client.hv1
      caps:
        mon: profile rbd network 10.77.0.0/24
        osd: profile rbd pool=diskless network 10.77.0.0/24
      networks: [10.77.0.0/24]
      restricted: true
      matches_nobody: []
      key_type: aes
      key_created: "2026-11-21T12:32:23Z"
      key_age_seconds: 11
      can_fence:
        - grant: profile rbd network 10.77.0.0/24
          reach: network
          network: 10.77.0.0/24
"""

import time
from fnmatch import fnmatchcase

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_auth import read_auth
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_description import describe_user


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str", "default": []},
            "pattern": {"type": "list", "elements": "str", "default": []},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    names, patterns = module.params["name"], module.params["pattern"]
    try:
        state = read_auth(CephClient.from_params(module.params))
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    users = [
        describe_user(user, state.release, time.time())
        for name, user in sorted(state.users.items())
        if not (names or patterns) or name in names or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    module.exit_json(changed=False, users=users)


if __name__ == "__main__":
    main()
