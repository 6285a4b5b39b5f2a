#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and clean directories of pods that a kubelet no longer has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_orphaned_pods
short_description: Find and clean directories of pods that a kubelet no longer has
version_added: 0.1.0
description:
  - A volume that could not be unmounted, such as a CephFS mount whose client is dead, leaves the directory of its pod
    behind. The kubelet then logs C(orphaned pod) and C(volume paths are still present on disk) for ever. This module
    finds such directories and removes what keeps the kubelet from removing them.
  - That is the empty directories of volumes and C(vol_data.json), nothing else. The kubelet does the rest.
  - A pod's directory is left alone, with the reason, if anything is mounted below it, or if there is anything in the
    directory of a volume. Data of others may be in the first, data that was written while the volume was not mounted
    in the second.
  - In check mode it only finds them.
author:
  - diskless.ceph contributors (@diskless-ceph)
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
  pods:
    description:
      - The pods that this node has, by the names of their directories. That is their C(metadata.uid), of a static pod
        the annotation C(kubernetes.io/config.hash); P(diskless.ceph.kubelet_pods#filter) knows.
      - An empty list is refused. It is what a question to the API server leaves that failed.
    type: list
    elements: str
    required: true
  directory:
    description: Where the kubelet keeps the directories of its pods.
    type: path
    default: /var/lib/kubelet/pods
  state:
    description: V(absent) has no volume directories of other pods left that can be removed without a loss.
    type: str
    choices: [absent]
    default: absent
seealso:
  - module: diskless.ceph.cephfs_mount
"""

EXAMPLES = r"""
- name: Pods of this node are known
  ansible.builtin.command:
    argv: [kubectl, get, pods, -A, "--field-selector=spec.nodeName={{ inventory_hostname }}", --output=json]
  delegate_to: localhost
  changed_when: false
  register: answer

- name: What others have left is found, and with check_mode left as it is
  diskless.ceph.kubelet_orphaned_pods:
    pods: "{{ answer.stdout | from_json | diskless.ceph.kubelet_pods | map(attribute='directory') | list }}"
  check_mode: true
  register: orphans
"""

RETURN = r"""
orphans:
  description: The directories of other pods, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    uid:
      description: The pod.
      type: str
    path:
      description: Its directory.
      type: str
    steps:
      description: What was removed, or in check mode would be; empty if there is nothing that stops the kubelet.
      type: list
      elements: str
    reasons:
      description: Why it was left alone; empty if it was not.
      type: list
      elements: str
  sample:
    - uid: 6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11
      path: /var/lib/kubelet/pods/6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11
      steps:
        - /var/lib/kubelet/pods/6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11/volumes/kubernetes.io~csi/pvc-1/mount
        - /var/lib/kubelet/pods/6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11/volumes/kubernetes.io~csi/pvc-1/vol_data.json
        - /var/lib/kubelet/pods/6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11/volumes/kubernetes.io~csi/pvc-1
      reasons: []
"""

import re
from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._kubelet_orphans import Orphan, find_orphans, remove

_OCTAL = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT = 4  # of mountinfo's words


def mount_points() -> list[str]:
    """Return where anything is mounted in this namespace."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    words = (line.split(" ")[_MOUNT_POINT] for line in text.splitlines())
    return [_OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), word) for word in words]


def apply(module: AnsibleModule, orphans: list[Orphan]) -> None:
    """Remove what stops the kubelet; fails with all that could not be removed."""
    problems = []
    for orphan in orphans:
        try:
            remove(orphan)
        except OSError as error:
            problems.append(f"{error.filename}: {error.strerror}")
    if problems:
        module.fail_json(msg=f"{'; '.join(problems)}: look what has come there since, and run this again")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "pods": {"type": "list", "elements": "str", "required": True},
            "directory": {"type": "path", "default": "/var/lib/kubelet/pods"},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
        },
        supports_check_mode=True,
    )
    pods = [uid for uid in module.params["pods"] if uid]
    if not pods:
        module.fail_json(msg="pods names no pod, so all of this node would be orphans: expected the uids of its pods")
    orphans = find_orphans(Path(module.params["directory"]), pods, mount_points())
    steps = sorted(step for orphan in orphans for step in orphan.steps)
    if steps and not module.check_mode:
        apply(module, orphans)
    module.exit_json(
        changed=bool(steps),
        orphans=[asdict(orphan) for orphan in orphans],
        diff={"before": {"paths": steps}, "after": {"paths": []}},
    )


if __name__ == "__main__":
    main()
