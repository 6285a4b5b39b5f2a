# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bootloader's configuration."""

from __future__ import annotations

import math

import pytest

from lab.errors import LabError
from lab.pi_firmware.eeprom import Eeprom, parse
from tests.unit.lab.pi_firmware.served import CM4


@pytest.mark.parametrize(
    ("settings", "prefix"),
    [
        ("", "9ffefdef/"),
        ("TFTP_PREFIX=0", "9ffefdef/"),
        ("TFTP_PREFIX=1\nTFTP_PREFIX_STR=rack1/", "rack1/"),
        ("TFTP_PREFIX=1\nTFTP_PREFIX_STR=rack1", "rack1"),
        ("TFTP_PREFIX=1", ""),
        ("TFTP_PREFIX=2", "dc-a6-32-01-36-c2/"),
        ("[cm4s]\nTFTP_PREFIX=1\n[cm4]\nTFTP_PREFIX=2", "dc-a6-32-01-36-c2/"),
    ],
)
def test_prefix(settings: str, prefix: str) -> None:
    assert parse(settings, CM4).prefix(CM4) == prefix if settings else Eeprom().prefix(CM4) == prefix


@pytest.mark.parametrize(
    ("settings", "attempts"),
    [
        ("BOOT_ORDER=0xf21", math.inf),
        ("BOOT_ORDER=0x21", 1),
        ("BOOT_ORDER=0x12", 1),
        ("BOOT_ORDER=0x2f1", 1),
        ("BOOT_ORDER=0x2\nNET_BOOT_MAX_RETRIES=3", 4),
        ("BOOT_ORDER=0x2\nNET_BOOT_MAX_RETRIES=-1", math.inf),
    ],
)
def test_attempts(settings: str, attempts: float) -> None:
    assert parse(settings, CM4).attempts == attempts


@pytest.mark.parametrize("settings", ["BOOT_ORDER=0xf41", ""])
def test_board_that_never_tries_the_network_is_an_error(settings: str) -> None:
    with pytest.raises(LabError, match=r"^BOOT_ORDER=0xf41: without the digit 2"):
        assert parse(settings, CM4).attempts


def test_all_problems_are_told_at_once() -> None:
    text = (
        "DHCP_TIMEOUT=4999\nDHCP_REQ_TIMEOUT=499\nTFTP_FILE_TIMEOUT=1\nTFTP_PREFIX=3\nTFTP_IP=boot\nTFTP_PREFIX_STR="
        + 33 * "a"
    )
    with pytest.raises(LabError) as caught:
        parse(text, CM4)
    assert str(caught.value).split("; ") == [
        "DHCP_TIMEOUT=4999: expected at least 5000 ms",
        "DHCP_REQ_TIMEOUT=499: expected at least 500 ms",
        "TFTP_FILE_TIMEOUT=1: expected at least 5000 ms",
        "TFTP_PREFIX=3: expected 0, 1 or 2",
        f"TFTP_PREFIX_STR={33 * 'a'}: expected at most 32 characters",
        "TFTP_IP=boot: expected an IPv4 address",
    ]


def test_times_are_in_milliseconds_and_can_be_scaled() -> None:
    eeprom = parse("DHCP_TIMEOUT=5000\nDHCP_REQ_TIMEOUT=500\nTFTP_FILE_TIMEOUT=10000\n", CM4).scaled(0.5)
    assert (eeprom.dhcp_timeout, eeprom.dhcp_req_timeout, eeprom.tftp_file_timeout) == (2.5, 0.25, 5)


def test_strings_and_numbers() -> None:
    eeprom = parse("PXE_OPTION43=Rack\nDHCP_OPTION97=0\nTFTP_IP=10.0.0.1\nBOOT_WATCHDOG_TIMEOUT=60\n", CM4)
    assert (eeprom.pxe_option43, eeprom.dhcp_option97, eeprom.tftp_ip) == ("Rack", 0, "10.0.0.1")
    assert eeprom.boot_watchdog_timeout == 60
