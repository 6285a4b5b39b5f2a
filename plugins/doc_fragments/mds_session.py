# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions of CephFS clients a module means."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that select sessions."""

    DOCUMENTATION = r"""
options:
  file_system:
    description: Only sessions of this file system; without it, of all.
    type: str
    version_added: 0.1.0
  client_ids:
    description: Only these clients, by the number in C(client.4152).
    type: list
    elements: int
    version_added: 0.1.0
  addresses:
    description:
      - Only clients at these addresses. V(10.0.0.11) means all clients there, V(10.0.0.11:0/2284328471) one client
        instance, V(10.0.0.0/24) all of a network.
    type: list
    elements: str
    version_added: 0.1.0
  hostnames:
    description: Only clients on these hosts, by the exact name that the host has for itself.
    type: list
    elements: str
    version_added: 0.1.0
  entities:
    description:
      - Only clients with these cephx users, as in V(client.web1).
      - Before Ceph 20 an MDS knows no more of it than what the client says of itself.
    type: list
    elements: str
    version_added: 0.1.0
  states:
    description:
      - Only sessions in these states, in Ceph's words.
      - V(open) is one that the client has renewed within C(session_timeout) of the file system, V(stale) one that it
        has not.
    type: list
    elements: str
    choices: [opening, open, stale, killing, closing, closed]
    version_added: 0.1.0
  kinds:
    description:
      - Only these kinds of clients, the kernel's, C(ceph-fuse), or a program with C(libcephfs) such as NFS-Ganesha,
        Samba or a manager of the cluster.
    type: list
    elements: str
    choices: [kernel, fuse, libcephfs]
    version_added: 0.1.0
  roots:
    description: Only sessions that have mounted one of these directories of the file system, as in V(/web1).
    type: list
    elements: str
    version_added: 0.1.0
  older_than_seconds:
    description: Only sessions that have existed for longer than this.
    type: int
    version_added: 0.1.0
"""
