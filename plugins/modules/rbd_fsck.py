#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the file system on an RBD image that nobody uses."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rbd_fsck
short_description: Check, and repair, the file system on an RBD image that nobody uses
version_added: 0.1.0
description:
  - Maps the image on the machine that it runs on, runs C(e2fsck) on it, and unmaps it whatever happens.
  - It refuses while the image has a watcher or a lock. It maps the image so that its exclusive lock is not handed over,
    and a host that is switched on meanwhile cannot write. An image without the feature C(exclusive-lock) has no such
    protection; fence its host with M(diskless.ceph.osd_blocklist).
  - The image holds an ext2, ext3 or ext4 file system, without a partition table.
  - Take a snapshot first, with M(diskless.ceph.rbd_snapshot).
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: partial
    details: The image is not mapped, so what would be corrected is not known; the result is changed.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  image:
    description: Name of the image.
    type: str
    required: true
  pool:
    description: Pool of the image.
    type: str
    required: true
  namespace:
    description: RBD namespace of the image; empty for the pool's default namespace.
    type: str
    default: ""
  repair:
    description:
      - V(none) maps the image read-only and corrects nothing. A journal that was not replayed counts as an error then.
      - V(safe) replays the journal and corrects what needs no decision (C(e2fsck -p)).
      - V(all) answers every question with yes (C(e2fsck -y)), which may throw data away.
    type: str
    choices: [none, safe, all]
    default: safe
  device_type:
    description:
      - What maps the image. V(krbd) is the kernel's driver, V(nbd) the program C(rbd-nbd).
      - V(auto) is the kernel's driver where the kernel has it.
    type: str
    choices: [auto, krbd, nbd]
    default: auto
  timeout:
    description: Seconds that C(e2fsck) may take.
    type: int
    default: 3600
requirements:
  - e2fsck (package e2fsprogs), blkid (util-linux), timeout (coreutils) on the machine that it runs on
  - rbd there as well, or behind a launcher whose devices are those of that machine
seealso:
  - module: diskless.ceph.rbd_lock
  - module: diskless.ceph.rbd_snapshot
"""

EXAMPLES = r"""
- name: File system of the host that crashed is checked
  diskless.ceph.rbd_fsck:
    image: root
    namespace: pi3
    pool: diskless
"""

RETURN = r"""
checked:
  description: Whether the file system was checked, which check mode does not do.
  returned: success
  type: bool
  sample: true
device_type:
  description: What mapped the image, or would.
  returned: success
  type: str
  sample: krbd
output:
  description: What C(e2fsck) said.
  returned: always, if it ran
  type: list
  elements: str
  sample:
    - "/dev/rbd0: recovering journal"
    - "/dev/rbd0: 27718/131072 files (0.1% non-contiguous), 210417/524288 blocks"
rc:
  description: Exit status of C(e2fsck).
  returned: always, if it ran
  type: int
  sample: 0
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_fsck import (
    REPAIR_OPTIONS,
    Verdict,
    file_system_problem,
    map_words,
    users_problem,
    verdict,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_images
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import read_rbd

# Whoever looks at a new device, udev for one, may hold it for a moment.
_UNMAP_TRIES = 10


def read_image(client: CephClient, name: ImageName) -> Image:
    """Return the image; raises CephError, and ValueError for one that does not exist or that somebody uses."""
    found = read_rbd(client, [name])
    if name not in found.images:
        raise ValueError(missing_images(client, [name], found)[0])
    image = found.images[name]
    problem = users_problem(image)
    if problem:
        raise ValueError(problem)
    return image


def chosen_type(module: AnsibleModule) -> str:
    """Return what maps the image on this machine."""
    wanted: str = module.params["device_type"]
    if wanted != "auto":
        return wanted
    if Path("/sys/bus/rbd").is_dir():
        return "krbd"
    modprobe = module.get_bin_path("modprobe")
    return "krbd" if modprobe and module.run_command([modprobe, "--dry-run", "--quiet", "rbd"])[0] == 0 else "nbd"


def unmap(client: CephClient, device_type: str, device: str) -> str | None:
    """Unmap the device; return why that failed."""
    problem = None
    for _number in range(_UNMAP_TRIES):
        try:
            client.rbd("device", "unmap", "--device-type", device_type, device)
        except CephError as error:
            problem = str(error)
            time.sleep(1)
        else:
            return None
    return problem


def check(module: AnsibleModule, device: str, image: Image) -> tuple[Verdict, int, str]:
    """Check the file system on a mapped device; return the verdict, and exit status and output of e2fsck."""
    seconds, repair = module.params["timeout"], module.params["repair"]
    blkid, e2fsck, timeout = (module.get_bin_path(name, required=True) for name in ("blkid", "e2fsck", "timeout"))
    found = module.run_command([blkid, "--probe", "--output", "value", "--match-tag", "TYPE", device])[1].strip()
    problem = file_system_problem(image, found)
    if problem:
        return Verdict(False, problem), 0, ""
    argv = [timeout, "--kill-after=60", str(seconds), e2fsck, "-f", REPAIR_OPTIONS[repair], device]
    rc, stdout, stderr = module.run_command(argv)
    return verdict(rc, stdout + stderr, repair, image, seconds), rc, stdout + stderr


def run(module: AnsibleModule, client: CephClient) -> dict[str, Any]:
    """Read, map, check and unmap. Returns the result; raises CephError and ValueError before anything is mapped."""
    params = module.params
    image = read_image(client, ImageName(params["pool"], params["namespace"], params["image"]))
    device_type = chosen_type(module)
    if module.check_mode:
        return {"changed": params["repair"] != "none", "checked": False, "device_type": device_type}
    for program in ("blkid", "e2fsck", "timeout"):
        module.get_bin_path(program, required=True)
    device = client.rbd(*map_words(image, device_type, params["repair"])).strip()
    found: Verdict | None = None
    try:
        found, rc, output = check(module, device, image)
    finally:
        left = unmap(client, device_type, device)
        if left:
            module.fail_json(
                msg=f"image {image.name} is still mapped on this machine as {device}: {left}; unmap it by hand "
                f"(rbd device unmap --device-type {device_type} {device}) before its host is switched on"
                + (f". The check itself: {found.problem}" if found and found.problem else "")
            )
    result = {
        "changed": found.corrected,
        "checked": True,
        "device_type": device_type,
        "rc": rc,
        "output": output.splitlines(),
    }
    if found.problem:
        module.fail_json(msg=found.problem, **result)
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "str", "required": True},
            "pool": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": ""},
            "repair": {"type": "str", "choices": list(REPAIR_OPTIONS), "default": "safe"},
            "device_type": {"type": "str", "choices": ["auto", "krbd", "nbd"], "default": "auto"},
            "timeout": {"type": "int", "default": 3600},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    try:
        result = run(module, CephClient.from_params(module.params))
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
