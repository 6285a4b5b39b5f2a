# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values the keys of the bootloader take, how they are written, and which of them mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_keys import (
    KEYS,
    boards_of,
    kind_of,
    problem,
    same,
)

HASH = "701bd97f67b0f5483a9734e6e5cf72f9a123407b346088638f597878563193fc"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("BOOT_ORDER", 0xF21, "0xf21"),
        ("BOOT_ORDER", "0xF21", "0xF21"),
        ("DHCP_TIMEOUT", 5000, "5000"),
        ("DHCP_REQ_TIMEOUT", "500", "500"),
        ("TFTP_FILE_TIMEOUT", 60000, "60000"),
        ("NET_BOOT_MAX_RETRIES", -1, "-1"),
        ("MAX_RESTARTS", "-1", "-1"),
        ("TFTP_PREFIX", 2, "2"),
        ("TFTP_PREFIX_STR", "a" * 31 + "/", "a" * 31 + "/"),
        ("PXE_OPTION43", "Raspberry Pi Boot", "Raspberry Pi Boot"),
        ("DHCP_OPTION97", 0x34695052, "0x34695052"),
        ("MAC_ADDRESS", "DC:a6:32:01:36:c2", "DC:a6:32:01:36:c2"),
        ("MAC_ADDRESS_OTP", "0,1", "0,1"),
        ("SUBNET", "255.255.254.0", "255.255.254.0"),
        ("HTTP_HOST", "boot.example.org", "boot.example.org"),
        ("HTTP_CACERT_HASH", HASH, HASH),
        ("USB_MSD_EXCLUDE_VID_PID", "034700a0,a4231234", "034700a0,a4231234"),
        ("XHCI_DEBUG", 3, "0x3"),
        ("UART_BAUD", 115200, "115200"),
        ("NETCONSOLE", {"src_ip": "169.254.1.1"}, "@169.254.1.1/,@/"),
    ],
)
def test_values_that_are_taken(key: str, value: Any, text: str) -> None:
    assert kind_of(key).render(value) == text
    assert problem(key, text) is None


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("BOOT_UART", True, "expected 0 or 1"),
        ("BOOT_UART", 2, "expected 0 or 1"),
        ("BOOT_UART", "1 # on", "expected 0 or 1"),
        ("BOOT_UART", "1\nBOOT_ORDER=0x1", "expected 0 or 1"),
        ("BOOT_UART", "", "to remove the key, set it to null"),
        ("BOOT_UART", 1.0, "expected 0 or 1"),
        ("DHCP_TIMEOUT", 4999, "expected a number, at least 5000 (milliseconds)"),
        ("DHCP_REQ_TIMEOUT", 499, "expected a number, at least 500 (milliseconds)"),
        ("TFTP_FILE_TIMEOUT", "4999", "expected a number, at least 5000 (milliseconds)"),
        ("TFTP_FILE_TIMEOUT", "060000", "expected a number"),
        ("NET_BOOT_MAX_RETRIES", -2, "expected a number, at least -1 (-1 is without end)"),
        ("MAX_RESTARTS", -2, "expected a number, at least -1"),
        ("BOOT_WATCHDOG_TIMEOUT", -1, "expected a number, at least 0 (seconds)"),
        ("TFTP_PREFIX", 3, "expected a number from 0 to 2"),
        ("TFTP_PREFIX_STR", "a" * 32 + "/", "at most 32 printable characters"),
        ("TFTP_PREFIX_STR", "tftp_test", "the last of them /"),
        ("PXE_OPTION43", "Bö", "printable ASCII"),
        ("DHCP_OPTION97", 0x100000000, "four bytes"),
        ("TFTP_IP", "192.168.1.256", "expected an IPv4 address"),
        ("TFTP_IP", "boot.example.org", "expected an IPv4 address"),
        ("CLIENT_IP", "192.168.1.1/24", "expected an IPv4 address"),
        ("SUBNET", "24", "expected a netmask"),
        ("SUBNET", "255.0.255.0", "expected a netmask"),
        ("SUBNET", "0.0.0.255", "expected a netmask"),
        ("SUBNET", "128.0.0.1", "expected a netmask"),
        ("MAC_ADDRESS", "dc-a6-32-01-36-c2", "expected a MAC address such as dc:a6:32:01:36:c2, in quotes"),
        ("MAC_ADDRESS", 8103, "expected a MAC address such as dc:a6:32:01:36:c2, in quotes"),
        ("MAC_ADDRESS_OTP", "0,8", "two rows of the customer OTP"),
        ("HTTP_HOST", "http://example.org", "without scheme and slashes"),
        ("HTTP_HOST", "Example.org", "in lower case"),
        ("HTTP_PORT", 0, "expected a number from 1 to 65535"),
        ("HTTP_PATH", "a b", "a path without spaces"),
        ("HTTP_CACERT_HASH", HASH[1:], "64 hexadecimal digits"),
        ("USB_MSD_EXCLUDE_VID_PID", "034700a0, a4231234", "without spaces"),
        ("USB_MSD_PWR_OFF_TIME", 5001, "expected a number from 0 to 5000"),
        ("UART_BAUD", 1200, "expected one of 9600, 19200"),
        ("NETCONSOLE", ["x"], "or these parts as a dictionary"),
    ],
)
def test_values_that_are_refused(key: str, value: Any, said: str) -> None:
    assert (problem(key, value) or "").startswith(f"{key} {value!r}: ")
    assert said in (problem(key, value) or "")


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("BOOT_ORDER", "0xF21", "0xf21"),
        ("BOOT_ORDER", "0x00000f21", "0xf21"),
        ("BOOT_ORDER", "3873", "0xf21"),
        ("DHCP_TIMEOUT", "0x1388", "5000"),
        ("UART_BAUD", "0x1c200", "115200"),
        ("MAC_ADDRESS", "DC:A6:32:01:36:C2", "dc:a6:32:01:36:c2"),
        ("HTTP_CACERT_HASH", HASH.upper(), HASH),
        ("NETCONSOLE", "6665@10.0.0.1/,6666@/", "@10.0.0.1/eth0,@255.255.255.255/00:00:00:00:00:00"),
        ("NOT_DOCUMENTED", "0xA", "10"),
    ],
)
def test_values_that_mean_the_same(key: str, one: str, other: str) -> None:
    assert same(key, one, other)


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("BOOT_ORDER", "0xf21", "0xf12"),
        ("BOOT_ORDER", "f21", "0xf21"),
        ("TFTP_PREFIX_STR", "A/", "a/"),
        ("HTTP_PATH", "A", "a"),
        ("NETCONSOLE", "@10.0.0.1/,@/", "@10.0.0.1/,1514@/"),
        ("NOT_DOCUMENTED", "a", "A"),
    ],
)
def test_values_that_do_not(key: str, one: str, other: str) -> None:
    assert not same(key, one, other)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_refuses_what_would_become_another_line(key: str) -> None:
    assert problem(key, "1\n[all]") is not None


def test_keys_of_some_boards_alone() -> None:
    assert [boards_of(key) for key in ("VL805", "PCIE_PROBE", "BOOT_ORDER")] == ["cm4", "newer boards", None]
