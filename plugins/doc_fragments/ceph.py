# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module reaches the Ceph cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options of every module that talks to Ceph."""

    DOCUMENTATION = r"""
options:
  ceph_launcher:
    description:
      - The words to put in front of every Ceph command; empty where ceph-common is installed.
      - For a cluster whose tools live in a container, what runs a command in there. It has to pass on standard input.
      - For example V([cephadm, shell, --]), V([podman, exec, -i, ceph-mon-a]) or
        V([kubectl, -n, rook-ceph, exec, -i, deploy/rook-ceph-tools, --]).
    type: list
    elements: str
    default: []
    version_added: 0.1.0
  ceph_conf:
    description:
      - Path of the Ceph configuration file, as seen behind O(ceph_launcher).
      - Without it Ceph searches as it always does, beginning with C(/etc/ceph/ceph.conf).
    type: str
    version_added: 0.1.0
  ceph_name:
    description: The cephx user to run Ceph's commands as.
    type: str
    default: client.admin
    version_added: 0.1.0
  ceph_keyring:
    description:
      - Path of the keyring with the key of O(ceph_name), as seen behind O(ceph_launcher).
      - Without it Ceph searches as it always does, beginning with C(/etc/ceph/ceph.client.admin.keyring).
    type: str
    version_added: 0.1.0
  ceph_timeout:
    description:
      - Seconds after which a single Ceph command is stopped and counts as failed.
      - A cluster that does not answer at all is given half of that.
    type: int
    default: 60
    version_added: 0.1.0
  ceph_bindings:
    description:
      - V(auto) talks to Ceph through its Python bindings where they can be imported, here or behind O(ceph_launcher),
        many commands in one process. Where they cannot, it is as V(never).
      - V(never) runs the commands C(ceph) and C(rbd), one process for each. It does the same, slower.
    type: str
    choices: [auto, never]
    default: auto
    version_added: 0.1.0
requirements:
  - C(ceph) and C(rbd), here or behind O(ceph_launcher) (Debian package C(ceph-common))
  - Ceph's Python bindings in the same place make it fast (Debian packages C(python3-rados) and C(python3-rbd))
seealso:
  - name: Ceph, block device commands
    description: Manual page of rbd.
    link: https://docs.ceph.com/en/latest/man/8/rbd/
"""
