#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure entries of the OSD blocklist."""

from __future__ import annotations

DOCUMENTATION = r"""
module: osd_blocklist
short_description: Block and unblock Ceph clients by address
version_added: 0.1.0
description:
  - Brings about entries of the OSD blocklist, one with O(address) or many with O(entries). A blocked client gets no
    answer from OSDs and MDS any more; its calls fail with C(ESHUTDOWN) (108).
  - An entry is one client instance, a whole host, or since Ceph 16 a range of addresses. The latter two are fences;
    they shut out what is not yet running too. The module warns when it sets one, and says when one still blocks what
    was to be unblocked.
  - An entry ends by itself. Ceph does not change the time of an entry that exists, and neither does the module unless
    O(extend) or O(min_remaining) says so.
  - Blocks no address at which a monitor, OSD, MDS or mgr of the cluster runs, or from which its own commands come,
    without O(force).
  - A large number of entries costs few Ceph commands when Ceph's Python bindings are there.
  - What an item of O(entries) does not say, the module's own option says.
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
    details: Names the entries and their kind, not when they expire.
  idempotent:
    support: full
    details: With O(extend) or O(min_remaining) until the time left is less than that.
options:
  address:
    description:
      - Whom to block. V(10.0.0.1) is a whole host, V(10.0.0.1:0/4137) one client instance as Ceph prints it (port and
        nonce), V(10.0.0.0/24) a range. Of IPv6 V(fd00::1), V([fd00::1]:0/4137) and V(fd00::/64).
      - An address with a prefix length is always a range; Ceph's own C(osd blocklist add 10.0.0.0/24) would block the
        client instance with nonce 24. A range is given by its first address, and needs Ceph 16.
      - Prefixes such as C(v1:) count for nothing. There are no host names.
    type: str
  entries:
    description: Many entries.
    type: list
    elements: dict
    suboptions:
      address:
        description: As O(address).
        type: str
        required: true
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
      expire:
        description: As O(expire).
        type: str
      instances:
        description: As O(instances).
        type: str
        choices: [all, exact]
  all:
    description:
      - Remove every entry of the blocklist, ranges too. It needs O(state=absent).
      - Clients that were fenced because they are believed dead may write again then.
    type: bool
    default: false
  state:
    description:
      - V(present) ensures that there is an entry.
      - V(absent) ensures that there is none.
    type: str
    choices: [present, absent]
    default: present
  expire:
    description:
      - How long a new entry lasts, in seconds or as a duration such as V(90s), V(1h) or V(1h30m).
      - An entry that exists keeps its time, whether longer or shorter.
    type: str
    default: 1h
  extend:
    description:
      - Renew an entry that exists with less than half of O(expire) left; O(min_remaining) sets another bound.
      - Ceph can only remove the entry and add it again. Between the two the client is not blocked, for the time of one
        change of the OSD map.
    type: bool
    default: false
  min_remaining:
    description:
      - Renew an entry that exists with less time left than this, in seconds or as a duration.
      - It has to be less than O(expire).
      - Ceph 14 prints times without their zone; UTC is assumed.
    type: str
  instances:
    description:
      - What O(state=absent) removes for the address of a host, as in V(10.0.0.1).
      - V(all) removes the entry of the whole host and those of all its instances, V(exact) that of the whole host only.
      - Ranges stay in both cases unless they are named.
    type: str
    choices: [all, exact]
    default: all
  force:
    description: Block addresses of the cluster's own daemons, or the one that the module's commands come from, too.
    type: bool
    default: false
seealso:
  - module: diskless.ceph.osd_blocklist_info
  - name: Ceph, OSD blocklist
    description: Ceph's commands.
    link: https://docs.ceph.com/en/latest/rados/operations/control/#osd-subsystem
"""

EXAMPLES = r"""
- name: A client that is believed dead cannot write
  diskless.ceph.osd_blocklist:
    address: 10.0.0.1:0/4137
    expire: 1h

- name: Two hosts are shut out for a day, whatever they start
  diskless.ceph.osd_blocklist:
    entries:
      - address: 10.0.0.1
      - address: fd00::1
    expire: 1d
    extend: true

- name: A host that was repaired may come back, with all its old instances
  diskless.ceph.osd_blocklist:
    address: 10.0.0.1
    state: absent

- name: Nobody is blocked any more
  diskless.ceph.osd_blocklist:
    all: true
    state: absent
"""

RETURN = r"""
added:
  description: The addresses that were added, as Ceph prints them.
  returned: success
  type: list
  elements: str
  sample: [10.8.9.0/24, "10.8.2.1:0/0", "10.8.2.1:0/1", "10.8.1.1:0/4137"]
removed:
  description: The addresses whose entries were removed.
  returned: success
  type: list
  elements: str
  sample: ["10.8.2.1:0/0", "10.8.2.1:0/1"]
renewed:
  description: The addresses of entries that had too little time left, and were removed and added again.
  returned: success
  type: list
  elements: str
  sample: ["10.8.1.1:0/4137"]
entries:
  description:
    - All entries that hit an address of this task, after it or as check mode expects them. With O(all) there are none.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: As Ceph prints it.
      type: str
    kind:
      description: V(client) for one instance, V(host) for a whole host, V(range).
      type: str
    fence:
      description: Whether it shuts out more than one client instance, also those that start later.
      type: bool
    until:
      description: When it ends, in UTC. In check mode an estimate for an entry that would be added.
      type: str
    hits:
      description: The addresses of this task that it blocks, as they were given.
      type: list
      elements: str
  sample:
    - address: 10.8.2.1:0/0
      fence: true
      hits: [10.8.2.1, "10.8.2.1:0/1"]
      kind: host
      until: "2026-11-21T14:24:22Z"
    - address: 10.8.9.0/24
      fence: true
      hits: [10.8.9.0/24]
      kind: range
      until: "2026-11-21T14:24:22Z"
"""

from datetime import datetime, timezone
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import Blocklist, format_until
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_plan import (
    BlocklistPlan,
    WantedEntry,
    danger_problems,
    expected,
    fence_warnings,
    parse_wanted,
    plan_blocklist,
    plan_clear,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_reader import (
    BlocklistState,
    read_blocklist,
    read_daemons,
    read_own_host,
)

INHERITED = ("state", "expire", "instances")


def parse_items(params: dict[str, Any]) -> tuple[list[WantedEntry], list[str]]:
    """Return what the task wants, and everything that is wrong with how it says so."""
    if params["all"] and params["state"] != "absent":
        return [], ["all=true removes every entry: it needs state=absent"]
    if params["all"]:
        named = params["address"] is not None or params["entries"] is not None
        return [], ["all=true removes every entry: address and entries have no place beside it"] if named else []
    wanted: list[WantedEntry] = []
    problems = []
    if params["address"] is None and params["entries"] is None:
        problems.append("nothing is named: give address or entries, or all=true with state=absent to remove every one")
        return wanted, problems
    for item in bulk_items(params, "address", "entries", INHERITED):
        try:
            wanted.append(parse_wanted(item, params["extend"], params["min_remaining"]))
        except ValueError as error:
            problems.append(str(error))
    return wanted, problems


def plan(
    client: CephClient, params: dict[str, Any], state: BlocklistState, wanted: Sequence[WantedEntry]
) -> tuple[BlocklistPlan, list[str]]:
    """Return the plan and all that speaks against it."""
    if params["all"]:
        return plan_clear(state.blocklist), []
    found = plan_blocklist(state.blocklist, wanted, state.dialect.release, datetime.now(timezone.utc))
    problems = list(found.problems)
    if any(item.endangers for item in found.added) and not params["force"]:
        daemons = (*read_daemons(client, state), *read_own_host(client, state))
        problems += danger_problems(found.added, daemons)
    return found, problems


def apply(client: CephClient, state: BlocklistState, todo: BlocklistPlan) -> tuple[Blocklist, list[str]]:
    """Change the blocklist; return it as it is then, and what of the plan it does not show."""
    client.ceph_many(todo.removals(state.dialect), parallel=True)
    client.ceph_many(todo.additions(state.dialect), parallel=True)
    found = read_blocklist(client).blocklist
    unproven = todo.unproven(found)
    return found, [
        f"Ceph took the commands, but of the blocklist afterwards: {', '.join(unproven)}"
    ] if unproven else []


def describe(blocklist: Blocklist, wanted: Sequence[WantedEntry]) -> list[dict[str, Any]]:
    """Return the entries that hit what is wanted, as the module returns them."""
    hits = [(entry, [item.address for item in wanted if item.hit_by(entry)]) for entry in blocklist.entries]
    return [
        {
            "address": entry.address,
            "kind": entry.kind,
            "fence": entry.fence,
            "until": format_until(entry.until),
            "hits": addresses,
        }
        for entry, addresses in hits
        if addresses
    ]


def main() -> None:
    """Run the module."""
    state_option = {"type": "str", "choices": ["present", "absent"]}
    instances_option = {"type": "str", "choices": ["all", "exact"]}
    item_options = {
        "address": {"type": "str", "required": True},
        "state": state_option,
        "expire": {"type": "str"},
        "instances": instances_option,
    }
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str"},
            "entries": {"type": "list", "elements": "dict", "options": item_options},
            "all": {"type": "bool", "default": False},
            "state": {**state_option, "default": "present"},
            "expire": {"type": "str", "default": "1h"},
            "extend": {"type": "bool", "default": False},
            "min_remaining": {"type": "str"},
            "instances": {**instances_option, "default": "all"},
            "force": {"type": "bool", "default": False},
            **CEPH_ARGUMENT_SPEC,
        },
        mutually_exclusive=[("address", "entries")],
        supports_check_mode=True,
    )
    wanted, problems = parse_items(module.params)
    if problems:
        module.fail_json(msg="; ".join(problems))
    client = CephClient.from_params(module.params)
    try:
        state = read_blocklist(client)
        todo, problems = plan(client, module.params, state, wanted)
        after = expected(state.blocklist, todo, datetime.now(timezone.utc))
        warnings = fence_warnings(todo, wanted, after)
        if todo.changed and not problems and not module.check_mode:
            after, problems = apply(client, state, todo)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    if problems:
        module.fail_json(msg="; ".join(problems))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(
        changed=todo.changed,
        added=todo.new,
        removed=[str(target) for target in todo.removed],
        renewed=[entry.address for entry in todo.renewed],
        entries=describe(after, wanted),
        diff={"before": dict(sorted(todo.before.items())), "after": dict(sorted(todo.after.items()))},
    )


if __name__ == "__main__":
    main()
