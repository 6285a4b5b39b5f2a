# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter recovery."""

from __future__ import annotations

DOCUMENTATION = r"""
name: recovery
short_description: What has to be done so that a host that is off can boot again
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Plans from evidence that the playbook C(recover_host) has gathered. It asks nobody itself.
  - Of the OSD blocklist it lifts what would shut out the host as it boots, the entry of the whole host, and ranges. A
    range of more than one address is lifted only if it is named. Entries of single client instances, its former selves,
    stay.
options:
  _input:
    description:
      - The evidence, a dictionary with these keys.
      - C(spec), the host spec. C(image), what M(diskless.ceph.rbd_image_info) says of its root image, or null. C(off),
        the result of P(diskless.ceph.host_off#filter). C(lock_problems), what keeps its lock from being broken.
      - C(blocklist), the entries as M(diskless.ceph.osd_blocklist_info) returns them. C(lift_ranges), ranges to lift
        although they hit other addresses as well, a list, or a string with commas.
      - C(blocklist_expire), how long the dead owner of the lock is kept out. C(fsck), null or C(host), C(repair) and
        C(snapshot). C(power_on), whether to switch it on, and C(can_switch_on), whether a driver can.
    type: dict
    required: true
seealso:
  - plugin: diskless.ceph.host_off
    plugin_type: filter
  - module: diskless.ceph.osd_blocklist
  - module: diskless.ceph.rbd_lock
"""

EXAMPLES = r"""
- name: What has to be done is shown
  ansible.builtin.debug:
    msg: "{{ (evidence | diskless.ceph.recovery).steps }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems) speak against it. C(owner) holds the lock, C(lift) are entries to remove, as
      M(diskless.ceph.osd_blocklist) takes them, and C(found) and C(steps) are for people.
  type: dict
  sample:
    found:
      - "udoo1 is off: its power driver says that it is off"
      - "lock of its root image: client.4154, 10.77.0.11:0/1345063765, dead"
      - "shut out by: 10.77.0.11:0/0"
    lift:
      - address: 10.77.0.11:0/0
        instances: exact
        state: absent
    owner:
      address: 10.77.0.11:0/1345063765
      client: client.4154
    problems: []
    steps:
      - blocklist 10.77.0.11:0/1345063765 for 1d
      - break lock 'auto 140467442388832' of client.4154 on diskless/udoo1/root
      - lift 10.77.0.11:0/0 from the blocklist
      - switch it on
      - follow it until it is ready, and see that it owns its root image
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._recovery import LIFT_RANGES, plan_recovery


def recovery(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The plan as a dictionary. Raises AnsibleFilterError."""
    try:
        return plan_recovery(evidence).as_dict()
    except KeyError as error:
        raise AnsibleFilterError(f"recovery: the evidence is not complete: {error} is missing") from error
    except ValueError as error:
        raise AnsibleFilterError(f"{LIFT_RANGES}: {error}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"recovery": recovery}
