#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the OSD blocklist."""

from __future__ import annotations

DOCUMENTATION = r"""
module: osd_blocklist_info
short_description: List who is blocked by the OSD blocklist, until when, and whom that hits
version_added: 0.1.0
description:
  - Reads the entries of the blocklist, including the ranges of Ceph 16 and newer.
  - Says for each of them which of the given hosts, which CephFS clients and which of the cluster's own daemons it hits.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
options:
  address:
    description:
      - Only the entries that hit this client instance, as in V(10.0.0.1:0/4137). Its own, its host's or a range.
      - Of a host (V(10.0.0.1)) the entries of all its instances are among them.
    type: str
  hosts:
    description:
      - Hosts to look for, such as those of the inventory.
      - An entry of a single client instance counts for the host that the client runs on.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What to call it.
        type: str
        required: true
      address:
        description: Its IP address; a prefix length as in V(10.0.0.1/24) counts for nothing.
        type: str
        required: true
  clients:
    description: Look for CephFS clients too. That asks every active MDS for its sessions.
    type: bool
    default: false
  daemons:
    description: Look for monitors, OSDs, MDS and the active mgr too.
    type: bool
    default: true
seealso:
  - module: diskless.ceph.osd_blocklist
"""

EXAMPLES = r"""
- name: Read the blocklist
  diskless.ceph.osd_blocklist_info:
    hosts:
      - name: pi1
        address: 10.0.0.1
      - name: pi2
        address: 10.0.0.2
  register: blocklist

- name: Nobody of ours is blocked
  ansible.builtin.assert:
    that: blocklist.blocked_hosts | length == 0
    fail_msg: "{{ blocklist.blocked_hosts | join(', ') }} cannot reach the cluster"

- name: Why does this client get nothing but errors?
  diskless.ceph.osd_blocklist_info:
    address: 10.0.0.1:0/4137
"""

RETURN = r"""
entries:
  description: The entries, sorted by address, ranges last.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: As Ceph prints it; a range as it was given to Ceph, which is how it has to be named to be removed.
      type: str
    kind:
      description: V(client) for one instance, V(host) for all instances of a host, V(range) for all addresses of it.
      type: str
    fence:
      description: Whether it shuts out more than one client instance, also those that start later.
      type: bool
    until:
      description: When it ends, in UTC. Ceph 14 prints the local time of its monitors, which is taken for UTC.
      type: str
    seconds_left:
      description: Until then, by the clock of the machine that this runs on. Ceph drops an entry a little later.
      type: int
    hosts:
      description: Names of O(hosts) with an address that it hits.
      type: list
      elements: str
    clients:
      description: CephFS clients with a session, and their host names, if O(clients=true).
      type: list
      elements: str
    daemons:
      description: The cluster's own daemons that it cuts off, unless O(daemons=false).
      type: list
      elements: str
  sample:
    - address: 10.9.1.1:0/4137
      clients: []
      daemons: []
      fence: false
      hosts: [pi1]
      kind: client
      seconds_left: 7193
      until: "2026-11-21T14:24:40Z"
    - address: 10.8.9.0/24
      clients: []
      daemons: []
      fence: true
      hosts: []
      kind: range
      seconds_left: 7175
      until: "2026-11-21T14:24:22Z"
blocked_hosts:
  description: Names of O(hosts) that any of the entries hits.
  returned: success
  type: list
  elements: str
  sample: [pi1]
word:
  description: What this release of Ceph calls it in its commands.
  returned: success
  type: str
  sample: blocklist
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import Instance, parse_instance
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_hits import (
    Host,
    describe_entry,
    parse_host,
    parse_session,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_reader import (
    read_blocklist,
    read_daemons,
    read_sessions,
)


def parse_params(params: dict[str, Any]) -> tuple[Instance | None, list[Host], list[str]]:
    """Return the address to look for, the hosts, and everything that is wrong with them."""
    address, hosts, problems = None, [], []
    if params["address"] is not None:
        try:
            address = parse_instance(params["address"])
        except ValueError as error:
            problems.append(f"address: {error}")
    for item in params["hosts"]:
        try:
            hosts.append(parse_host(item))
        except ValueError as error:
            problems.append(str(error))
    return address, hosts, problems


def read(client: CephClient, params: dict[str, Any], address: Instance | None, hosts: list[Host]) -> dict[str, Any]:
    """Return the module's result."""
    state = read_blocklist(client)
    daemons = read_daemons(client, state) if params["daemons"] else ()
    sessions = [parse_session(session) for session in read_sessions(client)] if params["clients"] else []
    found = state.blocklist.entries if address is None else state.blocklist.entries_for(str(address))
    now = datetime.now(timezone.utc)
    entries = [describe_entry(entry, now, hosts, daemons, sessions) for entry in found]
    blocked = sorted({name for entry in entries for name in entry["hosts"]})
    return {"entries": entries, "blocked_hosts": blocked, "word": state.dialect.word}


def main() -> None:
    """Run the module."""
    host_options = {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str"},
            "hosts": {"type": "list", "elements": "dict", "default": [], "options": host_options},
            "clients": {"type": "bool", "default": False},
            "daemons": {"type": "bool", "default": True},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    address, hosts, problems = parse_params(module.params)
    if problems:
        module.fail_json(msg="; ".join(problems))
    try:
        result = read(CephClient.from_params(module.params), module.params, address, hosts)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
