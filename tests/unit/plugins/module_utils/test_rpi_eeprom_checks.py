# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a configuration as a whole."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_checks import (
    MAXIMUM_BYTES,
    of_size,
    remarks,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf

STATIC = "CLIENT_IP=10.0.0.5\nSUBNET=255.255.255.0\n"


def forbidden(text: str, board: str = "cm4", true: tuple[str, ...] = ()) -> list[str]:
    return [remark.text for remark in remarks(BootConf.parse(text), board, true) if remark.forbidden]


def advice(text: str, board: str = "cm4", true: tuple[str, ...] = ()) -> list[str]:
    return [remark.text for remark in remarks(BootConf.parse(text), board, true) if not remark.forbidden]


def test_a_good_configuration_is_not_remarked_on() -> None:
    text = "[all]\nBOOT_UART=1\nTFTP_IP=\n[cm4]\nBOOT_ORDER=0xf2\n[gpio7=0]\nNETCONSOLE=@10.0.0.5/,@10.0.0.1/\n"
    assert forbidden(text) == advice(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cm4]\nTFTP_FILE_TIMEOUT=300\n", "[cm4] line 2: TFTP_FILE_TIMEOUT '300': expected a number, at least 5000"),
        ("include more.txt\n", "line 1, 'include more.txt', is no KEY=value; the bootloader does not know include"),
        ("[all]\n[EDID=x]\n", "line 2: filter [EDID=x]: the bootloader has no EDID filter"),
        ("PXE_OPTION43=" + "x" * 86, "PXE_OPTION43 has a line of 99 characters; those after 98 are ignored"),
        (STATIC + "TFTP_IP=10.0.1.1\n", "TFTP_IP 10.0.1.1 is not in 10.0.0.0/24, the client's: GATEWAY is missing"),
        (STATIC + "TFTP_IP=10.0.1.1\nGATEWAY=10.0.1.254\n", "GATEWAY 10.0.1.254 is not in 10.0.0.0/24"),
    ],
)
def test_what_is_forbidden(text: str, said: str) -> None:
    (found,) = forbidden(text)
    assert said in found


@pytest.mark.parametrize(
    "text",
    [
        "PXE_OPTION43=" + "x" * 85,
        STATIC + "TFTP_IP=10.0.0.1\n",
        STATIC + "TFTP_IP=10.0.1.1\nGATEWAY=10.0.0.254\n",
        "TFTP_IP=10.0.0.1\n",
        "TFTP_PREFIX=1\nTFTP_PREFIX_STR=a/\n",
        "BOOT_ORDER=0xf2\nBOOT_WATCHDOG_TIMEOUT=46\n",
        "BOOT_ORDER=0xf1\nBOOT_WATCHDOG_TIMEOUT=10\n",
        "BOOT_ORDER=0xf2\nBOOT_WATCHDOG_TIMEOUT=10\nDHCP_TIMEOUT=5000\n",
        "BOOT_ORDER=0x2\nNET_BOOT_MAX_RETRIES=-1\n#BOOT_ORDER\n",
        "HTTP_HOST=10.0.0.1\nHTTP_PATH=a\n",
        "POWER_OFF_ON_HALT=1\nWAKE_ON_GPIO=0\n",
        "ENABLE_SELF_UPDATE=0\n",
    ],
)
def test_what_is_neither_forbidden_nor_advised_against(text: str) -> None:
    assert forbidden(text) == []
    assert [said for said in advice(text) if "RESTART" not in said] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BOOT_ORDER=0x2\n", "BOOT_ORDER 0x2: without RESTART (f) at the left"),
        ("SIGNED_BOTO=1\n", "[all] line 1: SIGNED_BOTO is not documented"),
        ("boot_uart=1\n", "boot_uart is not documented; did you mean BOOT_UART"),
        ("BOOT_UART =1\n", "BOOT_UART has spaces around its ="),
        ("BOOT_UART= 1\n", "BOOT_UART has spaces around its ="),
        ("[cm4]\nNETCONSOLE=@10.0.0.5/,@/\n", "[cm4] line 2: NETCONSOLE may cause network problems"),
        ("VL805=1\nPCIE_PROBE=1\n", "PCIE_PROBE is for newer boards; it has no effect on cm4"),
        ("SD_OVERCURRENT_CHECK=0\n", "SD_OVERCURRENT_CHECK is for pi4; it has no effect on cm4"),
        ("WAKE_ON_GPIO=2\n", "WAKE_ON_GPIO 2 is for pi400"),
        ("FREEZE_VERSION=1\n", "there it takes rpiboot (USB)"),
        ("ENABLE_SELF_UPDATE=1\n", "only rpiboot (USB) brings it back"),
        ("TFTP_PREFIX=1\n", "TFTP_PREFIX 1 without a TFTP_PREFIX_STR: there is no prefix"),
        ("TFTP_PREFIX_STR=a/\n", "TFTP_PREFIX_STR is only used with TFTP_PREFIX 1"),
        ("CLIENT_IP=10.0.0.5\n", "CLIENT_IP without SUBNET, TFTP_IP: the bootloader still asks for an address by DHCP"),
        ("HTTP_PATH=a\n", "HTTP_PATH is ignored without HTTP_HOST"),
        ("HTTP_CACERT_HASH=" + "0" * 64, "HTTP_CACERT_HASH is for a HTTP_HOST of your own"),
        ("POWER_OFF_ON_HALT=1\n", "POWER_OFF_ON_HALT 1 has no effect without WAKE_ON_GPIO 0"),
        ("BOOT_WATCHDOG_PARTITION=2\n", "BOOT_WATCHDOG_PARTITION has no effect without BOOT_WATCHDOG_TIMEOUT"),
        ("BOOT_ORDER=0xf2\nBOOT_WATCHDOG_TIMEOUT=45\n", "BOOT_WATCHDOG_TIMEOUT 45 s: it resets the board before"),
        ("BOOT_ORDER=0xf12\nNET_BOOT_MAX_RETRIES=-1\n", "NET_BOOT_MAX_RETRIES -1: the boot modes after 2 (1, f)"),
        ("BOOT_ORDER=0xf21\nSD_BOOT_MAX_RETRIES=-1\n", "SD_BOOT_MAX_RETRIES -1: the boot modes after 1 (2, f)"),
    ],
)
def test_what_is_advised_against(text: str, said: str) -> None:
    assert forbidden(text) == []
    (found,) = advice(text)
    assert said in found


def test_what_does_not_count_on_the_board_is_not_advised_on() -> None:
    text = "[pi4]\nBOOT_ORDER=0x21\n[cm4]\nBOOT_ORDER=0xf2\n[gpio7=0]\nBOOT_ORDER=0xe2\n"
    assert advice(text) == []
    assert advice(text, "pi4") == [
        "BOOT_ORDER 0x21: without RESTART (f) at the left, the board gives up when all its boot modes have failed"
    ]
    assert "STOP" in advice(text, "cm4", ("gpio7=0",))[0]


def test_advice_for_a_module_is_not_for_other_boards() -> None:
    assert advice("FREEZE_VERSION=1\nENABLE_SELF_UPDATE=1\nSD_OVERCURRENT_CHECK=0\n", "pi4") == []


def test_size_is_counted_in_bytes() -> None:
    assert of_size(BootConf.parse("#\n#\n" + "x" * (MAXIMUM_BYTES - 4))) == []
    (remark,) = of_size(BootConf.parse("#\n#\n" + "ü" * (MAXIMUM_BYTES // 2 - 1)))
    assert (remark.text, remark.forbidden) == ("the configuration has 4078 bytes; at most 4076 fit", True)


def test_configuration_that_an_update_would_take_for_empty() -> None:
    (remark,) = of_size(BootConf.parse("[all]\nBOOT_ORDER=0xf2\n"))
    assert remark.text.startswith("the configuration has 2 lines: rpi-eeprom-update takes one of less than 3 for empty")
    assert not remark.forbidden
