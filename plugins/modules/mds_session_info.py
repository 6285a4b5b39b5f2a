#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the MDS sessions of CephFS clients."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mds_session_info
short_description: List the sessions of CephFS clients
version_added: 0.1.0
description:
  - Returns the sessions that clients have with the MDS, of every rank of every file system, or those of them that are
    selected. What a selecting option says holds for all returned sessions; of a list, any one value does.
  - A client that was evicted has no session any more. Whether it was also blocklisted, and until when, is what
    M(diskless.ceph.osd_blocklist_info) says of its RV(sessions[].address). If it was, its calls fail (C(ESHUTDOWN))
    until it mounts anew. If it was not, C(ceph-fuse) opens a new session only if it was started with
    C(--client_reconnect_stale=true). Without that its calls hang; the MDS option C(mds_session_blocklist_on_evict) or
    C(mds_session_blocklist_on_timeout) at V(false) alone does not heal it.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
  - diskless.ceph.mds_session
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: diskless.ceph.mds_session
  - module: diskless.ceph.osd_blocklist_info
  - name: Ceph, evicting clients
    description: What happens to a client that is evicted.
    link: https://docs.ceph.com/en/latest/cephfs/eviction/
"""

EXAMPLES = r"""
- name: Who uses CephFS?
  diskless.ceph.mds_session_info:
  register: cephfs

- name: Clients that do not answer any more
  diskless.ceph.mds_session_info:
    file_system: cephfs
    states: [stale]

- name: Kernel clients in the hosts' network that have mounted more than a subdirectory
  diskless.ceph.mds_session_info:
    addresses: [10.0.0.0/24]
    kinds: [kernel]
    roots: [/]
"""

RETURN = r"""
sessions:
  description:
    - The selected sessions, sorted by file system, rank and client. A client has one with every rank that it uses.
  returned: success
  type: list
  elements: dict
  contains:
    client_id:
      description: Number of the client, unique in the cluster.
      type: int
      sample: 4144
    instance:
      description: The client as Ceph's logs name it.
      type: str
      sample: client.4144 127.0.0.1:0/3769928641
    address:
      description: Address, port and nonce of the client; an entry of the blocklist looks the same.
      type: str
      sample: 127.0.0.1:0/3769928641
    ip:
      description: The IP address of the client.
      type: str
      sample: 127.0.0.1
    hostname:
      description: The name that the client's host has for itself; null if it does not say.
      type: str
      sample: pi3
    entity:
      description:
        - The client's cephx user. A manager of the cluster, which is a client as well, has C(mgr) for C(client).
        - Before Ceph 20 an MDS knows no more of it than what the client says of itself.
      type: str
      sample: client.web1
    kind:
      description: V(kernel), V(fuse) for C(ceph-fuse), or V(libcephfs) for any other program.
      type: str
      sample: fuse
    kernel_version:
      description: Version of the client's kernel, null if it is not a kernel client.
      type: str
      sample: null
    ceph_version:
      description: Version of the client's Ceph libraries, null for a kernel client.
      type: str
      sample: 16.2.15
    root:
      description: The directory of the file system that the client has mounted; null if it does not say.
      type: str
      sample: /
    mount_point:
      description: Where it is mounted there; null for all but C(ceph-fuse).
      type: str
      sample: /mnt/web1
    pid:
      description: The client's process there; null for a kernel client.
      type: int
      sample: 882
    state:
      description:
        - State of the session in Ceph's words, V(open) and V(stale) foremost. A session that its client does not renew
          for C(session_timeout) is stale, and after C(session_autoclose) the client is evicted.
      type: str
      sample: open
    uptime_seconds:
      description: Age of the session. It begins anew when a client that was evicted reconnects.
      type: int
      sample: 10
    caps:
      description: How many capabilities on files and directories the client holds.
      type: int
      sample: 2
    requests_in_flight:
      description: How many requests of the client the MDS works on.
      type: int
      sample: 0
    features:
      description: The bits of the features that the client has; null if it does not say.
      type: str
      sample: "0x000000000007ffff"
    file_system:
      description: The file system.
      type: str
      sample: cephfs
    rank:
      description: The rank of the MDS.
      type: int
      sample: 0
    mds:
      description: The name of the MDS.
      type: str
      sample: a
ranks:
  description:
    - All ranks of the file system or systems. A warning names those that could not be asked.
  returned: success
  type: list
  elements: dict
  contains:
    file_system:
      description: The file system.
      type: str
      sample: cephfs
    rank:
      description: Number of the rank.
      type: int
      sample: 0
    mds:
      description: Name of the MDS that holds it; null if none does.
      type: str
      sample: a
    state:
      description: State of that MDS in Ceph's words, or V(failed) if there is none.
      type: str
      sample: "up:active"
    asked:
      description: Whether it could be asked for its sessions; not before an MDS has replayed the rank's journal.
      type: bool
      sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_reader import read_sessions
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_selection import (
    SELECTION_ARGUMENT_SPEC,
    SelectionError,
    parse_selection,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={**SELECTION_ARGUMENT_SPEC, **CEPH_ARGUMENT_SPEC}, supports_check_mode=True)
    try:
        selection = parse_selection(module.params)
        found = read_sessions(CephClient.from_params(module.params), module.params["file_system"])
    except (CephError, SelectionError, ValueError) as error:
        module.fail_json(msg=str(error))
    for warning in found.unasked:
        module.warn(warning)
    module.exit_json(
        changed=False,
        sessions=[session.as_dict() for session in found.sessions if selection.matches(session)],
        ranks=[rank.as_dict() for rank in found.ranks],
    )


if __name__ == "__main__":
    main()
