# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter power_specs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: power_specs
short_description: How the power of each host is switched
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Turns C(diskless_power) of hosts into what the drivers of the role P(diskless.ceph.power#role) need.
  - Validates all hosts at once. When something is wrong the filter fails with a list of all problems, each with host,
    key, value and what is expected. It shows no passwords.
  - The result holds passwords. Use it in tasks with C(no_log).
requirements:
  - netaddr
positional: hosts
options:
  _input:
    description:
      - The variables of all hosts, that is C(hostvars).
      - The keys of C(diskless_power) are documented with the role P(diskless.ceph.power#role).
    type: dict
    required: true
  hosts:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
seealso:
  - plugin: diskless.ceph.host_specs
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Hosts whose power nobody can switch off are named
  ansible.builtin.debug:
    msg: "{{ specs | dict2items | rejectattr('value') | map(attribute='key') }}"
  vars:
    specs: "{{ hostvars | diskless.ceph.power_specs(groups['diskless_hosts']) }}"
  no_log: true
"""

RETURN = r"""
_value:
  description:
    - For each host, by its name, C(driver), all keys of this driver, and C(at), which says in words where it switches.
    - Null for a host without C(diskless_power).
  type: dict
  sample:
    udoo1:
      address: 10.77.0.255
      at: network card 52:54:00:77:00:11
      driver: wake_on_lan
      mac: "52:54:00:77:00:11"
      pause: 5
      port: 9
      timeout: 60
      via: localhost
    udoo2: null
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._host_spec import InventoryError
from ..plugin_utils._host_values import netaddr_missing
from ..plugin_utils._power_spec import power_specs as describe


def power_specs(hostvars: Mapping[str, Mapping[str, Any]], hosts: list[str]) -> dict[str, dict[str, Any] | None]:
    """The power specs by host. Raises AnsibleFilterError with all problems of the inventory."""
    missing = netaddr_missing()
    if missing:
        raise AnsibleFilterError(missing)
    try:
        return describe(hostvars, hosts)
    except InventoryError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"power_specs": power_specs}
