# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter host_off."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_off
short_description: Whether a host is proven to be off
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Decides from evidence that playbooks have gathered whether a diskless host is off, so that its root image may be
    taken from it. It asks nobody itself.
  - A host is off if its power driver says so and nothing contradicts that. Without a driver it is off if nobody watches
    its root image for longer than Ceph takes to forget a watcher, no login and no ping is answered, the boot log has
    not heard of it either, and its root image has an exclusive lock that can be taken away.
  - What is not known speaks against it.
options:
  _input:
    description:
      - The evidence, a dictionary with these keys.
      - C(host), C(address), the root image C(image_name), and C(images), which is what
        M(diskless.ceph.rbd_image_info) says of it at each look, or null.
      - C(power) with C(state), C(proven), C(reason) of the role P(diskless.ceph.power#role) and C(driver).
      - C(ssh) and C(ping), results of tasks that tried, the latter may be null. C(heard_seconds), the time since the
        boot log heard of it, or null.
      - C(asked), whether to switch the host off, V(never), V(hung) or V(always). C(option), how the user says that.
      - C(observed_seconds) between the first and the last look. C(watch_seconds), after which Ceph forgets a watcher.
      - C(assume_off), whether it is taken to have been switched off.
      - C(first), the result of the first look, for the last one.
    type: dict
    required: true
seealso:
  - module: diskless.ceph.rbd_lock
"""

EXAMPLES = r"""
- name: Host is off
  ansible.builtin.assert:
    that: verdict.off
    fail_msg: "{{ verdict.problems | join('; ') }}"
  vars:
    verdict: "{{ evidence | diskless.ceph.host_off }}"
"""

RETURN = r"""
_value:
  description: The verdict, with C(off), C(proof), C(problems), and C(switch_off), whether to switch it off first.
  type: dict
  sample:
    off: true
    problems: []
    proof: its power driver says that it is off
    switch_off: false
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._host_off import Power, Signs, Verdict, first_look, last_look, ping_answer, ssh_answer

_CANNOT_SWITCH_OFF = ("", "none", "wake_on_lan")


def host_off(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict as a dictionary. Raises AnsibleFilterError for evidence that is not complete."""
    try:
        signs = _signs(evidence)
        first = evidence.get("first")
        if first is None:
            return first_look(signs).as_dict()
        return last_look(signs, Verdict(**{**first, "problems": tuple(first["problems"])})).as_dict()
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"host_off: the evidence is not complete: {error!r}") from error


def _signs(evidence: Mapping[str, Any]) -> Signs:
    power, looks = evidence["power"], evidence["images"]
    ssh, said = ssh_answer(evidence["ssh"])
    images = [image for image in looks if image]
    return Signs(
        host=evidence["host"],
        address=evidence["address"],
        power=Power(
            power["state"],
            bool(power["proven"]),
            power["driver"] not in _CANNOT_SWITCH_OFF,
            str(power["reason"]).strip(),
        ),
        asked=evidence["asked"],
        ssh=ssh,
        ssh_said=said,
        ping=ping_answer(evidence["ping"]),
        heard_seconds=evidence["heard_seconds"],
        image=evidence["image_name"],
        features=images[-1]["features"] if images else None,
        watchers=[
            [f"{watcher['address']} ({watcher['client']})" for watcher in image["watchers"]] if image else []
            for image in looks
        ],
        observed_seconds=float(evidence["observed_seconds"]),
        watch_seconds=float(evidence["watch_seconds"]),
        option=evidence["option"],
        assume_off=bool(evidence["assume_off"]),
    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"host_off": host_off}
