# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: root_filesystem
version_added: 0.1.0
short_description: Build the root file system of diskless hosts
description:
  - Builds a Debian root file system with C(mmdebstrap), or takes a root tarball, and makes an ext4 image file of it
    that C(rbd import) turns into a golden image.
  - Needs no loop device, no mount and no kernel RBD client, so it also works as root in an unprivileged container.
  - On a builder with another processor, V(amd64) and V(arm64) are built under emulation by C(qemu-user-static). From
    Linux 6.7 on, the build registers it for itself alone, in a user namespace. With an older kernel it has to be
    registered for the whole machine, as the package does.
  - What C(mmdebstrap) makes is kept as well. Another O(overlay), O(user), O(authorized_keys) or O(image_size) is built
    from it within a minute, with the same package versions.
  - While it builds, C(build.log) in O(cache_dir) says how far it is. Under emulation, a build takes some five times as
    long.
  - The result is cached by its inputs. The same inputs give the same name and no second build, whatever the package
    mirror holds by then. Use O(refresh) to build again with newer packages.
  - C(update-initramfs) runs once, after O(overlay) is in place. The contents of C(/boot) go to a tar file for the boot
    server, and C(/boot) in the image is empty.
  - Host keys and machine-id are not in the image. Every host makes its own at its first boot.
  - Never removes an earlier result from the cache.
options:
  suite:
    description:
      - The Debian release. With O(tarball) it is only part of the name.
    type: str
    default: bookworm
  arch:
    description:
      - Debian's name of the hosts' architecture.
    type: str
    default: amd64
  packages:
    description:
      - What to install besides the essential packages. Ignored with O(tarball).
      - A kernel, an init system and C(initramfs-tools) have to be among them.
    type: list
    elements: str
    default: []
  components:
    description:
      - The archive areas to install from.
    type: list
    elements: str
    default: [main]
  mirror:
    description:
      - Where packages come from, as C(mmdebstrap) takes it. Its URI, or a complete line as in C(sources.list).
      - Empty for the default of C(mmdebstrap), which includes security updates.
    type: str
    default: ""
  tarball:
    description:
      - A tar file on the builder that holds a complete root with a kernel and C(initramfs-tools), to use instead of
        C(mmdebstrap). Any compression that C(tar) knows.
    type: path
  overlay:
    description:
      - A directory on the builder that is copied over the root before the initramfs is built.
      - Everything of it belongs to root in the image.
    type: path
  user:
    description:
      - The account that gets O(authorized_keys). It is created if it does not exist.
    type: str
    default: root
  authorized_keys:
    description:
      - SSH public keys for O(user).
    type: list
    elements: str
    default: []
  image_size:
    description:
      - Size of the ext4 image, in bytes or as a string such as V(2GiB). On a larger RBD clone the file system grows at
        the first boot, if the root's C(fstab) has C(x-systemd.growfs).
    type: str
    default: 2GiB
  refresh:
    description:
      - Any text, for example a date. A new text makes a new golden image from the packages of that day.
    type: str
    default: ""
  cache_dir:
    description:
      - Where the results are kept, in a directory for each name. Needs twice O(image_size) of free space for a build.
    type: path
    default: /var/cache/diskless
  timeout:
    description:
      - How many seconds a single step of the build may take. The longest is C(mmdebstrap).
      - How long to wait for another build in O(cache_dir) to end.
    type: int
    default: 1800
requirements:
  - On the builder, mmdebstrap (unless O(tarball) is used), e2fsprogs, tar and gzip, and root's rights.
  - For another O(arch) than the builder's, qemu-user-static, and unshare, nsenter and mount of util-linux.
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details:
      - Names the golden image and tells whether it would be built. Which package versions the mirror would give is not
        known.
  diff_mode:
    support: full
    details:
      - Shows the inputs of a build that is missing.
  idempotent:
    support: full
seealso:
  - module: diskless.ceph.rbd_image
author:
  - diskless.ceph contributors (@diskless-ceph)
"""

EXAMPLES = r"""
- name: Debian 12 root file system is built
  diskless.ceph.root_filesystem:
    packages: [systemd-sysv, udev, linux-image-amd64, initramfs-tools, openssh-server, python3]
    overlay: /var/cache/diskless/overlay-amd64
    authorized_keys: "{{ [lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub')] }}"
  register: root

- name: Root file system of our own is used
  diskless.ceph.root_filesystem:
    suite: ourroot
    tarball: /srv/roots/ourroot-7.tar.zst
    image_size: 4GiB
"""

RETURN = r"""
name:
  description: The name that the inputs give to the golden image.
  returned: success
  type: str
  sample: golden-bookworm-amd64-3f1c0a9b7d52
cached:
  description: Whether the result was there already.
  returned: success
  type: bool
  sample: false
image:
  description: The ext4 image on the builder. In check mode, where it would be.
  returned: success
  type: str
  sample: /var/cache/diskless/golden-bookworm-amd64-3f1c0a9b7d52/root.ext4
boot_tar:
  description: The tar file of C(/boot) on the builder. In check mode, where it would be.
  returned: success
  type: str
  sample: /var/cache/diskless/golden-bookworm-amd64-3f1c0a9b7d52/boot.tar
manifest:
  description: What was built. Empty in check mode for a build that is missing.
  returned: success
  type: dict
  contains:
    name:
      description: As RV(name).
      type: str
    suite:
      description: As O(suite).
      type: str
    arch:
      description: As O(arch).
      type: str
    kernel_release:
      description: The newest kernel in the root.
      type: str
      sample: 6.1.0-56-amd64
    boot_files:
      description: The files in RV(boot_tar).
      type: list
      elements: str
      sample: [kernel.cfg, vmlinuz-6.1.0-56-amd64, initrd.img-6.1.0-56-amd64]
    boot_tar_size:
      description: Bytes of RV(boot_tar).
      type: int
    image_size:
      description: Bytes of the file system.
      type: int
      sample: 2147483648
    image_used:
      description: Bytes of it that are in use, which is what the golden image takes in the pool.
      type: int
      sample: 660000000
    packages:
      description: The installed packages and their versions.
      type: dict
      sample: {"systemd": "252.39-1~deb12u1"}
    inputs:
      description: What the name was computed from.
      type: dict
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import parse_size
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import (
    BuildError,
    Inputs,
    file_sha256,
    golden_name,
    tree_sha256,
)
from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem_build import (
    BOOT_TAR,
    IMAGE,
    Sources,
    build,
    read_manifest,
)


def read_inputs(params: dict[str, Any], sources: Sources) -> Inputs:
    """Collect what decides the contents; raises OSError and ValueError."""
    if sources.overlay and not sources.overlay.is_dir():
        raise ValueError(f"overlay {sources.overlay} is not a directory on the builder")
    tarball = sources.tarball
    return Inputs(
        suite=params["suite"],
        arch=params["arch"],
        packages=() if tarball else tuple(sorted(set(params["packages"]))),
        components=() if tarball else tuple(params["components"]),
        mirror="" if tarball else params["mirror"],
        tarball_sha256=file_sha256(tarball) if tarball else "",
        overlay_sha256=tree_sha256(sources.overlay) if sources.overlay else "",
        user=params["user"],
        authorized_keys=tuple(key.strip() for key in params["authorized_keys"]),
        image_size=parse_size(params["image_size"]),
        refresh=params["refresh"],
    )


def diff(name: str, inputs: Inputs, cached: bool) -> dict[str, Any]:
    """Show what a missing build would be made from."""
    after = {"name": name, "state": "built", "inputs": inputs.as_dict()}
    return {"before": after if cached else {"name": name, "state": "absent"}, "after": after}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "suite": {"type": "str", "default": "bookworm"},
            "arch": {"type": "str", "default": "amd64"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "components": {"type": "list", "elements": "str", "default": ["main"]},
            "mirror": {"type": "str", "default": ""},
            "tarball": {"type": "path"},
            "overlay": {"type": "path"},
            "user": {"type": "str", "default": "root"},
            "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "image_size": {"type": "str", "default": "2GiB"},
            "refresh": {"type": "str", "default": ""},
            "cache_dir": {"type": "path", "default": "/var/cache/diskless"},
            "timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    params = module.params
    cache_dir = Path(params["cache_dir"])
    sources = Sources(
        tarball=Path(params["tarball"]) if params["tarball"] else None,
        overlay=Path(params["overlay"]) if params["overlay"] else None,
    )
    try:
        inputs = read_inputs(params, sources)
        name = golden_name(inputs)
        manifest = read_manifest(cache_dir, name)
        cached = manifest is not None
        if not cached and not module.check_mode:
            manifest = build(inputs, sources, cache_dir, params["timeout"])
    except (BuildError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    result: dict[str, Any] = {
        "changed": not cached,
        "name": name,
        "cached": cached,
        "image": str(cache_dir / name / IMAGE),
        "boot_tar": str(cache_dir / name / BOOT_TAR),
        "manifest": manifest or {},
    }
    if module._diff:
        result["diff"] = diff(name, inputs, cached)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
