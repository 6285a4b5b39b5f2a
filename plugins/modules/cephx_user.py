#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure one cephx user."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephx_user
short_description: Create, change or delete a cephx user
version_added: 0.1.0
description:
  - Brings about one cephx user with exactly these caps. Ceph makes the key; an existing key is kept.
  - Caps are compared by meaning, the order of grants and the spaces between words do not count.
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
    details: The key is never part of it.
  idempotent:
    support: full
options:
  name:
    description: Name of the user, with its type, as in V(client.backup).
    type: str
    required: true
  caps:
    description:
      - Caps by service, such as C(mon), C(osd), C(mds) or C(mgr).
      - What the user has for a service that is not named here is taken away.
    type: dict
    default: {}
  state:
    description: Whether the user exists.
    type: str
    choices: [present, absent]
    default: present
  return_key:
    description: Return the key. Give the task C(no_log) then.
    type: bool
    default: false
seealso:
  - name: Ceph, user management
    description: What caps mean.
    link: https://docs.ceph.com/en/latest/rados/operations/user-management/
"""

EXAMPLES = r"""
- name: Backup user may read the images
  diskless.ceph.cephx_user:
    name: client.backup
    caps:
      mon: profile rbd-read-only
      osd: profile rbd-read-only pool=diskless

- name: User of a retired host is gone
  diskless.ceph.cephx_user:
    name: client.diskless.pi3
    state: absent
"""

RETURN = r"""
caps:
  description: Caps of the user after the task, or as check mode expects them; null if it is absent.
  returned: success
  type: dict
  sample:
    mon: profile rbd-read-only
    osd: profile rbd-read-only pool=diskless
key:
  description: The user's key. In check mode there is none yet for a user that would be created.
  returned: success, and O(return_key=true), and O(state=present)
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
    CephNotFound,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser, parse_user, same_caps


def read_user(client: CephClient, name: str) -> CephxUser | None:
    """Return the user, None if there is none."""
    try:
        return parse_user(client.ceph_json("auth", "get", name)[0])
    except CephNotFound:
        return None


def apply(client: CephClient, name: str, found: CephxUser | None, wanted: dict[str, str] | None) -> CephxUser | None:
    """Change the user; ``wanted`` are its caps, None if it has to go."""
    if wanted is None:
        client.ceph("auth", "rm", name)
        return None
    words = [word for service, text in sorted(wanted.items()) for word in (service, text)]
    client.ceph("auth", "get-or-create" if found is None else "caps", name, *words)
    return read_user(client, name)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "caps": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "return_key": {"type": "bool", "default": False, "no_log": False},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    name = module.params["name"]
    wanted: dict[str, str] | None = None
    if module.params["state"] == "present":
        wanted = {service: str(text) for service, text in module.params["caps"].items()}
    client = CephClient.from_params(module.params)
    try:
        found = user = read_user(client, name)
        if wanted is None or found is None:
            changed = (wanted is None) != (found is None)
        else:
            changed = not same_caps(found.caps, wanted)
        if changed and not module.check_mode:
            user = apply(client, name, found, wanted)
    except CephError as error:
        module.fail_json(msg=str(error))
    before = None if found is None else dict(found.caps)
    after = wanted if changed else before
    result: dict[str, Any] = {"caps": after}
    if module.params["return_key"] and wanted is not None:
        result["key"] = None if user is None else user.key
    module.exit_json(changed=changed, diff={"before": {name: before}, "after": {name: after}}, **result)


if __name__ == "__main__":
    main()
