# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task makes of a configuration, and what speaks against it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_plan import Plan, Wish, plan

FACTORY = "[all]\nBOOT_UART=0\nWAKE_ON_GPIO=1\nPOWER_OFF_ON_HALT=0\n"


def wish(config: dict[str, Any], text: str = FACTORY, **options: Any) -> Plan:
    return plan(text, Wish(config, **options))


def test_named_keys_are_set_removed_and_left() -> None:
    made = wish({"BOOT_ORDER": 0xF2, "BOOT_UART": "0x0", "WAKE_ON_GPIO": None, "TFTP_PREFIX": 2, "NETCONSOLE": None})
    assert made.problems == made.warnings == ()
    assert made.after.text == "[all]\nBOOT_UART=0\nPOWER_OFF_ON_HALT=0\nBOOT_ORDER=0xf2\nTFTP_PREFIX=2\n"


def test_section_of_its_own() -> None:
    made = wish({"BOOT_ORDER": "0xf2", "BOOT_UART": None}, section="cm4")
    assert made.after.text == FACTORY + "[cm4]\nBOOT_ORDER=0xf2\n"


def test_all_problems_are_reported_together() -> None:
    made = wish({"BOOT_ORDER": "0x8", "DHCP_TIMEOUT": 1, "BOTO_UART": 1, "TFTP_PREFIX": None}, section="gpio7")
    assert [text[:40] for text in made.problems] == [
        "section: filter [gpio7]: expected gpio, ",
        "BOOT_ORDER '0x8': expected 0x and up to ",
        "DHCP_TIMEOUT 1: expected a number, at le",
        "BOTO_UART is not documented; did you mea",
    ]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("config.txt", "section config.txt is not for the bootloader: the firmware appends it to config.txt"),
        ("", "section '': expected the text between the brackets"),
        ("[cm4]", "section '[cm4]': expected the text between the brackets"),
        ("cm-4", "section: filter [cm-4] is not known"),
    ],
)
def test_sections_that_cannot_be(section: str, said: str) -> None:
    (problem,) = wish({"BOOT_UART": 1}, section=section).problems
    assert problem.startswith(said)


def test_unknown_keys_need_to_be_allowed() -> None:
    assert wish({"XYZ": 1}).problems == ("XYZ is not documented and allow_unknown is not set",)
    made = wish({"XYZ": 1}, allow_unknown=True)
    assert made.problems == ()
    assert made.after.text == FACTORY + "XYZ=1\n"
    assert made.warnings == ("[all] line 5: XYZ is not documented",)
    assert wish({"FOO BAR=1": 1}, allow_unknown=True).problems == ("'FOO BAR=1' cannot be a key",)


def test_what_was_wrong_before_is_said_and_left() -> None:
    text = FACTORY + "TFTP_FILE_TIMEOUT=300\nnonsense\n"
    made = wish({"BOOT_ORDER": "0xf2"}, text)
    assert made.problems == ()
    assert "TFTP_FILE_TIMEOUT=300\nBOOT_ORDER=0xf2\nnonsense\n" in made.after.text
    assert [warning[:16] for warning in made.warnings] == ["left as it is: l", "left as it is: ["]
    assert wish({"TFTP_FILE_TIMEOUT": None}, text).warnings == ("left as it is: line 5, 'nonsense', is no KEY=value",)


def test_warnings_are_about_what_is_named() -> None:
    text = FACTORY + "BOOT_ORDER=0x21\nTFTP_PREFIX_STR=a/\n"
    assert wish({"BOOT_UART": 1}, text).warnings == ()
    assert wish({"TFTP_PREFIX": 0}, text).warnings == ("TFTP_PREFIX_STR is only used with TFTP_PREFIX 1",)
    assert wish({"BOOT_ORDER": "0x21"}, text).warnings[0].startswith("BOOT_ORDER 0x21: without RESTART")


def test_values_that_do_not_go_together_are_refused_where_the_section_holds() -> None:
    text = FACTORY + "CLIENT_IP=10.0.0.5\nSUBNET=255.255.255.0\n"
    (problem,) = wish({"TFTP_IP": "10.0.1.1"}, text, section="gpio7=0").problems
    assert problem == "TFTP_IP 10.0.1.1 is not in 10.0.0.0/24, the client's: GATEWAY is missing"
    assert wish({"TFTP_IP": "10.0.1.1", "GATEWAY": "10.0.0.254"}, text, section="gpio7=0").problems == ()


def test_line_that_would_be_cut_off_is_refused() -> None:
    (problem,) = wish({"HTTP_PATH": "x" * 90}).problems
    assert problem == "[all] line 5: HTTP_PATH has a line of 100 characters; those after 98 are ignored"


def test_text_that_does_not_fit_is_refused() -> None:
    (problem,) = wish({"BOOT_ORDER": "0xf2"}, FACTORY + "#" * 4020).problems
    assert problem == "the configuration has 4089 bytes; at most 4076 fit"


@pytest.mark.parametrize(
    ("text", "section", "said"),
    [
        ("[pi4]\nBOOT_ORDER=0xf1\n", "all", "BOOT_ORDER 0xf1 in [pi4], line 7, goes before 0xf2 where that section"),
        ("[gpio7=0]\nBOOT_ORDER=0xf1\n", "all", "BOOT_ORDER 0xf1 in [gpio7=0], line 7, goes before 0xf2"),
        ("[gpio7=0]\nBOOT_ORDER=0xf1\n[all]\n[cm4]\nA=1\n[all]\n[cm4]\n", "gpio8=1", None),
        ("[pi400]\nBOOT_ORDER=0xf1\n", "all", None),
        ("[none]\nBOOT_ORDER=0xf1\n", "all", None),
    ],
)
def test_other_sections_that_go_before_are_named(text: str, section: str, said: str | None) -> None:
    warnings = wish({"BOOT_ORDER": "0xf2"}, FACTORY + text, section=section).warnings
    assert [text[: len(said or "")] for text in warnings] == ([said] if said else [])


def test_signed_configuration_is_not_changed() -> None:
    text = FACTORY + "SIGNED_BOOT=1\n"
    assert wish({"BOOT_UART": 0}, text).problems == ()
    (problem,) = wish({"BOOT_UART": 1}, text).problems
    assert problem.startswith("the configuration is for secure boot (SIGNED_BOOT): changed without a new signature")
    assert wish({"SIGNED_BOOT": 1}, allow_unknown=True).problems
