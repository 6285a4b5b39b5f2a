# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module boot_tree_info: the half that runs on the boot server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_tree_info
short_description: Tell whether a boot server has all that its diskless hosts need to boot
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Looks at the boot trees of many hosts at once, and says of each what would keep its host from booting. Nothing is
    changed.
  - An action plugin renders, on the controller, what the inventory asks for; the module compares the trees with that.
  - The key in C(host.cpio) is never returned, only a fingerprint of it, by which it can be compared with that of Ceph.
  - A host is root in its boot tree. Whatever it puts there (symbolic links, named pipes, huge files, strange names)
    neither makes the module wait or fail nor reaches anybody as it is. What is returned of its files is bounded and
    printable.
  - Where the boot trees are in CephFS and Ceph does not answer, the module says so after some seconds, and returns what
    is known without them.
extends_documentation_fragment:
  - diskless.ceph.attributes
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
  hosts:
    description: Host specs of the hosts in question, made by P(diskless.ceph.host_specs#filter).
    type: list
    elements: dict
    required: true
  directory:
    description: Directory of the boot server's data, as O(diskless.ceph.boot_tree#module:root).
    type: path
    default: /srv/diskless
  link_root:
    description: Where the TFTP server sees the directory C(boot). The links in C(tftp) lead there.
    type: path
    default: /run/diskless/boot
  tftp_user:
    description: User of the TFTP service.
    type: str
    default: dnsmasq
  expected:
    description: What the action plugin has rendered. Leave it out.
    type: list
    elements: dict
seealso:
  - module: diskless.ceph.boot_tree
  - module: diskless.ceph.host_info
  - plugin: diskless.ceph.host_specs
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Boot trees are looked at
  diskless.ceph.boot_tree_info:
    hosts: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
  become: true
  register: boot

- name: Nothing keeps a host from booting
  ansible.builtin.assert:
    that: item.value.problems == [] and item.value.admitted and item.value.linked
    fail_msg: "{{ item.key }}: {{ item.value.problems }}"
  loop: "{{ boot.hosts | dict2items }}"
  loop_control:
    label: "{{ item.key }}"
"""

RETURN = r"""
services:
  description:
    - State of each unit of the boot server that is installed, as systemd gives it, such as V(active), V(inactive) or
      V(failed); V(not-found) for those that every boot server has; V(unknown) where systemd did not answer.
    - Of the NFS servers only the one that the role P(diskless.ceph.boot_server#role) has set up, also by the name
      V(nfs), which is V(not-found) if there is none.
  type: dict
  returned: success
  sample:
    diskless-boot-events.service: active
    diskless-dnsmasq.service: active
    diskless-guard.service: active
    nfs: active
    nfs-ganesha.service: active
    run-diskless-boot.mount: active
hosts:
  description: What there is for each host, by its name.
  type: dict
  returned: success
  contains:
    exists:
      description: Whether the host has a boot tree; null, as all that is in it, where the trees did not answer.
      type: bool
    files:
      description: The regular files in the tree, sorted, no more than 200 and those that matter.
      type: list
      elements: dict
      contains:
        path:
          description: Name in the tree.
          type: str
        size:
          description: Bytes.
          type: int
        mode:
          description: Permission bits, octal.
          type: str
        owner:
          description: V(root), the TFTP user, or the number of somebody else.
          type: str
    problems:
      description: What is wrong with the tree.
      type: list
      elements: dict
      contains:
        file:
          description: Name in the tree; C(.) is the tree itself.
          type: str
        problem:
          description: What is wrong with it.
          type: str
    kernel:
      description: The kernel that boots next, by C(kernel.cfg) or C(kernel.txt); null if these name none.
      type: str
    initrd:
      description: The initramfs that boots next; null if they name none.
      type: str
    host_conf:
      description: What C(host.conf) in C(host.cpio) assigns, by name; null if it cannot be read.
      type: dict
    key_fingerprint:
      description: First 16 digits of the SHA-256 of the key in C(host.cpio); null if there is no key.
      type: str
    admitted:
      description: Whether DHCP and the packet filter know the host by its MAC address and its address.
      type: bool
    exported:
      description:
        - Whether NFS gives the host its boot tree.
        - What a running server says of itself counts, not only how it was configured.
      type: bool
    linked:
      description: Whether TFTP shows the host its boot tree and its boot loader, and nothing else.
      type: bool
  sample:
    udoo1:
      admitted: true
      exists: true
      exported: true
      files:
        - {mode: "0644", owner: root, path: .diskless, size: 64}
        - {mode: "0644", owner: root, path: grub.cfg, size: 646}
        - {mode: "0400", owner: dnsmasq, path: host.cpio, size: 1536}
        - {mode: "0644", owner: root, path: initrd.img-6.1.0-56-amd64, size: 8000000}
        - {mode: "0644", owner: root, path: kernel.cfg, size: 71}
        - {mode: "0644", owner: root, path: vmlinuz-6.1.0-56-amd64, size: 8247232}
      host_conf:
        DISKLESS_ADDRESS: 10.77.0.11/24
        DISKLESS_BOOT_EXPORT: /boot/udoo1
        DISKLESS_BOOT_SERVER: 10.77.0.3
        DISKLESS_BOOT_TIMEOUT: "600"
        DISKLESS_EXITRD: "yes"
        DISKLESS_GATEWAY: ""
        DISKLESS_HOST: udoo1
        DISKLESS_IMAGE: root
        DISKLESS_MAC: "52:54:00:77:00:11"
        DISKLESS_MONITORS: 10.77.0.2:3300
        DISKLESS_MS_MODE: prefer-crc
        DISKLESS_NAMESERVERS: ""
        DISKLESS_NAMESPACE: udoo1
        DISKLESS_NETCONSOLE: 10.77.0.3:6666
        DISKLESS_POOL: diskless
        DISKLESS_SHELL: "no"
        DISKLESS_SHUTDOWN_TIMEOUT: "60"
        DISKLESS_USER: diskless.udoo1
      initrd: initrd.img-6.1.0-56-amd64
      kernel: vmlinuz-6.1.0-56-amd64
      key_fingerprint: 65f6f89da5c67e84
      linked: true
      problems:
        - file: initrd.img-6.1.0-56-amd64
          problem: "is truncated: its zstd frame goes on beyond the end of the file"
"""

import os
import pwd
from pathlib import Path
from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._boot_server_evidence import (
    DHCP_HOSTS,
    ETAB,
    GUARD,
    Machine,
    configured_exports,
    is_admitted,
    is_exported,
    is_linked,
    nfs_server,
    text_of,
)
from ..module_utils._boot_tree_evidence import ExpectedTree, TftpUser, nothing
from ..module_utils._boot_tree_reader import read_trees
from ..module_utils._bounded_command import output
from ..module_utils._kernel_txt import Firmware
from ..module_utils._nfs_exports import Export, kernel_exports, shown_paths
from ..module_utils._systemd_units import parse_units, show

ROOT = Path("/")
# Every boot server has the first, with this value for those that are missing; the others only some.
UNITS = ("diskless-dnsmasq.service", "diskless-guard.service", "run-diskless-boot.mount")
OTHER_UNITS = ("diskless-boot-events.service", "diskless-cephfs.service")
NFS_UNITS = ("nfs-ganesha.service", "nfs-server.service")
KEEPALIVED = "keepalived.service"  # somebody else's, unless the role has put its settings there
KEEPALIVED_SETTINGS = "etc/systemd/system/keepalived.service.d/diskless.conf"
SHOW_EXPORTS = (
    "--system",
    "--print-reply",
    "--dest=org.ganesha.nfsd",
    "/org/ganesha/nfsd/ExportMgr",
    "org.ganesha.nfsd.exportmgr.ShowExports",
)


def services(module: AnsibleModule) -> dict[str, str]:
    """Return the states of the units."""
    others = [*OTHER_UNITS, *([KEEPALIVED] if (ROOT / KEEPALIVED_SETTINGS).exists() else [])]
    said = output(module, "systemctl", show([*UNITS, *others, *NFS_UNITS]))
    if said is None:
        return dict.fromkeys((*UNITS, "nfs"), "unknown")
    states = parse_units(said)
    nfs = nfs_server([unit for unit in NFS_UNITS if states.get(unit) == "active"], ROOT)
    found = {unit: states.get(unit, "unknown") for unit in UNITS}
    found.update({unit: states[unit] for unit in others if states.get(unit, "not-found") != "not-found"})
    found["nfs"] = states.get(nfs, "unknown") if nfs else "not-found"
    return {**found, **({nfs: found["nfs"]} if nfs else {})}


def exports(module: AnsibleModule, states: Mapping[str, str]) -> tuple[set[Export], set[str] | None]:
    """Return what the NFS server exports, and the paths that it says it does, if it can be asked."""
    unit = nfs_server([unit for unit in NFS_UNITS if states.get(unit) == "active"], ROOT)
    if unit is None:
        return set(), None
    configured = configured_exports(unit, ROOT)
    if states.get(unit) != "active":
        return configured, None
    if unit == "nfs-server.service":
        return kernel_exports(text_of(ROOT / ETAB)), None
    said = output(module, "dbus-send", SHOW_EXPORTS)
    return configured, None if said is None else shown_paths(said)


def tftp_user(name: str) -> TftpUser:
    """Return the user of the TFTP service."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return TftpUser(name, None)
    return TftpUser(name, user.pw_uid, user.pw_gid)


def evidence(module: AnsibleModule) -> dict[str, Any]:
    """Return the module's result."""
    directory, link_root = Path(module.params["directory"]), module.params["link_root"].rstrip("/")
    states = services(module)
    configured, served = exports(module, states)
    dhcp_hosts, guard = text_of(ROOT / DHCP_HOSTS), text_of(ROOT / GUARD)
    expected = module.params["expected"]
    wanted = [
        ExpectedTree(
            host["name"], host["loader"], host["digests"], Firmware(**host["firmware"]) if host["firmware"] else None
        )
        for host in expected
    ]
    trees = read_trees(f"{directory}/boot", wanted, tftp_user(module.params["tftp_user"]), module.warn)
    hosts = {}
    for host in expected:
        machine = Machine(host["name"], host["mac"], host["address"])
        views = {name: f"{link_root}/{machine.name}" for name in host["views"]}
        hosts[machine.name] = {
            **trees.get(machine.name, nothing(None)),
            "admitted": is_admitted(machine, dhcp_hosts, guard),
            "exported": is_exported(machine, configured, served),
            "linked": is_linked(machine, host["loader"], views, directory, ROOT),
        }
    return {"services": states, "hosts": hosts}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "dict", "required": True},
            "directory": {"type": "path", "default": "/srv/diskless"},
            "link_root": {"type": "path", "default": "/run/diskless/boot"},
            "tftp_user": {"type": "str", "default": "dnsmasq"},
            "expected": {"type": "list", "elements": "dict"},
        },
        supports_check_mode=True,
    )
    if module.params["expected"] is None:
        module.fail_json(
            msg="boot_tree_info works only through its action plugin, which renders on the controller what the"
            " inventory asks for"
        )
    if os.geteuid() != 0:
        module.fail_json(msg="boot_tree_info has to run as root, who alone can read every boot tree; use become")
    module.exit_json(changed=False, **evidence(module))


if __name__ == "__main__":
    main()
