#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure the bootloader configuration of a Raspberry Pi 4 or Compute Module 4."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rpi_eeprom_config
short_description: Configure the bootloader of a Raspberry Pi 4 or Compute Module 4
version_added: 0.1.0
description:
  - Sets keys of the bootloader configuration, which is in the board's EEPROM and says, for one, from where it boots.
  - It works on the board that the task runs on, or on an image such as C(pieeprom.bin), which C(rpiboot), C(flashrom)
    or the bootloader's self-update then writes. It reads and writes with the vendor's own C(rpi-eeprom-config).
  - Before anything is written, the result is checked by the vendor's documentation, and all problems are reported
    together. What the documentation only advises against is a warning.
  - Keys that are not named stay as they are, as do other sections, comments, and lines that nobody understands. A value
    that means the same, such as V(0xF21) for V(0xf21), is left as it is written.
  - What the configuration is now is read by M(diskless.ceph.rpi_eeprom_config_info).
notes:
  - >-
    On a board, the vendor's tool does not change the configuration in place: it writes the newest bootloader image of
    the package C(rpi-eeprom) with the new configuration. So the bootloader may be updated as well; which image it is
    C(FIRMWARE_RELEASE_STATUS) in C(/etc/default/rpi-eeprom-update) decides. As long as that image has not been
    written, the task tells so in RV(reboot_required).
  - >-
    On a Compute Module 4 the vendor's tool refuses to do anything unless C(CM4_ENABLE_RPI_EEPROM_UPDATE=1) is in
    C(/etc/default/rpi-eeprom-update) or in the environment of the task. It then leaves C(pieeprom.upd) and
    C(pieeprom.sig) in the boot partition, which for a host that boots from the network is its boot tree, and the
    bootloader updates itself from there at the next boot, unless its configuration has C(ENABLE_SELF_UPDATE=0) or
    C(FREEZE_VERSION=1). C(RPI_EEPROM_SELF_UPDATE=1) keeps the tool from adding C(recovery.bin), which such a host has
    no use for. With C(RPI_EEPROM_IMMEDIATE_UPDATE=1), and the overlays that the tool names, C(flashrom) writes the
    EEPROM at once. In either case a power failure at the wrong moment leaves a board that only C(rpiboot) revives.
  - >-
    Debian has no package C(rpi-eeprom). The tools are in that of Raspberry Pi OS and of Ubuntu, and those that work on
    images in the directory C(tools) of the vendor's C(usbboot), which run on any machine with Python.
  - >-
    After C(flashrom) has written the EEPROM, the board still reports the configuration that it booted with. The module
    keeps what was written in C(/run/diskless-rpi-eeprom.conf) until the next boot, and takes it for what the EEPROM
    has; what others flash meanwhile it does not see.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
attributes:
  check_mode:
    support: full
    details:
      - It also foretells that the vendor's tool refuses to update the board. An image is made, but not put in place.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - An update that waits for the next boot counts as done.
options:
  config:
    description:
      - Keys as the vendor's documentation names them, such as C(BOOT_ORDER), with their values. V(null) removes a key
        from O(section); it then has its default, unless another section has it.
      - Flags are V(0) and V(1). A C(BOOT_ORDER) of V(0xf21) may be written without quotes; a MAC address needs them.
      - C(NETCONSOLE) may be text as the bootloader has it, or a dictionary with C(src_ip) and if needed C(src_port),
        C(dst_ip), C(dst_port) and C(dst_mac), of which the shortest text is made. It has 32 characters at most. The
        filter P(diskless.ceph.netconsole_firmware#filter) makes it for a diskless host.
    type: dict
    required: true
  section:
    description:
      - The conditional filter that the keys stand under, as the vendor's documentation has it, such as V(cm4), V(pi4),
        V(gpio7=0) or V(0x12345678), a serial number. V(all) is for every board.
      - A key is written where it has an effect. If what is for all boards stands behind, the section is written once
        more at the end.
    type: str
    default: all
  board:
    description:
      - For which board the configuration is. What is checked, and what is warned of, depends on it.
    type: str
    choices: [cm4, cm4s, pi4, pi400]
    default: cm4
  allow_unknown:
    description: Whether keys may be set that are not documented.
    type: bool
    default: false
  image:
    description: Bootloader image whose configuration is meant, instead of that of the running board.
    type: path
  dest:
    description:
      - Where the image with the new configuration goes, if O(image) itself is to stay as it is. Its configuration is
        always made from that of O(image).
      - It is replaced at once, so that nobody ever reads half an image.
    type: path
  digest:
    description:
      - File with the SHA-256 of the image that comes out, which C(rpiboot) and the self-update of the bootloader want
        to have next to it, C(pieeprom.sig) for C(pieeprom.bin) and C(pieeprom.upd). It is written by the vendor's
        C(rpi-eeprom-digest) whenever it does not fit the image.
    type: path
  tools_directory:
    description: Directory in which the vendor's tools are looked for first.
    type: path
seealso:
  - module: diskless.ceph.rpi_eeprom_config_info
  - name: Raspberry Pi bootloader configuration
    description: All keys, what they do, and their defaults.
    link: https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#raspberry-pi-bootloader-configuration
  - name: Conditional filters
    description: The sections that there are, and how they combine.
    link: https://www.raspberrypi.com/documentation/computers/config_txt.html#conditional-filters
  - name: Compute Module EEPROM bootloader
    description: How an image is written with rpiboot.
    link: https://www.raspberrypi.com/documentation/computers/compute-module.html#compute-module-eeprom-bootloader
"""

EXAMPLES = r"""
- name: The board boots from its boot server, and tries until it can
  diskless.ceph.rpi_eeprom_config:
    config:
      BOOT_ORDER: 0xf2
      TFTP_PREFIX: 2
      DHCP_TIMEOUT: 45000
      TFTP_FILE_TIMEOUT: 60000
      BOOT_WATCHDOG_TIMEOUT: 300
      NET_BOOT_MAX_RETRIES: null
  environment:
    CM4_ENABLE_RPI_EEPROM_UPDATE: "1"
    RPI_EEPROM_SELF_UPDATE: "1"
  register: eeprom

- name: The board takes it over
  ansible.builtin.reboot:
  when: eeprom.reboot_required

- name: The bootloader logs to the network while GPIO 7 is pulled low
  diskless.ceph.rpi_eeprom_config:
    section: gpio7=0
    config:
      NETCONSOLE:
        src_ip: 192.168.100.12
        dst_ip: 192.168.100.1

- name: An image for rpiboot is ready, with the digest that goes with it
  diskless.ceph.rpi_eeprom_config:
    image: /opt/usbboot/recovery/pieeprom.original.bin
    dest: /opt/usbboot/recovery/pieeprom.bin
    digest: /opt/usbboot/recovery/pieeprom.sig
    tools_directory: /opt/usbboot/tools
    config:
      BOOT_ORDER: 0xf2
      TFTP_PREFIX: 2
"""

RETURN = r"""
config_text:
  description: The configuration after the task, or as check mode expects it.
  returned: success
  type: str
  sample: |
    [all]
    BOOT_UART=0
    WAKE_ON_GPIO=1
    POWER_OFF_ON_HALT=0
    NET_INSTALL_AT_POWER_ON=1
    BOOT_ORDER=0xf2
    TFTP_PREFIX=2
reboot_required:
  description:
    - Whether the board has booted with another configuration than it will boot with next.
  returned: without O(image)
  type: bool
  sample: true
pending:
  description:
    - The update that the next boot takes. It is null if there is none, because the EEPROM has been written, or has what
      is wanted; in check mode it is what is there now.
  returned: without O(image)
  type: str
  sample: /boot/firmware/pieeprom.upd
bootloader:
  description: The bootloader in the image that comes out.
  returned: with O(image)
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

import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_bootloader import version_of_image
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_filters import MODELS
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_plan import Plan, Wish, plan
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_tools import (
    EepromError,
    VendorTools,
    digest_of,
    flashed,
    note_flashed,
    said_by_digest,
    write_text,
)


def planned(module: AnsibleModule, text: str) -> Plan:
    """Plan, and say what speaks against it; raises EepromError."""
    params = module.params
    wish = Wish(params["config"], params["section"], params["board"], params["allow_unknown"])
    made = plan(text, wish)
    if made.problems:
        raise EepromError("; ".join(made.problems))
    for warning in made.warnings:
        module.warn(warning)
    return made


def configure_image(module: AnsibleModule, tools: VendorTools, directory: str) -> dict[str, Any]:
    """Bring an image up to date, and its digest. ``directory`` is for temporary files."""
    image, digest = module.params["image"], module.params["digest"]
    dest = module.params["dest"] or image
    made = planned(module, tools.of_image(image))
    config, fresh, signature = (f"{directory}/{name}" for name in ("boot.conf", "pieeprom.bin", "pieeprom.sig"))
    write_text(config, made.after.text)
    tools.write_image(image, config, fresh)
    replaced = not Path(dest).is_file() or Path(dest).read_bytes() != Path(fresh).read_bytes()
    stale = bool(digest) and said_by_digest(digest) != digest_of(fresh)
    result = {
        "changed": replaced or stale,
        "config_text": made.after.text,
        "bootloader": version_of_image(fresh),
        "diff": {
            "before_header": dest,
            "after_header": dest,
            "before": _described(tools, dest, digest and said_by_digest(digest)) if Path(dest).is_file() else "",
            "after": _described(tools, fresh, digest and digest_of(fresh)),
        },
    }
    if stale and not module.check_mode:
        # First, because no image is flashed with the digest of another one.
        tools.write_digest(fresh, signature)
        module.atomic_move(signature, digest)
    if replaced and not module.check_mode:
        module.atomic_move(fresh, dest)
    return result


def _described(tools: VendorTools, image: str, digest: str | None) -> str:
    """Return the text for the diff: an image can also differ in its bootloader, and a digest can be wrong."""
    lines = [f"# bootloader of {version_of_image(image)['build_time']}\n"]
    if digest is not None:
        lines.append(f"# digest {digest}\n")
    return "".join([*lines, tools.of_image(image)])


def configure_board(module: AnsibleModule, tools: VendorTools, directory: str) -> dict[str, Any]:
    """Bring the running board up to date. ``directory`` is for temporary files."""
    running = tools.running()
    pending = tools.waiting(running)
    made = planned(module, tools.of_image(pending) if pending else flashed() or running)
    changed = made.after != made.before
    if changed and module.check_mode:
        tools.latest()
    elif changed:
        config = f"{directory}/boot.conf"
        write_text(config, made.after.text)
        if tools.apply(config) is None:
            note_flashed(made.after.text)
        pending = tools.waiting(running)
    if changed or pending:
        _warn_of_frozen(module, running)
    return {
        "changed": changed,
        "config_text": made.after.text,
        "reboot_required": pending is not None or made.after.text.rstrip() != running.rstrip(),
        "pending": pending,
        "diff": {"before": made.before.text, "after": made.after.text},
    }


def _warn_of_frozen(module: AnsibleModule, running: str) -> None:
    board = module.params["board"]
    effective = BootConf.parse(running).effective(MODELS[board])
    values = {key: setting.value for key, setting in effective.items()}
    for key, value in (("ENABLE_SELF_UPDATE", "0"), ("FREEZE_VERSION", "1")):
        if board in ("cm4", "cm4s") and values.get(key) == value:
            module.warn(
                f"the bootloader that is running has {key}={value}: on {board} it takes no update at the next boot; "
                "write it at once with flashrom (RPI_EEPROM_IMMEDIATE_UPDATE=1), or an image by rpiboot"
            )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "config": {"type": "dict", "required": True},
            "section": {"type": "str", "default": "all"},
            "board": {"type": "str", "choices": sorted(MODELS), "default": "cm4"},
            "allow_unknown": {"type": "bool", "default": False},
            "image": {"type": "path"},
            "dest": {"type": "path"},
            "digest": {"type": "path"},
            "tools_directory": {"type": "path"},
        },
        required_by={"dest": "image", "digest": "image"},
        supports_check_mode=True,
    )
    tools = VendorTools.of_module(module, module.params["tools_directory"])
    configure = configure_image if module.params["image"] else configure_board
    try:
        with tempfile.TemporaryDirectory(dir=module.tmpdir) as directory:
            result = configure(module, tools, directory)
    except (EepromError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
