#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell what diskless hosts boot, and which versions of that are kept."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_tree_version_info
short_description: Tell what diskless hosts boot, and which versions of that are kept
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Reads from boot trees which kernel their hosts boot, and what M(diskless.ceph.boot_tree_version) has kept.
  - It runs on the boot server. Of what a host has put into its tree it opens regular files alone, and follows nothing.
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Changes nothing.
  idempotent:
    support: full
options:
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  root:
    description: Directory of the boot server's data. The trees are in C(boot).
    type: path
    default: /srv/diskless
seealso:
  - module: diskless.ceph.boot_tree_version
"""

EXAMPLES = r"""
- name: What could be brought back is known
  diskless.ceph.boot_tree_version_info:
    hosts: [udoo1, udoo2]
"""

RETURN = r"""
hosts:
  description: By the name of the host; null for a host without a boot tree.
  returned: success
  type: dict
  contains:
    NAME:
      description: One host.
      type: dict
      contains:
        kernel:
          description: The kernel that C(kernel.cfg) names; null if it names none.
          type: str
        files:
          description: The files of the boot tree that belong to the host.
          type: list
          elements: str
        versions:
          description: The versions that are kept, by name.
          type: dict
          contains:
            VERSION:
              description: One version.
              type: dict
              contains:
                kernel:
                  description: The kernel that the C(kernel.cfg) of that time names.
                  type: str
                files:
                  description: Its files.
                  type: list
                  elements: str
                current:
                  description: Whether the host boots exactly that.
                  type: bool
  sample:
    udoo1:
      files: [initrd.img-6.1.0-35-amd64, vmlinuz-6.1.0-35-amd64, kernel.cfg]
      kernel: vmlinuz-6.1.0-35-amd64
      versions:
        before-upgrade:
          current: false
          files: [initrd.img-6.1.0-32-amd64, vmlinuz-6.1.0-32-amd64, kernel.cfg]
          kernel: vmlinuz-6.1.0-32-amd64
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._boot_tree_version import TreeVersions
from ..module_utils._boot_tree_version_files import read_versions


def described(tree: TreeVersions) -> dict[str, Any]:
    """Return a boot tree as the module returns it."""
    return {
        "kernel": tree.current.kernel,
        "files": tree.current.names,
        "versions": {
            name: {
                "kernel": files.kernel,
                "files": files.names,
                "current": files.identity == tree.current.identity,
            }
            for name, files in tree.versions.items()
        },
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "str", "required": True},
            "root": {"type": "path", "default": "/srv/diskless"},
        },
        supports_check_mode=True,
    )
    wrong = [host for host in module.params["hosts"] if "/" in host or host in ("", ".", "..")]
    if wrong:
        module.fail_json(msg=f"hosts: {', '.join(map(repr, wrong))}; expected names of hosts")
    try:
        trees = read_versions(module.params["root"], module.params["hosts"])
    except OSError as error:
        module.fail_json(msg=f"Boot trees in {module.params['root']}: {error}")
    module.exit_json(changed=False, hosts={host: tree and described(tree) for host, tree in trees.items()})


if __name__ == "__main__":
    main()
