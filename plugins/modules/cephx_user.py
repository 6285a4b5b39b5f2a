#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure cephx users."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephx_user
short_description: Create, change or delete cephx users, and replace their keys
version_added: 0.1.0
description:
  - Brings about one cephx user (O(name)) or many (O(users)) with exactly these caps, in a handful of calls however many
    they are.
  - Caps are compared by meaning. The order of grants, the spaces between words and the kind of quotes do not count.
  - An existing key is kept, unless O(key_max_age), O(key_not_before) or O(rotate) says that it has to go.
  - What an item of O(users) does not say, the module's own option says. An item with O(users[].caps) does not take the
    module's O(profile), and one with O(users[].profile) not its O(caps).
  - Everything that is wrong with a task is reported at once, before anything is changed. That includes caps that Ceph
    cannot read.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
    details: Ceph is asked whether it can read new caps by a command that it always refuses.
  diff_mode:
    support: full
    details: Keys are never part of it, only their type and whether there is a new one.
  idempotent:
    support: partial
    details: Not with O(rotate=always).
options:
  name:
    description:
      - Name of the user, with its type, as in V(client.backup).
      - Either this or O(users) is needed.
    type: str
  users:
    description: Users, each with options of its own. Either this or O(name) is needed.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the user, with its type, as in V(client.backup).
        type: str
        required: true
      caps:
        description: As O(caps).
        type: dict
      profile:
        description: As O(profile).
        type: str
        choices: [narrow_rbd, narrow_rbd_read_only]
      pool:
        description: As O(pool).
        type: str
      namespace:
        description: As O(namespace).
        type: str
      network:
        description: As O(network).
        type: str
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
      key_type:
        description: As O(key_type).
        type: str
        choices: [aes, aes256k]
      key_max_age:
        description: As O(key_max_age).
        type: str
      key_not_before:
        description: As O(key_not_before).
        type: str
      rotate:
        description: As O(rotate).
        type: str
        choices: [when_due, always]
  caps:
    description:
      - Caps by service, which is V(mon), V(osd), V(mds) or V(mgr).
      - What the user has for a service that is not named here is taken away. There are no users without any caps.
      - With neither this nor O(profile) the caps stay as they are; a new user needs one of them.
    type: dict
  profile:
    description:
      - Narrow caps by name, in place of O(caps).
      - V(narrow_rbd) may use the images of O(pool), or of its O(namespace) alone, in any way, as Ceph's C(profile rbd)
        does. That includes taking over the exclusive lock of a client that died, which needs to blocklist this client.
        It may blocklist single client instances only, no hosts and no networks, and it may not see the cluster's
        configuration. C(profile rbd) may blocklist a whole network from Ceph 16 on, and a whole host before.
      - V(narrow_rbd_read_only) may read the images of O(pool), or of its O(namespace) alone, and may blocklist nobody.
        Ceph's C(profile rbd-read-only) may blocklist as C(profile rbd) does.
    type: str
    choices: [narrow_rbd, narrow_rbd_read_only]
  pool:
    description: The pool that O(profile) is about. It has to exist.
    type: str
  namespace:
    description: The RBD namespace of O(pool) that O(profile) is about; without it, all of the pool.
    type: str
  network:
    description:
      - Network in CIDR notation from which alone the user may do anything; becomes part of every grant of O(caps) or
        O(profile).
      - An address stands for that one host. As such it gets its prefix length, because Ceph takes an address without
        and then lets nobody in.
      - Clients elsewhere are refused by the monitors; commands such as C(rbd) may wait there rather than fail.
    type: str
  state:
    description: Whether the user exists.
    type: str
    choices: [present, absent]
    default: present
  key_type:
    description:
      - Type of a new key. V(aes256k) exists from Ceph 20 on, and older clients cannot read it.
      - Without it, the type that the cluster itself makes. The type of an existing key stays until it is replaced.
    type: str
    choices: [aes, aes256k]
  key_max_age:
    description:
      - Replace a key that is older than this, as V(12h), V(90d) or V(8w). A key says when it was created.
      - Only for clients. Whoever uses the old key is refused at the next connection, so bring them the new one.
    type: str
  key_not_before:
    description:
      - Replace a key that was created before this date, or date and time, in UTC unless it says otherwise. For
        instance V(2026-11-20) or V(2026-11-20T08:00Z).
      - This is how to replace keys once, after one has leaked, say. It is idempotent.
    type: str
  rotate:
    description:
      - V(when_due) replaces a key as O(key_max_age) and O(key_not_before) say.
      - V(always) replaces it every time, so this is never idempotent.
    type: str
    choices: [when_due, always]
    default: when_due
  return_key:
    description: Return the keys. Give the task C(no_log) then.
    type: bool
    default: false
seealso:
  - module: diskless.ceph.cephx_user_info
  - name: Ceph, user management
    description: What caps mean.
    link: https://docs.ceph.com/en/latest/rados/operations/user-management/
"""

EXAMPLES = r"""
- name: Backup user may read the images, from its own address, and fence nobody off
  diskless.ceph.cephx_user:
    name: client.backup
    profile: narrow_rbd_read_only
    pool: diskless
    network: 10.77.0.5

- name: Hypervisors use the images of a namespace each, and get a new key every quarter
  diskless.ceph.cephx_user:
    profile: narrow_rbd
    pool: vms
    key_max_age: 90d
    users:
      - name: client.hv1
        namespace: hv1
        network: 10.77.1.1
      - name: client.hv2
        namespace: hv2
        network: 10.77.1.2

- name: Keys from before the leak are replaced; caps stay as they are
  diskless.ceph.cephx_user:
    key_not_before: 2026-11-20T08:00Z
    users:
      - name: client.hv1
      - name: client.hv2
    return_key: true
  no_log: true
  register: fresh

- name: Users of retired hosts are gone
  diskless.ceph.cephx_user:
    state: absent
    users:
      - name: client.diskless.pi3
      - name: client.diskless.pi4
"""

RETURN = r"""
users:
  description: The users of the task, in its order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the user.
      type: str
    action:
      description: What happened to it, one of V(created), V(updated), V(rotated), V(removed) and V(unchanged).
        V(rotated) is a new key, with the same or with other caps.
      type: str
    caps:
      description: Its caps after the task, or as check mode expects them; null if it is absent.
      type: dict
    key_type:
      description: Type of its key; null if it is absent.
      type: str
    key:
      description: Its key; null if it is absent, and in check mode if the key is not made yet.
      type: str
      returned: with O(return_key=true)
  sample:
    - name: client.backup
      action: created
      caps:
        mon: profile simple-rados-client network 10.77.0.5/32
        osd: profile rbd-read-only pool=diskless network 10.77.0.5/32
      key_type: aes
caps:
  description: As RV(users[].caps).
  returned: success, and O(name) is given
  type: dict
  sample:
    mon: profile simple-rados-client network 10.77.0.5/32
    osd: profile rbd-read-only pool=diskless network 10.77.0.5/32
key:
  description: As RV(users[].key).
  returned: success, and O(name) is given, and O(return_key=true)
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_auth import (
    AuthState,
    apply_plans,
    read_auth,
    unreadable_caps,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import KEY_TYPES, generate_key, read_header
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import PROFILES
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_plan import (
    UserPlan,
    caps_problems,
    key_type_problems,
    plan_user,
    pool_problems,
    users_diff,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user_wanted import WantedUser, own_user, wanted_users

USER_OPTIONS: dict[str, dict[str, Any]] = {
    "caps": {"type": "dict"},
    "profile": {"type": "str", "choices": list(PROFILES)},
    "pool": {"type": "str"},
    "namespace": {"type": "str"},
    "network": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"]},
    "key_type": {"type": "str", "choices": list(KEY_TYPES), "no_log": False},
    "key_max_age": {"type": "str", "no_log": False},
    "key_not_before": {"type": "str", "no_log": False},
    "rotate": {"type": "str", "choices": ["when_due", "always"]},
}


def plan_users(
    client: CephClient, own_name: str, wanted: list[WantedUser], state: AuthState
) -> tuple[list[UserPlan], list[str]]:
    """Return the plans for all users, and what stands against them."""
    problems = [
        *own_user(wanted, own_name),
        *key_type_problems(wanted, state.key_types),
        *pool_problems(wanted, state.pools),
    ]
    plans = [
        plan_user(user, state.users.get(user.name), state.release, state.key_types, generate_key) for user in wanted
    ]
    problems += caps_problems(plans)
    problems += unreadable_caps(client, own_name, [plan.after for plan in plans if plan.after and plan.new_caps])
    return plans, problems


def user_result(plan: UserPlan, return_key: bool, check_mode: bool) -> dict[str, Any]:
    """Return what the module says about one user."""
    user = plan.after
    result: dict[str, Any] = {
        "name": plan.name,
        "action": plan.action,
        "caps": None if user is None else dict(user.caps),
        "key_type": None if user is None else read_header(user.key).key_type,
    }
    if return_key:
        result["key"] = None if user is None or (check_mode and plan.new_key) else user.key
    return result


def result_of(plans: list[UserPlan], single: bool, return_key: bool, check_mode: bool) -> dict[str, Any]:
    """Return the result of the module."""
    users = [user_result(plan, return_key, check_mode) for plan in plans]
    one: dict[str, Any] = {key: users[0][key] for key in ("caps", "key") if key in users[0]} if single else {}
    return {"changed": any(plan.changed for plan in plans), "diff": users_diff(plans), "users": users, **one}


def main() -> None:
    """Run the module."""
    item_options: dict[str, dict[str, Any]] = {"name": {"type": "str", "required": True}, **USER_OPTIONS}
    module = AnsibleModule(
        argument_spec={
            **USER_OPTIONS,
            "name": {"type": "str"},
            "users": {
                "type": "list",
                "elements": "dict",
                "options": item_options,
                "mutually_exclusive": [("caps", "profile")],
            },
            "state": {**USER_OPTIONS["state"], "default": "present"},
            "rotate": {**USER_OPTIONS["rotate"], "default": "when_due"},
            "return_key": {"type": "bool", "default": False, "no_log": False},
            **CEPH_ARGUMENT_SPEC,
        },
        required_one_of=[("name", "users")],
        mutually_exclusive=[("name", "users"), ("caps", "profile")],
        supports_check_mode=True,
    )
    wanted = wanted_users(module.params, time.time())
    if wanted.problems:
        module.fail_json(msg=f"nothing was changed: {'; '.join(wanted.problems)}")
    client = CephClient.from_params(module.params)
    try:
        state = read_auth(client)
        plans, problems = plan_users(client, module.params["ceph_name"], list(wanted.users), state)
        if problems:
            module.fail_json(msg=f"nothing was changed: {'; '.join(problems)}")
        if not module.check_mode:
            apply_plans(client, plans)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    single = module.params["name"] is not None
    module.exit_json(**result_of(plans, single, module.params["return_key"], module.check_mode))


if __name__ == "__main__":
    main()
