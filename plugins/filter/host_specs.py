# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter host_specs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_specs
short_description: Validated description of every diskless host
version_added: 0.1.0
author: diskless.ceph contributors (@diskless-ceph)
description:
  - Turns the C(diskless_*) variables of the diskless hosts into host specs,
    from which roles and modules of this collection derive everything else.
  - Validates the whole fleet at once. When something is wrong the filter fails with a list of all problems,
    each with host, variable, value and what is expected.
  - Variables whose name is nearly one of those below are reported as well, because they are most likely misspelt.
requirements:
  - netaddr
positional: hosts
options:
  _input:
    description:
      - The variables of all hosts, that is C(hostvars).
      - Required for every host are C(diskless_board), C(diskless_mac), C(diskless_address), C(diskless_boot_network)
        and C(diskless_boot_server).
      - C(diskless_board) is V(cm4), V(pi4), V(udoo_x86) or V(pxe), which is any PC that boots by BIOS or UEFI PXE.
      - C(diskless_serial), the serial number of a Raspberry Pi, is required for V(cm4) and V(pi4). It has 8 or 16
        hexadecimal digits, as in C(/proc/cpuinfo), and needs quotes.
      - Optional are C(diskless_gateway), C(diskless_nameservers), C(diskless_pool), C(diskless_root_size),
        C(diskless_features), C(diskless_kernel), C(diskless_monitors), C(diskless_ms_mode),
        C(diskless_kernel_options), C(diskless_console), C(diskless_exitrd), C(diskless_shutdown_timeout),
        C(diskless_boot_timeout) and C(diskless_shell).
      - C(diskless_netconsole), also optional, lists up to four log hosts that the kernel log goes to by netconsole,
        each an address with or without a UDP port, such as V(10.77.0.3), V(10.77.0.3:6666) or V([2001:db8::1]:6666).
      - C(diskless_config_txt), a list of further lines for C(config.txt), is for V(cm4) and V(pi4) alone. Lines that
        decide what is booted are refused.
    type: dict
    required: true
  hosts:
    description: Names of the diskless hosts, that is C(groups['diskless_hosts']).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Fleet is described
  ansible.builtin.set_fact:
    fleet: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}"
  run_once: true
  delegate_to: localhost

- name: Addresses of all hosts are shown
  ansible.builtin.debug:
    msg: "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) | items2dict('name', 'address') }}"
"""

RETURN = r"""
_value:
  description:
    - The host specs, sorted by name. All keys are always there.
    - Sizes are bytes, timeouts are seconds.
    - RV(_value[].namespace) is the RBD namespace that belongs to the host alone; it has the host's name.
    - RV(_value[].arch) is the architecture of the board in Debian's words.
    - RV(_value[].monitors) is empty when the monitors of the cluster are meant.
  type: list
  elements: dict
  contains:
    name:
      description: Name of the host in the inventory.
      type: str
    board:
      description: Hardware model.
      type: str
    arch:
      description: Architecture of the operating system.
      type: str
    loader:
      description: What reads the boot tree, V(grub) or V(pi), which is the firmware of a Raspberry Pi.
      type: str
    modules:
      description: Kernel modules of the board's network cards, for the initramfs.
      type: list
      elements: str
    mac:
      description: MAC address in lower case, with colons.
      type: str
    serial:
      description: Last 8 digits of the serial number of a Raspberry Pi, in lower case, or V(null).
      type: str
    address:
      description: IPv4 address.
      type: str
    prefix:
      description: Prefix length of the boot network.
      type: int
    network:
      description: Boot network.
      type: str
    gateway:
      description: Default gateway, or V(null).
      type: str
    nameservers:
      description: DNS servers.
      type: list
      elements: str
    boot_server:
      description: Address of the boot server.
      type: str
    pool:
      description: Ceph pool of the root image.
      type: str
    namespace:
      description: RBD namespace of the root image.
      type: str
    image:
      description: Name of the root image in its namespace.
      type: str
    cephx_user:
      description: Ceph user of the host.
      type: str
    root_size:
      description: Size of the root image.
      type: int
    features:
      description: RBD features of the root image.
      type: list
      elements: str
    kernel:
      description: Oldest kernel that will map the image.
      type: str
    monitors:
      description: Monitors with ports.
      type: list
      elements: str
    ms_mode:
      description: How the kernel speaks to Ceph.
      type: str
    kernel_options:
      description: Further words of the kernel command line.
      type: list
      elements: str
    console:
      description: Consoles, the last of which becomes C(/dev/console).
      type: list
      elements: str
    config_txt:
      description: Further lines of C(config.txt).
      type: list
      elements: str
    exitrd:
      description: Whether the root image is unmapped at shutdown.
      type: bool
    shutdown_timeout:
      description: After how long a shutdown that hangs is forced.
      type: int
    boot_timeout:
      description: After how long the initramfs gives up and reboots.
      type: int
    shell:
      description: Whether a failed boot offers a shell on the console.
      type: bool
    netconsole:
      description: Where the kernel log goes, addresses with ports.
      type: list
      elements: str
  sample:
    - name: udoo1
      board: udoo_x86
      arch: amd64
      loader: grub
      modules: [r8169, realtek]
      mac: "52:54:00:77:00:11"
      serial: null
      address: 10.77.0.11
      prefix: 24
      network: 10.77.0.0/24
      gateway: null
      nameservers: []
      boot_server: 10.77.0.3
      pool: diskless
      namespace: udoo1
      image: root
      cephx_user: client.diskless.udoo1
      root_size: 8589934592
      features: [layering, exclusive-lock, object-map, fast-diff]
      kernel: "6.1"
      monitors: []
      ms_mode: prefer-crc
      kernel_options: []
      console: ["ttyS0,115200n8", tty0]
      config_txt: []
      exitrd: true
      shutdown_timeout: 120
      boot_timeout: 600
      shell: false
      netconsole: []
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._host_spec import InventoryError
from ..plugin_utils._host_spec import host_specs as describe
from ..plugin_utils._host_values import netaddr_missing


def host_specs(hostvars: Mapping[str, Mapping[str, Any]], hosts: list[str]) -> list[dict[str, Any]]:
    """The host specs as dictionaries. Raises AnsibleFilterError with all problems of the inventory."""
    missing = netaddr_missing()
    if missing:
        raise AnsibleFilterError(missing)
    try:
        return [spec.as_dict() for spec in describe(hostvars, hosts)]
    except InventoryError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"host_specs": host_specs}
