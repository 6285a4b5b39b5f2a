#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the bootloader configuration of a Raspberry Pi 4 or Compute Module 4."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rpi_eeprom_config_info
short_description: Read the bootloader configuration of a Raspberry Pi 4 or Compute Module 4
version_added: 0.1.0
description:
  - Reads the configuration that a board has booted with, or that of an image such as C(pieeprom.bin), and says what
    holds in each section, what counts on a given board, and what is wrong with it by the vendor's documentation.
  - On a board it needs none of the vendor's tools. If C(rpi-eeprom-config) is not installed, as on Debian, the kernel
    is asked, which has the configuration as an NVMEM device (module C(nvmem-rmem)), and at last C(vcgencmd).
  - An image needs the vendor's C(rpi-eeprom-config).
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  image:
    description: Bootloader image to read, instead of the running board.
    type: path
  board:
    description: For which board RV(effective) is, and by what is checked.
    type: str
    choices: [cm4, cm4s, pi4, pi400]
    default: cm4
  filters:
    description:
      - Conditional filters to take as true beside those of O(board), such as V(gpio7=0), or the serial number of a
        board as V(0x12345678).
    type: list
    elements: str
    default: []
  tools_directory:
    description: Directory in which the vendor's tools are looked for first.
    type: path
seealso:
  - module: diskless.ceph.rpi_eeprom_config
  - name: Raspberry Pi bootloader configuration
    description: All keys, what they do, and their defaults.
    link: https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#raspberry-pi-bootloader-configuration
"""

EXAMPLES = r"""
- name: Read how the board boots
  diskless.ceph.rpi_eeprom_config_info:
  register: eeprom
  become: true

- name: It tries the network, and tries again
  ansible.builtin.assert:
    that:
      - eeprom.problems == []
      - eeprom.effective.BOOT_ORDER is match('0xf.*2')

- name: Read what an image does while GPIO 7 is pulled low
  diskless.ceph.rpi_eeprom_config_info:
    image: /opt/usbboot/recovery/pieeprom.bin
    tools_directory: /opt/usbboot/tools
    filters: [gpio7=0]
"""

RETURN = r"""
source:
  description: Where the configuration comes from, V(rpi-eeprom-config), V(nvmem), V(vcgencmd) or V(image).
  returned: success
  type: str
  sample: rpi-eeprom-config
config_text:
  description: The configuration as it is.
  returned: success
  type: str
  sample: |
    [all]
    BOOT_UART=0
    WAKE_ON_GPIO=1
    POWER_OFF_ON_HALT=0
    BOOT_ORDER=0xf2
    [gpio7=0]
    NETCONSOLE=@192.168.100.12/,@192.168.100.1/
sections:
  description: The settings by what they depend on, in the order of the text.
  returned: success
  type: list
  elements: dict
  contains:
    filters:
      description: The filters that have to hold, all of them. Empty for V(all).
      type: list
      elements: str
    config:
      description: The keys and their values, as text. A key that is there twice has its last value.
      type: dict
  sample:
    - filters: []
      config: {BOOT_UART: "0", WAKE_ON_GPIO: "1", POWER_OFF_ON_HALT: "0", BOOT_ORDER: "0xf2"}
    - filters: [gpio7=0]
      config: {NETCONSOLE: "@192.168.100.12/,@192.168.100.1/"}
effective:
  description: The keys and values that count on O(board), where O(filters) hold. What is not there has its default.
  returned: success
  type: dict
  sample: {BOOT_UART: "0", WAKE_ON_GPIO: "1", POWER_OFF_ON_HALT: "0", BOOT_ORDER: "0xf2"}
problems:
  description: What the documentation forbids.
  returned: success
  type: list
  elements: str
  sample: ["[all] line 5: TFTP_FILE_TIMEOUT '300': expected a number, at least 5000 (milliseconds)"]
advice:
  description: What the documentation advises against, and what has no effect.
  returned: success
  type: list
  elements: str
  sample:
    - "BOOT_ORDER 0x21: without RESTART (f) at the left, the board gives up when all its boot modes have failed"
pending:
  description:
    - What the next boot takes, if it is not what the board has booted with. Null otherwise, and with O(image).
    - An update that waits is only seen where C(rpi-eeprom-update) is installed.
  returned: success
  type: dict
  contains:
    path:
      description: The image with the update; null if M(diskless.ceph.rpi_eeprom_config) has written the EEPROM already.
      type: str
    config_text:
      description: The configuration in it.
      type: str
  sample:
    path: /boot/firmware/pieeprom.upd
    config_text: |
      [all]
      BOOT_ORDER=0xf2
bootloader:
  description: The bootloader that has booted the board, or that is in the image.
  returned: success
  type: dict
  contains:
    version:
      description: The vendor's name of the version; null if it is not known.
      type: str
    build_time:
      description: When it was built, UTC; null if it is not known.
      type: str
    build_timestamp:
      description: The same in seconds since 1970, as C(rpi-eeprom-update) compares it; null if it is not known.
      type: int
  sample:
    version: 224877da
    build_time: "2026-05-17T19:13:18Z"
    build_timestamp: 1779045198
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_bootloader as bootloader
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_checks import of_size, remarks
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_filters import MODELS
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_tools import (
    EepromError,
    VendorTools,
    flashed,
)


def read_config(tools: VendorTools) -> tuple[str, str]:
    """Return where the configuration of this board comes from, and its text; raises EepromError."""
    if not tools.missing("rpi-eeprom-config"):
        return "rpi-eeprom-config", tools.running()
    text = bootloader.read_config()
    if text is not None:
        return "nvmem", text
    if not tools.missing("vcgencmd"):
        return "vcgencmd", tools.reported()
    raise EepromError(
        "the bootloader's configuration cannot be read: no rpi-eeprom-config, no vcgencmd and no NVMEM device; "
        "is this a Raspberry Pi 4 or Compute Module 4, and is the task run as root?"
    )


def read_pending(tools: VendorTools, running: str) -> dict[str, str | None] | None:
    """Return what the next boot takes, if it is not what the board has booted with."""
    able = not tools.missing("rpi-eeprom-update") and not tools.missing("rpi-eeprom-config")
    path = tools.waiting(running) if able else None
    text = tools.of_image(path) if path else flashed()
    return None if text is None or (path is None and text == running) else {"path": path, "config_text": text}


def sections(conf: BootConf) -> list[dict[str, Any]]:
    """Return the settings by their filters."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for setting in conf.settings():
        found.setdefault(setting.filters, {})[setting.key] = setting.value
    return [{"filters": list(filters), "config": config} for filters, config in found.items()]


def report(text: str, board: str, filters: tuple[str, ...]) -> dict[str, Any]:
    """Return what there is to say of a configuration."""
    conf = BootConf.parse(text)
    found = [*remarks(conf, board, filters), *of_size(conf)]
    effective = conf.effective((*MODELS[board], *filters))
    return {
        "config_text": text,
        "sections": sections(conf),
        "effective": {key: setting.value for key, setting in effective.items()},
        "problems": [remark.text for remark in found if remark.forbidden],
        "advice": [remark.text for remark in found if not remark.forbidden],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "path"},
            "board": {"type": "str", "choices": sorted(MODELS), "default": "cm4"},
            "filters": {"type": "list", "elements": "str", "default": []},
            "tools_directory": {"type": "path"},
        },
        supports_check_mode=True,
    )
    image = module.params["image"]
    tools = VendorTools.of_module(module, module.params["tools_directory"])
    try:
        source, text = ("image", tools.of_image(image)) if image else read_config(tools)
        pending = None if image else read_pending(tools, text)
        version = bootloader.version_of_image(image) if image else bootloader.version()
    except (EepromError, OSError) as error:
        module.fail_json(msg=str(error))
    answer = report(text, module.params["board"], tuple(module.params["filters"]))
    module.exit_json(changed=False, source=source, pending=pending, bootloader=version, **answer)


if __name__ == "__main__":
    main()
