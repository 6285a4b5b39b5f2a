# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter diagnose."""

from __future__ import annotations

DOCUMENTATION = r"""
name: diagnose
short_description: Why a diskless host does not boot, or misbehaves
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Turns what is known of one diskless host into findings, each with its cause, the evidence for it, a remedy and a
    command. The most likely cause comes first; what it explains comes last.
  - It asks nobody. The playbook C(diskless.ceph.diagnose) collects the evidence and shows the result.
  - Nothing is guessed. What the evidence does not tell is among RV(_value.unknown), with the reason.
options:
  _input:
    description:
      - The evidence. Only C(spec) has to be there, the host spec as P(diskless.ceph.host_specs#filter) makes it.
      - C(ceph) is the result of M(diskless.ceph.host_storage_info), C(boot) that of M(diskless.ceph.boot_tree_info),
        C(host) that of M(diskless.ceph.host_info). Of the first two it may be about many hosts.
      - C(boot_servers) has, by their names, the results of several boot servers that may serve the host, and takes the
        place of C(boot).
      - C(boot_log) is what the boot log answers to C(/api/hosts/NAME).
      - C(power) is V(on), V(off) or V(unknown).
      - C(network) is what the boot network looks like from the boot server. C(monitors) in it has for each
        C(ADDRESS:PORT) V(ok), V(refused), V(timeout) or V(unreachable), and C(mtu) is a number of bytes.
      - C(asked) has the times C(began) and C(ended), in seconds since 1970, between which the host told its clock.
      - C(errors) tells for each part that is missing why it is.
      - C(controller) names what commands have to name, that is C(inventory), C(ceph_admin), C(boot_server),
        C(log_host), C(boot_trees), which is their directory, C(ceph_launcher), C(ceph_arguments), and C(addresses),
        which has the names of the diskless hosts by their addresses.
    type: dict
    required: true
seealso:
  - plugin: diskless.ceph.host_specs
    plugin_type: filter
  - module: diskless.ceph.host_storage_info
  - module: diskless.ceph.boot_tree_info
  - module: diskless.ceph.host_info
"""

EXAMPLES = r"""
- name: What Ceph knows of the hosts is read
  diskless.ceph.host_storage_info:
    hosts: "{{ specs }}"
  delegate_to: "{{ groups['ceph_admin'][0] }}"
  run_once: true
  register: ceph

- name: What is wrong in Ceph is shown, and what nobody was asked
  ansible.builtin.debug:
    msg: "{{ {'spec': spec, 'ceph': ceph} | diskless.ceph.diagnose }}"
  vars:
    spec: "{{ specs | selectattr('name', 'equalto', inventory_hostname) | first }}"
"""

RETURN = r"""
_value:
  description: The diagnosis.
  type: dict
  contains:
    host:
      description: Name of the host.
      type: str
    summary:
      description: The diagnosis in one line.
      type: str
    findings:
      description:
        - What is wrong. First the causes, the most likely one at the top, then what they explain.
      type: list
      elements: dict
      contains:
        cause:
          description: Short id of the cause.
          type: str
        text:
          description: The cause as a sentence.
          type: str
        evidence:
          description: The facts that show it.
          type: list
          elements: str
        remedy:
          description: What to do.
          type: str
        command:
          description: What to type on the controller, to do it or to see more.
          type: str
        likelihood:
          description:
            - How likely it is that the host does not come back for this reason, from 0 to 100. It orders the findings.
            - It is halved when the boot log shows that the boot has stopped at another stage.
          type: int
        explained_by:
          description: The cause among the findings of which this is a consequence, or V(null).
          type: str
    fine:
      description: What was looked at and is as it has to be.
      type: list
      elements: dict
      contains:
        check:
          description: Short id of what was looked at.
          type: str
        question:
          description: What holds.
          type: str
        text:
          description: What was seen.
          type: str
    unknown:
      description: What could not be found out.
      type: list
      elements: dict
      contains:
        check:
          description: Short id of what would have been looked at.
          type: str
        question:
          description: What may hold or not.
          type: str
        why:
          description: What is missing.
          type: str
  sample: {}
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._diagnosis.diagnose import diagnose as diagnosis


def diagnose(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The diagnosis in the types of JSON. Raises AnsibleFilterError where there is no host spec."""
    try:
        return diagnosis(evidence)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"diagnose: the evidence has no complete host spec ({error!r}); expected one of the filter"
            " diskless.ceph.host_specs in its key 'spec'"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"diagnose": diagnose}
