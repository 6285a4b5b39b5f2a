#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep what diskless hosts boot under a name, and bring it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_tree_version
short_description: Keep what diskless hosts boot under a name, and bring it back
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - A kernel and the root image that has its modules belong together. Whoever goes back to a snapshot of the root image
    needs the kernel, the initramfs and the file that names them as they were at that time.
  - This keeps the files of a boot tree that belong to the host, all but what M(diskless.ceph.boot_tree) writes, in
    C(kept/NAME) of the tree, under the name of the snapshot. They are hard links, which take no space until a kernel
    update replaces or removes the files in the tree itself, and outlive that. C(kernel.cfg) and C(kernel.txt), which
    name the others, are copies.
  - It runs on the boot server. Of what a host has put into its tree it opens regular files alone, and follows nothing.
  - Everything is read first, and all problems of all hosts are reported together before anything changes.
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  name:
    description: Name of the version, letters, digits and C(._-).
    type: str
    required: true
  state:
    description:
      - V(kept) keeps what the host boots now. A version of that name that exists stays as it is.
      - V(restored) makes the host boot what it booted then, and removes from the tree the files that came later. The
        host has to be off.
      - V(absent) removes the version.
    type: str
    choices: [kept, restored, absent]
    default: kept
  keep_as:
    description: With O(state=restored), keep what the host boots now under this name.
    type: str
  root:
    description: Directory of the boot server's data. The trees are in C(boot).
    type: path
    default: /srv/diskless
seealso:
  - module: diskless.ceph.boot_tree_version_info
  - module: diskless.ceph.boot_tree
  - module: diskless.ceph.rbd_snapshot
"""

EXAMPLES = r"""
- name: What the host boots is kept with the snapshot of its root image
  diskless.ceph.boot_tree_version:
    hosts: [udoo1]
    name: before-upgrade

- name: Host boots again what it did
  diskless.ceph.boot_tree_version:
    hosts: [udoo1]
    name: before-upgrade
    state: restored
    keep_as: after-upgrade
"""

RETURN = r"""
hosts:
  description: What each host boots after the task, by its name. Hosts without a boot tree are not in it.
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
        versions:
          description: The names of the versions that are kept.
          type: list
          elements: str
  sample:
    udoo1:
      kernel: vmlinuz-6.1.0-32-amd64
      versions: [after-upgrade, before-upgrade]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._boot_tree_files import Busy, locked
from ..module_utils._boot_tree_version import TreeVersions, VersionChange, name_problem, plan_versions
from ..module_utils._boot_tree_version_files import apply_version, read_versions


def described(tree: TreeVersions) -> dict[str, Any]:
    """Return a boot tree as the module returns it and a diff shows it."""
    return {"kernel": tree.current.kernel, "versions": sorted(tree.versions)}


def shown(change: VersionChange) -> dict[str, dict[str, Any]]:
    """Return before and after of one tree for the diff."""
    return {
        moment: {**described(tree), "files": tree.current.names}
        for moment, tree in (("before", change.before), ("after", change.after))
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read, plan, and unless in check mode apply. Returns the result; ends the module on failure."""
    root, name, keep_as = (module.params[option] for option in ("root", "name", "keep_as"))
    wrong = [problem for problem in map(name_problem, filter(None, (name, keep_as))) if problem]
    wrong += [
        f"host {host!r} is no name of a host"
        for host in module.params["hosts"]
        if "/" in host or host in ("", ".", "..")
    ]
    if wrong or not module.params["hosts"]:
        module.fail_json(msg="; ".join(wrong) or "hosts is empty; expected names of hosts")
    changes, problems = plan_versions(
        read_versions(root, module.params["hosts"]), module.params["state"], name, keep_as
    )
    if problems:
        module.fail_json(msg=f"No boot tree was changed: {'; '.join(problems)}")
    diffs = {change.host: shown(change) for change in changes if change.changed}
    for change in changes:
        if change.changed and not module.check_mode:
            apply_version(root, change)
    return {
        "changed": bool(diffs),
        "hosts": {change.host: described(change.after) for change in changes},
        "diff": {moment: {host: diffs[host][moment] for host in diffs} for moment in ("before", "after")},
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "str", "required": True},
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["kept", "restored", "absent"], "default": "kept"},
            "keep_as": {"type": "str"},
            "root": {"type": "path", "default": "/srv/diskless"},
        },
        supports_check_mode=True,
    )
    try:
        with locked(module.params["root"], module.check_mode):
            answer = run(module)
    except Busy as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"Boot trees in {module.params['root']}: {error}")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
