#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evict CephFS clients."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mds_session
short_description: Evict CephFS clients
version_added: 0.1.0
description:
  - Evicts the selected clients from every rank with which they have a session, proves that the sessions are gone, and
    says of each client whether it is blocklisted and why.
  - At least one of O(client_ids), O(addresses), O(hostnames) and O(entities) has to be given. Every option that is
    given has to hold for a client; of a list, any one value does. The other selecting options narrow this down.
  - Never everybody; no selection, an empty list, an empty name and a network of all addresses are refused.
  - A client is cut off while it works. What it has not written yet is lost, its file locks too. Therefore a client
    whose session is open, which it is only while the client renews it, needs O(force=true).
  - With the MDS option C(mds_session_blocklist_on_evict) at its default V(true) the client is also blocklisted. Its
    calls fail (C(ESHUTDOWN)), and it works again once it is mounted anew.
  - With that option V(false) it is not blocklisted, but B(the option alone does not heal a ceph-fuse client). The
    calls of C(ceph-fuse) hang for good unless it was started with C(--client_reconnect_stale=true); with that it opens
    a new session at its next call. Without blocklisting an evicted client may still write to objects that the next
    client has been given, which corrupts files.
  - The sessions of the cluster's own managers are spared by O(addresses) and O(hostnames).
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
  - diskless.ceph.mds_session
attributes:
  check_mode:
    support: full
    details: Lists whom it would evict.
  diff_mode:
    support: full
    details: Whether a client will be blocklisted is told from the option in effect before it is evicted.
  idempotent:
    support: full
    details: A client that opens a new session is evicted again.
options:
  state:
    description: The selected clients have no session.
    type: str
    choices: [evicted]
    default: evicted
  max_clients:
    description: Evict none if more clients than this match.
    type: int
  force:
    description: Also evict clients that are alive, that is, whose session is open.
    type: bool
    default: false
seealso:
  - module: diskless.ceph.mds_session_info
  - module: diskless.ceph.osd_blocklist
  - name: Ceph, evicting clients
    description: What happens to a client that is evicted.
    link: https://docs.ceph.com/en/latest/cephfs/eviction/
"""

EXAMPLES = r"""
- name: What pi3 had mounted before its power was cut does not keep others waiting
  diskless.ceph.mds_session:
    hostnames: [pi3]
    states: [stale]

- name: One client is thrown out, dead or alive
  diskless.ceph.mds_session:
    client_ids: [4152]
    force: true

- name: Clients of a retired user are gone from one file system, unless they are suspiciously many
  diskless.ceph.mds_session:
    file_system: cephfs
    entities: [client.web1]
    max_clients: 3
    force: true
"""

RETURN = r"""
clients:
  description: The clients that were evicted, or in check mode would be, sorted by their number.
  returned: success
  type: list
  elements: dict
  contains:
    client_id:
      description: Number of the client.
      type: int
      sample: 4144
    instance:
      description: The client as Ceph's logs name it.
      type: str
      sample: client.4144 127.0.0.1:0/3769928641
    address:
      description: Address, port and nonce of the client.
      type: str
      sample: 127.0.0.1:0/3769928641
    hostname:
      description: The name that the client's host has for itself; null if it does not say.
      type: str
      sample: pi3
    entity:
      description: The client's cephx user.
      type: str
      sample: client.web1
    kind:
      description: V(kernel), V(fuse) or V(libcephfs).
      type: str
      sample: fuse
    file_system:
      description: The file system.
      type: str
      sample: cephfs
    ranks:
      description: The ranks with which it had a session.
      type: list
      elements: dict
      contains:
        rank:
          description: Number of the rank.
          type: int
          sample: 0
        mds:
          description: Name of the MDS.
          type: str
          sample: a
        state:
          description: State of the session before it was evicted.
          type: str
          sample: open
    blocklist_on_evict:
      description:
        - Whether an MDS of these ranks was set to blocklist whom it evicts. Of Ceph 14 what is configured, of later
          releases what is in effect.
      type: bool
      sample: true
    evicted:
      description: Whether the sessions are gone from every rank; false in check mode.
      type: bool
      sample: true
    reopened:
      description: Whether the client has opened a new session in the meantime.
      type: bool
      sample: false
    blocklisted:
      description: Whether the client is blocklisted afterwards; false in check mode.
      type: bool
      sample: true
    blocklist_entries:
      description: The entries of the blocklist that hit the client afterwards; empty in check mode.
      type: list
      elements: dict
      contains:
        address:
          description: Address of the entry.
          type: str
          sample: 127.0.0.1:0/3769928641
        kind:
          description: V(client) for one instance, V(host) for all of an address, V(range) for a network.
          type: str
          sample: client
        until:
          description: When it ends, in UTC.
          type: str
          sample: "2026-11-21T13:36:34Z"
    explanation:
      description: What this means for the client.
      type: str
      sample: "blocklisted, mds_session_blocklist_on_evict is true: its calls fail until it mounts anew"
"""

import time
from typing import Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_blocklisting import (
    option_name,
    read_blocklist_on_evict,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_eviction import (
    Outcome,
    Target,
    announce,
    diff,
    evict_commands,
    objections,
    outcomes,
    plan_evictions,
    report,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_reader import MdsSessions, read_sessions
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import (
    SELECTION_ARGUMENT_SPEC,
    Selection,
    SelectionError,
    parse_selection,
    refuse_everybody,
)
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_reader import read_blocklist

ATTEMPTS = 20
PAUSE_SECONDS = 0.5


def plan(client: CephClient, module: AnsibleModule, found: MdsSessions, selection: Selection) -> list[Target]:
    """Return the clients to evict; raises SelectionError if they may not be."""
    selected = [session for session in found.sessions if selection.matches(session)]
    blocklisting = read_blocklist_on_evict(client, found.dialect, (session.mds for session in selected))
    targets = plan_evictions(selected, selection, blocklisting)
    problems = objections(targets, module.params["max_clients"], module.params["force"])
    if problems:
        raise SelectionError("; ".join(problems))
    return targets


def apply(client: CephClient, targets: Sequence[Target]) -> list[Outcome]:
    """Evict the clients and wait until they are: Ceph confirms the eviction of a client that it does not know, too."""
    client.ceph_many(evict_commands(targets), parallel=True)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        ended = outcomes(targets, read_sessions(client).sessions)
        if not any(outcome.remaining for outcome in ended):
            break
    return ended


def refuse_remaining(ended: Sequence[Outcome]) -> None:
    """Raise SelectionError for clients that the MDS did not evict."""
    remaining = [
        f"{session} still has a session with rank {session.rank} of {session.file_system}"
        for outcome in ended
        for session in outcome.remaining
    ]
    if remaining:
        seconds = int(ATTEMPTS * PAUSE_SECONDS)
        raise SelectionError(f"{'; '.join(remaining)}, {seconds} s after it was evicted: see the log of the MDS")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **SELECTION_ARGUMENT_SPEC,
            "state": {"type": "str", "choices": ["evicted"], "default": "evicted"},
            "max_clients": {"type": "int"},
            "force": {"type": "bool", "default": False},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    try:
        selection = parse_selection(module.params)
        refuse_everybody(module.params, selection)
        found = read_sessions(client, module.params["file_system"])
        targets = plan(client, module, found, selection)
        clients = [announce(target) for target in targets]
        if targets and not module.check_mode:
            ended = apply(client, targets)
            refuse_remaining(ended)
            blocklist = read_blocklist(client).blocklist
            clients = [report(outcome, blocklist, option_name(found.dialect)) for outcome in ended]
    except (CephError, SelectionError, ValueError) as error:
        module.fail_json(msg=str(error))
    for warning in found.unasked:
        module.warn(warning)
    module.exit_json(changed=bool(targets), clients=clients, diff=diff(targets))


if __name__ == "__main__":
    main()
