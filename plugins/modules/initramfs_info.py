#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether a kernel would reach its root with the initramfs that it has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: initramfs_info
short_description: Tell whether a kernel would reach its root with the initramfs that it has
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Looks at kernel, initramfs and modules of one kernel version, before anybody boots it, and says what would keep a
    diskless host from reaching its root with them. Nothing is changed.
  - The initramfs is unpacked to nowhere, piece by piece. Nothing in it is executed, and neither its size nor what it
    claims to hold decides how much memory or time that takes. A file that is truncated, damaged or something else is a
    problem that is told, and no failure of the module.
  - It runs on a diskless host, where C(/boot) is the boot tree, or on a boot server. For an initramfs that was
    compressed with zstd, lz4 or lzo the machine needs the program of that name (C(lzop) for lzo); a host that makes
    such an initramfs has it.
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
  version:
    description: Version of the kernel, as C(uname -r) says it. By default that of the kernel that runs.
    type: str
  boot:
    description: Directory with C(vmlinuz-VERSION) and C(initrd.img-VERSION).
    type: path
    default: /boot
  modules:
    description:
      - Kernel modules of the host's network cards, C(modules) of its host spec. They have to be in the initramfs, or
        built into the kernel, as those have to be that every diskless host needs.
    type: list
    elements: str
    default: []
  root:
    description:
      - The root file system that has the kernel's modules, in C(lib/modules/VERSION).
      - Empty on a boot server, which does not have it. What is only known from there is V(unknown) then.
    type: str
    default: /
seealso:
  - module: diskless.ceph.boot_tree_info
  - module: diskless.ceph.host_info
"""

EXAMPLES = r"""
- name: New kernel is looked at before it boots
  diskless.ceph.initramfs_info:
    version: 6.1.0-57-amd64
    modules: [r8169, realtek]
  register: initramfs

- name: It would reach the root
  ansible.builtin.assert:
    that: initramfs.problems | length == 0
    fail_msg: "{{ initramfs.problems }}"

- name: Boot server is asked for what a host that is off would boot
  diskless.ceph.initramfs_info:
    version: 6.1.0-57-amd64
    boot: /srv/diskless/boot/udoo1
    root: ""
"""

RETURN = r"""
version:
  description: The version that was looked at.
  returned: success
  type: str
  sample: 6.1.0-56-amd64
kernel:
  description: The kernel; null if there is none, or one without content.
  returned: success
  type: str
  sample: /boot/vmlinuz-6.1.0-56-amd64
path:
  description: The initramfs; null if there is none.
  returned: success
  type: str
  sample: /boot/initrd.img-6.1.0-56-amd64
size:
  description: Bytes of the initramfs.
  returned: success
  type: int
  sample: 8125405
compression:
  description:
    - How the archives that it consists of are compressed, V(none), V(zstd), V(gzip), V(xz), V(lzma), V(bzip2), V(lz4)
      or V(lzo), each once.
  returned: success
  type: list
  elements: str
  sample: [zstd]
complete:
  description: Whether the file is whole; null if that is not known.
  returned: success
  type: bool
  sample: true
versions:
  description: The kernel versions whose modules it holds; null if it could not be unpacked.
  returned: success
  type: list
  elements: str
  sample: [6.1.0-56-amd64]
modules_directory:
  description: Directory of all modules of that kernel; null if there is none or O(root) is empty.
  returned: success
  type: str
  sample: /lib/modules/6.1.0-56-amd64
modules:
  description:
    - What is known of each module that is wanted. These are C(rbd), C(libceph), C(ext4), O(modules), C(netconsole), and
      the ciphers that the Ceph client asks for, by the aliases that it does so with.
    - V(there) in the initramfs, V(built-in) into the kernel, V(missing) in the initramfs, V(no such module) where the
      kernel has none, or V(unknown).
    - V(no such module) is a problem for all but ciphers, which newer kernels have as functions, and C(netconsole).
  returned: success
  type: dict
  sample:
    crypto-aes: there
    crypto-cbc: built-in
    crypto-crc32c: there
    crypto-ctr: there
    crypto-gcm: there
    crypto-ghash: there
    ext4: there
    libceph: there
    netconsole: there
    r8169: there
    rbd: there
    realtek: there
files:
  description:
    - Whether each file is there that the role P(diskless.ceph.initramfs#role) puts into an initramfs, by its name
      without C(usr/). C(lib/diskless/exitrd.sh) makes the root in which the image is unmapped at shutdown.
    - Null if it could not be unpacked.
  returned: success
  type: dict
  sample:
    bin/busybox: true
    lib/diskless/exitrd.sh: true
    scripts/rbd: true
missing:
  description: The modules and files of these that are not there.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: What would keep a host from booting this kernel, and what could not be found out about that.
  returned: success
  type: list
  elements: dict
  contains:
    file:
      description: What it is about.
      type: str
    problem:
      description: What is wrong with it.
      type: str
    remedy:
      description: What to do.
      type: str
  sample:
    - file: /boot/initrd.img-6.1.0-56-amd64
      problem: "is truncated: its zstd frame goes on beyond the end of the file"
      remedy: On the host, run update-initramfs -u -k 6.1.0-56-amd64; where there is none yet, -c instead of -u.
"""

import os
import re

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._bounded_call import CallFailed, NoAnswer, bounded
from ..module_utils._initramfs_survey import Wanted, survey

# For an emulated host, whose processor may take half a minute to unpack 30 MB.
SECONDS = 120
# And the rest: lists of modules on a root that may be slow.
MORE_SECONDS = 30
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]{0,99}")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str"},
            "boot": {"type": "path", "default": "/boot"},
            "modules": {"type": "list", "elements": "str", "default": []},
            "root": {"type": "str", "default": "/"},
        },
        supports_check_mode=True,
    )
    version = module.params["version"] or os.uname().release
    if not VERSION.fullmatch(version):
        module.fail_json(msg=f"version is {version!r}; expected what uname -r says, such as 6.1.0-56-amd64")
    wanted = Wanted(version, module.params["boot"], module.params["root"] or None, module.params["modules"])
    try:
        # In a process of its own: /boot is NFS, and the root is in Ceph.
        found = bounded(lambda: survey(wanted, SECONDS), SECONDS + MORE_SECONDS, f"initrd-{os.getpid()}")
    except NoAnswer as error:
        module.fail_json(msg=f"{wanted.boot} or {wanted.root}: {error}; look whether their server is up")
    except CallFailed as error:
        module.fail_json(msg=f"initramfs of kernel {version}: {error}")
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
