# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a configuration of the Pi's bootloader as a whole, and what its documentation advises. No I/O."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Mapping

from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_boot_order as boot_order
from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_filters as filters
from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_keys import (
    KEYS,
    boards_of,
    problem,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_kinds import parse_address, parse_number
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf, Setting

# A sector of the EEPROM less the header of a file.
MAXIMUM_BYTES = 4076
_LONGEST_LINE = 98
_FEWEST_LINES = 3
_SPACED = re.compile(r"[^=]*\s=|[^=]*=[ \t]+\S")
_STATIC = ("CLIENT_IP", "SUBNET", "TFTP_IP")
_DHCP_TIMEOUT_DEFAULT = 45000
_WAKE_BESIDE_BUTTON = 2
_MILLISECONDS = 1000


@dataclass(frozen=True)
class Remark:
    """What is to be said, and of which keys (none: of the text as a whole).

    forbidden: whether the documentation rules it out; otherwise it only advises against it, or warns.
    """

    text: str
    keys: tuple[str, ...] = ()
    forbidden: bool = False


def remarks(conf: BootConf, board: str, true: tuple[str, ...] = ()) -> list[Remark]:
    """Return what is to be said of a configuration on a board where these filters hold as well, but for its size."""
    holding = (*filters.MODELS[board], *true)
    counting = conf.effective(holding)
    values = {key: setting.value for key, setting in counting.items()}
    return [
        *_of_lines(conf),
        *(remark for setting in conf.settings() for remark in _of_setting(conf, setting)),
        *(remark for setting in counting.values() for remark in _on_board(setting, board)),
        *_of_combination(values),
    ]


def of_size(conf: BootConf) -> list[Remark]:
    """Return what is wrong with the size of the text."""
    found = []
    size = len(conf.text.encode("utf-8", "surrogateescape"))
    if size > MAXIMUM_BYTES:
        found.append(Remark(f"the configuration has {size} bytes; at most {MAXIMUM_BYTES} fit", forbidden=True))
    if len(conf.lines) < _FEWEST_LINES:
        found.append(
            Remark(
                f"the configuration has {len(conf.lines)} lines: rpi-eeprom-update takes one of less than "
                f"{_FEWEST_LINES} for empty, and an update of the bootloader replaces it by the default"
            )
        )
    return found


def _of_lines(conf: BootConf) -> list[Remark]:
    found = [
        Remark(f"line {line + 1}, {text!r}, is no KEY=value{_why(text)}", forbidden=True)
        for line, text in conf.others()
    ]
    for line, name in conf.filters():
        wrong = filters.problem(name)
        if wrong:
            found.append(Remark(f"line {line + 1}: {wrong}", forbidden=True))
    return found


def _why(text: str) -> str:
    return "; the bootloader does not know include" if text.startswith("include ") else ""


def _of_setting(conf: BootConf, setting: Setting) -> list[Remark]:
    where = f"{filters.show(setting.filters)} line {setting.line + 1}"
    line = conf.lines[setting.line].rstrip()
    keys = (setting.key,)
    found = []
    if setting.key not in KEYS:
        found.append(Remark(f"{where}: {setting.key} is not documented{nearest(setting.key.upper(), KEYS)}", keys))
    elif setting.value:
        wrong = problem(setting.key, setting.value)
        found += [Remark(f"{where}: {wrong}", keys, forbidden=True)] if wrong else []
    if len(line) > _LONGEST_LINE:
        found.append(
            Remark(
                f"{where}: {setting.key} has a line of {len(line)} characters; those after {_LONGEST_LINE} are ignored",
                keys,
                forbidden=True,
            )
        )
    if _SPACED.match(line.strip()):
        found.append(Remark(f"{where}: {setting.key} has spaces around its =, which may not be ignored", keys))
    if setting.key == "NETCONSOLE" and setting.value and not any(name.startswith("gpio") for name in setting.filters):
        found.append(
            Remark(
                f"{where}: NETCONSOLE may cause network problems and is not meant to be left on; a section such as "
                "gpio7=0 turns it on when it is needed",
                keys,
            )
        )
    return found


def _on_board(setting: Setting, board: str) -> list[Remark]:
    key, value = setting.key, setting.value
    found = []
    boards = boards_of(key)
    if boards and board not in boards.split(", "):
        found.append(f"{key} is for {boards}; it has no effect on {board}")
    if key == "BOOT_ORDER" and problem(key, value) is None:
        found += [f"{key} {value}: {text}" for text in boot_order.advice(value, board)]
    if key == "WAKE_ON_GPIO" and parse_number(value) == _WAKE_BESIDE_BUTTON and board != "pi400":
        found.append(f"WAKE_ON_GPIO {value} is for pi400, which has a power button, not for {board}")
    if board in ("cm4", "cm4s"):
        found += _self_update(key, value)
    return [Remark(text, (key,)) for text in found]


def _self_update(key: str, value: str) -> list[str]:
    if parse_number(value) != 1:
        return []
    if key == "FREEZE_VERSION":
        return [
            "FREEZE_VERSION 1: to take it back needs recovery.bin on an SD card, which a Compute Module 4 never runs; "
            "there it takes rpiboot (USB)"
        ]
    if key == "ENABLE_SELF_UPDATE":
        return [
            "ENABLE_SELF_UPDATE 1: a Compute Module 4 with a bootloader from before 2022 does not update itself from "
            "eMMC, and when the power fails during a self-update, only rpiboot (USB) brings it back"
        ]
    return []


def _of_combination(values: Mapping[str, str]) -> list[Remark]:
    """Return what is to be said of values that do not go together."""
    found = [*_of_prefix(values), *_of_static_addresses(values), *_of_patience(values)]
    if values.get("HTTP_PATH") and not values.get("HTTP_HOST"):
        found.append(Remark("HTTP_PATH is ignored without HTTP_HOST", ("HTTP_PATH", "HTTP_HOST")))
    if values.get("HTTP_CACERT_HASH") and not values.get("HTTP_HOST"):
        found.append(Remark("HTTP_CACERT_HASH is for a HTTP_HOST of your own", ("HTTP_CACERT_HASH", "HTTP_HOST")))
    if _number(values, "POWER_OFF_ON_HALT") == 1 and _number(values, "WAKE_ON_GPIO", 1) != 0:
        text = "POWER_OFF_ON_HALT 1 has no effect without WAKE_ON_GPIO 0"
        found.append(Remark(text, ("POWER_OFF_ON_HALT", "WAKE_ON_GPIO")))
    return found


def _of_prefix(values: Mapping[str, str]) -> list[Remark]:
    keys = ("TFTP_PREFIX", "TFTP_PREFIX_STR")
    custom, string = _number(values, "TFTP_PREFIX") == 1, bool(values.get("TFTP_PREFIX_STR"))
    if custom and not string:
        return [Remark("TFTP_PREFIX 1 without a TFTP_PREFIX_STR: there is no prefix", keys)]
    if string and not custom:
        return [Remark("TFTP_PREFIX_STR is only used with TFTP_PREFIX 1", keys)]
    return []


def _of_static_addresses(values: Mapping[str, str]) -> list[Remark]:
    keys = (*_STATIC, "GATEWAY")
    lacking = [key for key in _STATIC if not values.get(key)]
    if lacking:
        set_anyway = [key for key in keys if key != "TFTP_IP" and values.get(key)]
        text = f"{', '.join(set_anyway)} without {', '.join(lacking)}: the bootloader still asks for an address by DHCP"
        return [Remark(text, keys)] if set_anyway else []
    addresses = {key: parse_address(values.get(key, "")) for key in keys}
    client, server, gateway = addresses["CLIENT_IP"], addresses["TFTP_IP"], addresses["GATEWAY"]
    if client is None or server is None or problem("SUBNET", values["SUBNET"]):
        return []
    network = ipaddress.IPv4Network(f"{client}/{values['SUBNET']}", strict=False)
    if gateway is None and server not in network:
        return [Remark(f"TFTP_IP {server} is not in {network}, the client's: GATEWAY is missing", keys, forbidden=True)]
    if gateway is not None and gateway not in network:
        return [Remark(f"GATEWAY {gateway} is not in {network}, the client's", keys, forbidden=True)]
    return []


def _of_patience(values: Mapping[str, str]) -> list[Remark]:
    found = []
    modes = boot_order.boot_modes(values.get("BOOT_ORDER", ""))
    watchdog = _number(values, "BOOT_WATCHDOG_TIMEOUT")
    dhcp = _number(values, "DHCP_TIMEOUT", _DHCP_TIMEOUT_DEFAULT)
    if boot_order.NETWORK in modes and 0 < watchdog * _MILLISECONDS <= dhcp:
        text = (
            f"BOOT_WATCHDOG_TIMEOUT {watchdog} s: it resets the board before a single DHCP sequence may have failed, "
            f"which has {dhcp} ms (DHCP_TIMEOUT)"
        )
        found.append(Remark(text, ("BOOT_WATCHDOG_TIMEOUT", "DHCP_TIMEOUT", "BOOT_ORDER")))
    if not watchdog and values.get("BOOT_WATCHDOG_PARTITION"):
        keys = ("BOOT_WATCHDOG_PARTITION", "BOOT_WATCHDOG_TIMEOUT")
        found.append(Remark("BOOT_WATCHDOG_PARTITION has no effect without BOOT_WATCHDOG_TIMEOUT", keys))
    for key, mode in (("NET_BOOT_MAX_RETRIES", boot_order.NETWORK), ("SD_BOOT_MAX_RETRIES", 0x1)):
        if _number(values, key) == -1 and mode in modes[:-1]:
            rest = ", ".join(f"{one:x}" for one in modes[modes.index(mode) + 1 :])
            found.append(Remark(f"{key} -1: the boot modes after {mode} ({rest}) are never tried", (key, "BOOT_ORDER")))
    return found


def _number(values: Mapping[str, str], key: str, default: int = 0) -> int:
    number = parse_number(values.get(key, ""))
    return default if number is None else number
