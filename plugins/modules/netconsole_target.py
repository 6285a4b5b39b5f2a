#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure targets of netconsole."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netconsole_target
short_description: Send the kernel log over the network
version_added: 0.1.0
description:
  - Brings about targets of the kernel's netconsole, one with O(name) or many with O(targets), by its directory in
    configfs. A target gets every message of the kernel as one UDP datagram, as long as the kernel can send at all.
  - netconsole asks neither routes nor neighbours. What is not given, the module looks up as the kernel would send to
    the address now. That is the device, the own address, and the MAC address of the target or of the next router. So a
    target never sends to everybody, which is the kernel's own default, unless O(remote_mac) says so.
  - A target is disabled for a moment while its settings change, as the kernel demands. What is said in that moment is
    not sent.
  - The kernel disables a target when its device joins a bridge, bond or team, or leaves it. Another run of the task
    makes it anew on the device that then leads to the target. Role P(diskless.ceph.netconsole#role) watches for that.
  - Targets that came with the parameter of the module netconsole are in configfs since Linux 6.7 only, once somebody
    makes a directory of the name V(cmdline0), V(cmdline1) and so on there, which is what this module does for a target
    of that name. With older kernels nothing but unloading the module changes them.
  - Only messages below the console's level are sent (C(kernel.printk), C(dmesg -n)).
  - Nothing of this outlasts a reboot.
notes:
  - netconsole belongs to the kernel, and there is none in a container.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details: What a new target would have that the task does not say is taken from the kernel's documentation.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: A target whose device, own address or neighbour has changed is brought up to date.
options:
  name:
    description: Name of the target, a directory in configfs.
    type: str
  targets:
    description:
      - Many targets. What one of them does not say, the module's own option says.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
        required: true
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
      enabled:
        description: As O(enabled).
        type: bool
      extended:
        description: As O(extended).
        type: bool
      release:
        description: As O(release).
        type: bool
      remote_address:
        description: As O(remote_address).
        type: str
      remote_port:
        description: As O(remote_port).
        type: int
      remote_mac:
        description: As O(remote_mac).
        type: str
      local_address:
        description: As O(local_address).
        type: str
      local_port:
        description: As O(local_port).
        type: int
      device:
        description: As O(device).
        type: str
      userdata:
        description: As O(userdata).
        type: dict
      sysdata:
        description: As O(sysdata).
        type: list
        elements: str
        choices: [cpu_nr, taskname, release, msgid]
  state:
    description:
      - V(present) ensures that there is such a target.
      - V(absent) ensures that there is none of that name.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description: Whether it sends.
    type: bool
    default: true
  extended:
    description:
      - Whether messages carry level, sequence number and time, so that a receiver can put them in order and sees what
        is lost. Needs Linux 4.4.
    type: bool
    default: true
  release:
    description:
      - Whether the release of the kernel stands before each message. Needs O(extended) and Linux 6.6.
      - It stays as it is when not given; a new target has it off.
    type: bool
  remote_address:
    description: IPv4 or IPv6 address of the target. Required unless O(state=absent).
    type: str
  remote_port:
    description: UDP port of the target.
    type: int
    default: 6666
  remote_mac:
    description:
      - MAC address of the target if it is on the same link, otherwise of the next router. Looked up when not given.
    type: str
  local_address:
    description: Own address, of the same family as O(remote_address). Looked up when not given.
    type: str
  local_port:
    description: Own UDP port.
    type: int
    default: 6665
  device:
    description:
      - Network device to send through, by its name or by the MAC address of a network card. Looked up when not given.
    type: str
  userdata:
    description:
      - What to append to every message, names with values, such as the name of the host. Needs Linux 6.9.
      - Other entries are removed; an empty dictionary removes all. They stay as they are when this is not given.
      - A name has 53 bytes at most, a value 199.
    type: dict
  sysdata:
    description:
      - What the kernel appends to every message by itself. V(cpu_nr), V(taskname) and V(release) need Linux 6.15,
        V(msgid) 6.17.
      - Others are switched off; an empty list switches off all. They stay as they are when this is not given.
    type: list
    elements: str
    choices: [cpu_nr, taskname, release, msgid]
seealso:
  - module: diskless.ceph.netconsole_target_info
  - plugin: diskless.ceph.netconsole_parameter
    plugin_type: filter
  - name: Netconsole
    description: The kernel's documentation.
    link: https://docs.kernel.org/networking/netconsole.html
"""

EXAMPLES = r"""
- name: The log host gets what the kernel says
  diskless.ceph.netconsole_target:
    name: log1
    remote_address: 10.77.0.3

- name: Two log hosts, with the name of this host in every message
  diskless.ceph.netconsole_target:
    targets:
      - name: log1
        remote_address: 10.77.0.3
      - name: log2
        remote_address: fd00::3
        remote_port: 514
    userdata:
      host: "{{ inventory_hostname }}"
    sysdata: [cpu_nr]

- name: There is no second log host any more
  diskless.ceph.netconsole_target:
    name: log2
    state: absent
"""

RETURN = r"""
targets:
  description: The targets of this task, after it or as check mode expects them. Absent ones are not among them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    enabled:
      description: Whether it sends.
      type: bool
    extended:
      description: Whether messages carry level, sequence number and time.
      type: bool
    release:
      description: Whether messages carry the kernel's release; null if the kernel cannot do that.
      type: bool
    device:
      description: The device that it sends through.
      type: str
    local_address:
      description: Own address.
      type: str
    local_port:
      description: Own port.
      type: int
    local_mac:
      description: MAC address of the device; V(ff:ff:ff:ff:ff:ff) while the target is not enabled.
      type: str
    remote_address:
      description: Address of the target.
      type: str
    remote_port:
      description: Port of the target.
      type: int
    remote_mac:
      description: MAC address that messages are sent to.
      type: str
    userdata:
      description: What is appended to every message; null if the kernel cannot do that.
      type: dict
    sysdata:
      description: What the kernel appends by itself.
      type: list
      elements: str
    transmit_errors:
      description: How many messages could not be sent; null if the kernel does not count them.
      type: int
  sample:
    - device: eth0
      enabled: true
      extended: true
      local_address: 10.0.2.15
      local_mac: "52:54:00:12:34:56"
      local_port: 6665
      name: log1
      release: true
      remote_address: 10.0.2.2
      remote_mac: "52:55:0a:00:02:02"
      remote_port: 6666
      sysdata: [cpu_nr]
      transmit_errors: 0
      userdata: {host: udoo1}
"""

import platform
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_configfs import (
    CONFIGFS,
    NetconsoleDirectory,
    NetconsoleError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_parameter import MAC, Destination
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_plan import (
    Step,
    Wanted,
    expected,
    plan,
    unproven,
)
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_route import (
    RouteError,
    Run,
    device_of_mac,
    find_way,
)
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import (
    SYSDATA,
    Target,
    kernel_features,
    lacking,
)

INHERITED = (
    *("state", "enabled", "extended", "release", "remote_address", "remote_port", "remote_mac", "local_address"),
    *("local_port", "device", "userdata", "sysdata"),
)


def check_item(item: dict[str, Any]) -> list[str]:
    """Return what is wrong with how an item is described, without looking at the machine."""
    if item["state"] == "absent":
        return []
    if item["remote_address"] is None:
        return [f"{item['name']}: remote_address is missing"]
    destination = Destination(
        **{name: item[name] for name in ("remote_address", "remote_port", "remote_mac", "device", "local_address")},
        local_port=item["local_port"],
        extended=item["extended"],
        release=bool(item["release"]),
    )
    return [f"{item['name']}: {problem}" for problem in destination.problems()]


def wanted_target(item: dict[str, Any], run: Run) -> Wanted:
    """Return what an item wants, with what it does not say looked up; raises RouteError."""
    if item["state"] == "absent":
        return Wanted(item["name"], present=False)
    device = item["device"]
    if device is not None and MAC.fullmatch(device):
        device = device_of_mac(device)
    mac, source = item["remote_mac"], item["local_address"]
    if None in (device, mac, source):
        way = find_way(run, item["remote_address"], device)
        device, mac, source = device or way.device, mac or way.mac, source or way.source
    settings = {
        "extended": "1" if item["extended"] else "0",
        "dev_name": str(device),
        "local_ip": str(source),
        "local_port": str(item["local_port"]),
        "remote_ip": item["remote_address"],
        "remote_port": str(item["remote_port"]),
        "remote_mac": str(mac),
    }
    if item["release"] is not None:
        settings["release"] = "1" if item["release"] else "0"
    userdata, sysdata = item["userdata"], item["sysdata"]
    return Wanted(
        item["name"],
        enabled=item["enabled"],
        settings=settings,
        userdata=None if userdata is None else {str(key): str(value) for key, value in userdata.items()},
        sysdata=None if sysdata is None else frozenset(sysdata),
    )


def wanted_targets(items: list[dict[str, Any]], run: Run) -> tuple[list[Wanted], list[str]]:
    """Return what the task wants, and all that speaks against it."""
    names = [item["name"] for item in items]
    problems = [f"{name}: is named more than once" for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [problem for item in items for problem in check_item(item)]
    wanted = []
    for item in [] if problems else items:
        try:
            wanted.append(wanted_target(item, run))
        except RouteError as error:
            problems.append(f"{item['name']}: {error}")
    return wanted, problems + [problem for one in wanted for problem in one.problems()]


def described(target: Target | None) -> dict[str, Any]:
    """Return a target for the diff, without what changes by itself."""
    if target is None:
        return {}
    shown = target.described()
    return {name: shown[name] for name in shown if name not in ("name", "local_mac", "transmit_errors")}


def apply(directory: NetconsoleDirectory, wanted: list[Wanted]) -> tuple[dict[str, Target], list[str]]:
    """Bring it about; return the targets as they are then, and what of the plan they do not show."""
    for one in wanted:
        found = directory.target(one.name)
        if one.present and found is None:
            # What is to be changed, and with which files, is known of a directory that is there.
            directory.apply([Step("mkdir", one.name)])
            found = directory.target(one.name)
        directory.apply(plan(found, one))
    after = directory.read()
    return after, [problem for one in wanted for problem in unproven(after.get(one.name), one)]


def main() -> None:
    """Run the module."""
    options: dict[str, dict[str, Any]] = {
        "state": {"type": "str", "choices": ["present", "absent"]},
        "enabled": {"type": "bool"},
        "extended": {"type": "bool"},
        "release": {"type": "bool"},
        "remote_address": {"type": "str"},
        "remote_port": {"type": "int"},
        "remote_mac": {"type": "str"},
        "local_address": {"type": "str"},
        "local_port": {"type": "int"},
        "device": {"type": "str"},
        "userdata": {"type": "dict"},
        "sysdata": {"type": "list", "elements": "str", "choices": list(SYSDATA)},
    }
    defaults = {"state": "present", "enabled": True, "extended": True, "remote_port": 6666, "local_port": 6665}
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "targets": {
                "type": "list",
                "elements": "dict",
                "options": {"name": {"type": "str", "required": True}, **options},
            },
            **{
                name: {**option, "default": defaults[name]} if name in defaults else option
                for name, option in options.items()
            },
        },
        mutually_exclusive=[("name", "targets")],
        required_one_of=[("name", "targets")],
        supports_check_mode=True,
    )
    directory = NetconsoleDirectory(CONFIGFS)
    missing = directory.missing()
    if missing:
        module.fail_json(msg=missing)
    wanted, problems = wanted_targets(bulk_items(module.params, "name", "targets", INHERITED), module.run_command)
    try:
        before = directory.read()
        shown = next((target.features for target in before.values()), None)
        features = kernel_features(platform.release()) if shown is None else shown
        problems += [f"{one.name}: {lacking(name)}" for one in wanted for name in sorted(one.needs() - features)]
        if problems:
            module.fail_json(msg="; ".join(problems))
        changed = any(plan(before.get(one.name), one) for one in wanted)
        forecast = {one.name: expected(before.get(one.name), one) for one in wanted}
        after = {name: target for name, target in forecast.items() if target}
        if changed and not module.check_mode:
            after, problems = apply(directory, wanted)
    except (NetconsoleError, OSError) as error:
        module.fail_json(msg=str(error))
    if problems:
        module.fail_json(msg=f"the kernel took the changes, but {', '.join(problems)}")
    module.exit_json(
        changed=changed,
        targets=[after[one.name].described() for one in wanted if one.name in after],
        diff={
            "before": {one.name: described(before.get(one.name)) for one in wanted},
            "after": {one.name: described(after.get(one.name)) for one in wanted},
        },
    )


if __name__ == "__main__":
    main()
