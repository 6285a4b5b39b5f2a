# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented keys of the Pi's bootloader, what values they take, and on which boards they have an effect. No I/O.

Rules: Raspberry Pi documentation, Raspberry Pi bootloader configuration.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_boot_order import BootOrder
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_kinds import (
    WORD_MAXIMUM,
    Address,
    CaseInsensitive,
    Choice,
    Kind,
    Mac,
    Netmask,
    Number,
    Text,
    Unknown,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_netconsole import NetconsoleKind

_FLAG = Number(0, 1)
_RETRIES = Number(-1, unit="-1 is without end")
_MILLISECONDS = "milliseconds"
_USB_DEVICE = r"[0-9a-fA-F]{8}"

KEYS: dict[str, Kind] = {
    "BOOT_UART": _FLAG,
    "UART_BAUD": Choice((9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)),
    "WAKE_ON_GPIO": Number(0, 2),
    "POWER_OFF_ON_HALT": _FLAG,
    "WAIT_FOR_POWER_BUTTON": _FLAG,
    "BOOT_ORDER": BootOrder(),
    "BOOT_WATCHDOG_TIMEOUT": Number(0, unit="seconds"),
    "BOOT_WATCHDOG_PARTITION": Number(0),
    "MAX_RESTARTS": _RETRIES,
    "REBOOT_ON_FATAL_ERROR": _FLAG,
    "SD_BOOT_MAX_RETRIES": _RETRIES,
    "SD_OVERCURRENT_CHECK": _FLAG,
    "SD_QUIRKS": Number(0, 0x1, hexadecimal=True),
    "NET_BOOT_MAX_RETRIES": _RETRIES,
    "DHCP_TIMEOUT": Number(5000, unit=_MILLISECONDS),
    "DHCP_REQ_TIMEOUT": Number(500, unit=_MILLISECONDS),
    "TFTP_FILE_TIMEOUT": Number(5000, unit=_MILLISECONDS),
    "TFTP_IP": Address(),
    "TFTP_PREFIX": Number(0, 2),
    "TFTP_PREFIX_STR": Text(r"[!-~]{0,31}/", "at most 32 printable characters, the last of them /, such as tftp_test/"),
    "PXE_OPTION43": Kind(),
    "DHCP_OPTION97": Number(0, WORD_MAXIMUM, unit="four bytes", hexadecimal=True),
    "MAC_ADDRESS": Mac(),
    "MAC_ADDRESS_OTP": Text(r"[0-7],[0-7]", "two rows of the customer OTP, such as 0,1"),
    "CLIENT_IP": Address(),
    "SUBNET": Netmask(),
    "GATEWAY": Address(),
    "DISABLE_HDMI": _FLAG,
    "HDMI_DELAY": Number(0, unit="seconds"),
    "ENABLE_SELF_UPDATE": _FLAG,
    "FREEZE_VERSION": _FLAG,
    "HTTP_HOST": Text(r"[a-z0-9.-]+", "a host name in lower case or an address, without scheme and slashes"),
    "HTTP_PORT": Number(1, 0xFFFF),
    "HTTP_PATH": Text(r"[!-~]+", "a path without spaces, such as path/to/image"),
    "HTTP_CACERT_HASH": CaseInsensitive(r"[0-9a-fA-F]{64}", "a SHA-256 in 64 hexadecimal digits"),
    "IMAGER_REPO_URL": Text(r"https?://[!-~]+", "a URL"),
    "NET_INSTALL_ENABLED": _FLAG,
    "NET_INSTALL_AT_POWER_ON": _FLAG,
    "NET_INSTALL_KEYBOARD_WAIT": Number(0, unit=_MILLISECONDS),
    "NETCONSOLE": NetconsoleKind(),
    "PARTITION": Number(0),
    "PARTITION_WALK": _FLAG,
    "BOOTVAR0": Number(0, WORD_MAXIMUM),
    "PCIE_PROBE": _FLAG,
    "PSU_MAX_CURRENT": Number(0, unit="mA"),
    "USB_MSD_EXCLUDE_VID_PID": CaseInsensitive(
        rf"{_USB_DEVICE}(,{_USB_DEVICE}){{0,3}}", "up to four devices without spaces, such as 034700a0,a4231234"
    ),
    "USB_MSD_DISCOVER_TIMEOUT": Number(5000, unit=_MILLISECONDS),
    "USB_MSD_LUN_TIMEOUT": Number(100, unit=_MILLISECONDS),
    "USB_MSD_PWR_OFF_TIME": Number(0, 5000, unit=_MILLISECONDS),
    "USB_MSD_STARTUP_DELAY": Number(0, 30000, unit=_MILLISECONDS),
    "VL805": _FLAG,
    "XHCI_DEBUG": Number(0, 0x7F, hexadecimal=True),
    "SDRAM_BANKLOW": Number(0, 4),
}

# Where a key is for some boards only; of the others the documentation says that it has no effect there.
_BOARDS: dict[str, tuple[str, ...]] = {
    "UART_BAUD": (),
    "WAIT_FOR_POWER_BUTTON": (),
    "PCIE_PROBE": (),
    "PSU_MAX_CURRENT": (),
    "SD_OVERCURRENT_CHECK": ("pi4",),
    "USB_MSD_PWR_OFF_TIME": ("pi4",),
    "VL805": ("cm4",),
}
_UNKNOWN = Unknown()


def kind_of(key: str) -> Kind:
    """Return what the key takes."""
    return KEYS.get(key, _UNKNOWN)


def same(key: str, one: str, other: str) -> bool:
    """Tell whether two values of a key mean the same: 0xF21 and 0xf21, 6665@10.0.0.1/,6666@/ and @10.0.0.1/,@/."""
    return kind_of(key).meaning(one) == kind_of(key).meaning(other)


def problem(key: str, value: Any) -> str | None:
    """Return why the key cannot have this value, or None."""
    try:
        kind_of(key).render(value)
    except ValueError as error:
        return f"{key} {value!r}: {error}"
    return None


def boards_of(key: str) -> str | None:
    """Return for which boards the key is, for messages, or None if it is for all of them."""
    boards = _BOARDS.get(key)
    return None if boards is None else ", ".join(boards) or "newer boards"
