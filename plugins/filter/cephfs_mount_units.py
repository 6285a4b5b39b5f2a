# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter cephfs_mount_units."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cephfs_mount_units
short_description: Units of systemd for the CephFS mounts of a machine
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Turns the mounts of the role P(diskless.ceph.cephfs_mount#role) into what its units need, with the options that the
    machine's kernel has.
  - Fails with a list of all problems, each with host, path, key, value and what is expected. It shows no keys.
  - The result holds keys. Use it in tasks with C(no_log).
positional: host, kernel, helper, monitors, fsid
options:
  _input:
    description: The mounts, as C(cephfs_mount_mounts) of the role P(diskless.ceph.cephfs_mount#role) has them.
    type: list
    elements: dict
    required: true
  host:
    description: Name of the machine, for messages.
    type: str
    required: true
  kernel:
    description: Release of its kernel.
    type: str
    required: true
  helper:
    description: What C(ceph --version) prints there; empty if it is not installed.
    type: str
    default: ""
  monitors:
    description: Monitors of mounts that name none.
    type: list
    elements: str
    default: []
  fsid:
    description: Id of the cluster of mounts that name none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What would be mounted
  ansible.builtin.debug:
    msg: "{{ units.present | map(attribute='source') }}"
  vars:
    units: "{{ cephfs_mount_mounts | diskless.ceph.cephfs_mount_units(inventory_hostname, ansible_kernel) }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The units.
  type: dict
  contains:
    present:
      description: Those that are wanted.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the unit.
          type: str
          sample: srv-web.mount
        path:
          description: Where it is mounted.
          type: str
          sample: /srv/web
        source:
          description: What is mounted.
          type: str
          sample: "10.0.0.1:/web"
        options:
          description: The options, as in C(/etc/fstab).
          type: str
          sample: name=web1,secretfile=/etc/ceph/cephfs_mount/srv-web.secret,recover_session=clean,_netdev
        secret_file:
          description: Where the key is.
          type: str
          sample: /etc/ceph/cephfs_mount/srv-web.secret
        key:
          description: The key.
          type: str
        fsc:
          description: Whether it needs C(cachefilesd).
          type: bool
        notes:
          description: What the user should know.
          type: list
          elements: str
    absent:
      description: Those that are not, with the same keys.
      type: list
      elements: dict
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._cephfs_mount_units import MountsRefused, plan_units

_CEPH_VERSION = re.compile(r"ceph version (\d+)\.")


def cephfs_mount_units(  # noqa: PLR0913, PLR0917 -- what is documented above
    mounts: Any, host: str, kernel: str, helper: str = "", monitors: Sequence[str] = (), fsid: str = ""
) -> dict[str, list[dict[str, Any]]]:
    """The units of the mounts. Raises AnsibleFilterError with all that is wrong."""
    found = _CEPH_VERSION.search(helper)
    try:
        return plan_units(mounts, host, kernel, int(found[1]) if found else None, monitors, fsid)
    except MountsRefused as error:
        raise AnsibleFilterError(f"cephfs_mount_units: {error}") from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"cephfs_mount_units": cephfs_mount_units}
