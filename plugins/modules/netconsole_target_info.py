#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the targets of netconsole."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netconsole_target_info
short_description: List where the kernel log goes over the network
version_added: 0.1.0
description:
  - Reads the targets of the kernel's netconsole from its directory in configfs.
  - Targets that came with the parameter of the module netconsole are not in configfs, unless the kernel is Linux 6.7 or
    newer and somebody has made a directory V(cmdline0) there. RV(consoles) shows whether netconsole sends at all.
author:
  - diskless.ceph contributors (@diskless-ceph)
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
  name:
    description: Only the target of this name.
    type: str
seealso:
  - module: diskless.ceph.netconsole_target
"""

EXAMPLES = r"""
- name: Read where the kernel log goes
  diskless.ceph.netconsole_target_info:
  register: netconsole

- name: Somebody gets it
  ansible.builtin.assert:
    that: netconsole.targets | selectattr('enabled') | length > 0
"""

RETURN = r"""
available:
  description: Whether the kernel has netconsole with configfs, loaded and mounted.
  returned: success
  type: bool
  sample: true
missing:
  description: Why not, and what to do about it; null if it has.
  returned: success
  type: str
  sample: null
features:
  description:
    - What of V(extended), V(release), V(userdata), V(sysdata cpu_nr), V(sysdata taskname), V(sysdata release) and
      V(sysdata msgid) the kernel has. Without any target this is told from its release.
  returned: success
  type: list
  elements: str
  sample: [extended, release, "sysdata cpu_nr", "sysdata msgid", "sysdata release", "sysdata taskname", userdata]
console_level:
  description: Messages of this level and above are not sent.
  returned: success
  type: int
  sample: 8
consoles:
  description: Consoles of netconsole that the kernel has, V(netcon0) and V(netcon_ext0).
  returned: success
  type: list
  elements: str
  sample: [netcon_ext0]
targets:
  description: The targets, sorted by name.
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
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_configfs import CONFIGFS, NetconsoleDirectory
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import kernel_features

PRINTK = "/proc/sys/kernel/printk"
CONSOLES = "/proc/consoles"


def read(directory: NetconsoleDirectory, name: str | None) -> dict[str, Any]:
    """Return the module's result; raises OSError."""
    missing = directory.missing()
    targets = {} if missing else directory.read()
    shown = next((target.features for target in targets.values()), None)
    consoles = [line.split()[0] for line in Path(CONSOLES).read_text(encoding="ascii").splitlines()]
    return {
        "available": missing is None,
        "missing": missing,
        "features": sorted(kernel_features(platform.release()) if shown is None else shown),
        "console_level": int(Path(PRINTK).read_text(encoding="ascii").split()[0]),
        "consoles": [console for console in consoles if console.startswith("netcon")],
        "targets": [targets[found].described() for found in sorted(targets) if name in (None, found)],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"name": {"type": "str"}}, supports_check_mode=True)
    try:
        result = read(NetconsoleDirectory(CONFIGFS), module.params["name"])
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
