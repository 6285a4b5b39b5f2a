# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bootloader's configuration, as far as booting from the network goes.

https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#raspberry-pi-bootloader-configuration
"""

from __future__ import annotations

import dataclasses
import ipaddress
import math
from dataclasses import dataclass

from lab.errors import LabError
from lab.pi_firmware import config_txt
from lab.pi_firmware.board import Board

NETWORK = 0x2  # boot modes, the digits of BOOT_ORDER
RESTART = 0xF
DEFAULT_BOOT_ORDER = 0xF41
PREFIX_STRING = 32  # characters
TIMES = {  # default, minimum; milliseconds
    "DHCP_TIMEOUT": (45000, 5000),
    "DHCP_REQ_TIMEOUT": (4000, 500),
    "TFTP_FILE_TIMEOUT": (30000, 5000),
}


@dataclass(frozen=True)
class Eeprom:
    """The bootloader's settings under their own names; all times are in seconds.

    The defaults are the bootloader's, but for ``boot_order``: one try of the network.
    ``tftp_resend`` and ``retry_pause`` cannot be configured (observed; release notes of 2020-05-28).
    """

    boot_order: int = NETWORK
    net_boot_max_retries: int = 0
    boot_watchdog_timeout: float = 0
    dhcp_timeout: float = 45
    dhcp_req_timeout: float = 4
    tftp_file_timeout: float = 30
    tftp_ip: str = ""
    tftp_prefix: int = 0
    tftp_prefix_str: str = ""
    pxe_option43: str = "Raspberry Pi Boot"
    dhcp_option97: int = 0x34695052
    tftp_resend: float = 2
    retry_pause: float = 5

    def prefix(self, board: Board) -> str:
        """Return what the bootloader puts before the name of every file."""
        return (f"{board.serial}/", self.tftp_prefix_str, board.mac.replace(":", "-") + "/")[self.tftp_prefix]

    @property
    def attempts(self) -> float:
        """How often the network is tried; possibly for ever: infinity.

        Other boot modes find nothing. MAX_RESTARTS makes no difference: the reset after them starts over, too.
        """
        modes = [int(digit, 16) for digit in reversed(f"{self.boot_order:x}")]
        if NETWORK not in modes:
            raise LabError(f"BOOT_ORDER={self.boot_order:#x}: without the digit 2 the board never tries the network")
        if self.net_boot_max_retries < 0 or RESTART in modes[modes.index(NETWORK) :]:
            return math.inf
        return 1 + self.net_boot_max_retries

    def scaled(self, factor: float) -> Eeprom:
        """Return the same settings with all times multiplied."""
        times = ("boot_watchdog_timeout", "dhcp_timeout", "dhcp_req_timeout", "tftp_file_timeout")
        return dataclasses.replace(
            self, **{name: getattr(self, name) * factor for name in (*times, "tftp_resend", "retry_pause")}
        )


def parse(text: str, board: Board) -> Eeprom:
    """Return the settings in the output of rpi-eeprom-config.

    :raises LabError: for a value that the documentation rules out.
    """
    config = config_txt.parse(text.encode(), board, name="bootloader configuration")
    milliseconds = {name: config.number(name, default) for name, (default, _) in TIMES.items()}
    prefix, prefix_str = config.number("TFTP_PREFIX"), config.values.get("TFTP_PREFIX_STR", "")
    problems = [
        f"{name}={value}: expected at least {TIMES[name][1]} ms"
        for name, value in milliseconds.items()
        if value < TIMES[name][1]
    ]
    if prefix not in (0, 1, 2):
        problems.append(f"TFTP_PREFIX={prefix}: expected 0, 1 or 2")
    if len(prefix_str) > PREFIX_STRING:
        problems.append(f"TFTP_PREFIX_STR={prefix_str}: expected at most {PREFIX_STRING} characters")
    tftp_ip = config.values.get("TFTP_IP", "")
    if tftp_ip and not _is_address(tftp_ip):
        problems.append(f"TFTP_IP={tftp_ip}: expected an IPv4 address")
    if problems:
        raise LabError("; ".join(problems))
    return Eeprom(
        boot_order=config.number("BOOT_ORDER", DEFAULT_BOOT_ORDER),
        net_boot_max_retries=config.number("NET_BOOT_MAX_RETRIES"),
        boot_watchdog_timeout=config.number("BOOT_WATCHDOG_TIMEOUT"),
        dhcp_timeout=milliseconds["DHCP_TIMEOUT"] / 1000,
        dhcp_req_timeout=milliseconds["DHCP_REQ_TIMEOUT"] / 1000,
        tftp_file_timeout=milliseconds["TFTP_FILE_TIMEOUT"] / 1000,
        tftp_ip=tftp_ip,
        tftp_prefix=prefix,
        tftp_prefix_str=prefix_str,
        pxe_option43=config.values.get("PXE_OPTION43") or Eeprom.pxe_option43,
        dhcp_option97=config.number("DHCP_OPTION97", Eeprom.dhcp_option97),
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
