# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to the text of a bootloader configuration, which leave alone what they are not about."""

from __future__ import annotations

import random

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_text import BootConf

CONF = """\
# Written at the factory.
[all]
BOOT_UART=0
WAKE_ON_GPIO=1

# No card in the modules.
[cm4]
BOOT_ORDER=0xf2
[gpio7=0]
NETCONSOLE=6665@169.254.1.1/,6666@/
[all]
SDRAM_BANKLOW=3
[config.txt]
[all]
BOOT_UART=1
"""


def with_setting(text: str, section: str, key: str, value: str) -> str:
    return BootConf.parse(text).with_setting(section, key, value, lambda other: other == value).text


PIECES = [
    *(
        "[all]",
        "[cm4]",
        "[pi4]",
        "[gpio7=0]",
        "[config.txt]",
        "[",
        "[]",
        "BOOT_ORDER=0xf21",
        "BOOT_ORDER=",
        "=",
        "A=b=c",
    ),
    *(
        "#",
        "# BOOT_ORDER=1",
        " BOOT_UART = 1 ",
        "\t",
        "include x",
        "\x00",
        "\x0b",
        "\x85",
        "\u2028",
        "\udcff",
        "ü",
        "\r",
    ),
]


def any_text(seed: int) -> str:
    """Text that looks like a configuration in parts, with every way to end a line, or none."""
    draw = random.Random(seed)  # noqa: S311
    lines = ("".join(draw.choices(PIECES, k=draw.choice((0, 1, 1, 1, 2)))) for dummy in range(draw.randrange(12)))
    return "".join(line + draw.choice(("\n", "\n", "\r\n", "\n\n")) for line in lines) + draw.choice(("", *PIECES))


def test_any_text_is_read_and_written_as_it_is() -> None:
    for seed in range(2000):
        text = any_text(seed)
        assert BootConf.parse(text).text == text


@pytest.mark.parametrize("section", ["all", "cm4", "gpio7=0"])
def test_whatever_the_text_a_change_takes_effect_and_leaves_every_other_line(section: str) -> None:
    for seed in range(400):
        before = BootConf.parse(any_text(seed))
        after = before.with_setting(section, "TFTP_PREFIX", "2", lambda other: other == "2")
        true = () if section == "all" else ("cm4", "pi4", section)
        assert values(after, true) == {**values(before, true), "TFTP_PREFIX": "2"}
        rest = iter(after.lines)
        assert all(line in rest or f"{line}\n" in after.lines for line in before.lines)
        assert after.with_setting(section, "TFTP_PREFIX", "2", lambda other: other == "2") == after
        assert values(after.without(section, "TFTP_PREFIX"), true) == values(before, true)


def values(conf: BootConf, true: tuple[str, ...]) -> dict[str, str]:
    return {key: setting.value for key, setting in conf.effective(true).items()}


def test_setting_is_replaced_where_it_stands() -> None:
    assert with_setting(CONF, "cm4", "BOOT_ORDER", "0xf21") == CONF.replace("0xf2", "0xf21")
    assert with_setting(" BOOT_UART = 0\r\n", "all", "BOOT_UART", "1") == " BOOT_UART=1\r\n"


def test_setting_that_is_so_already_is_left() -> None:
    assert with_setting(CONF, "all", "BOOT_UART", "0") == CONF


def test_new_setting_follows_the_others_of_its_section() -> None:
    assert with_setting(CONF, "all", "TFTP_PREFIX", "2") == CONF.replace(
        "WAKE_ON_GPIO=1\n", "WAKE_ON_GPIO=1\nTFTP_PREFIX=2\n"
    )
    assert with_setting(CONF, "cm4", "TFTP_PREFIX", "2") == CONF.replace("0xf2\n", "0xf2\nTFTP_PREFIX=2\n")


def test_filters_of_different_types_add_up_so_a_new_section_begins_anew() -> None:
    """In CONF, [gpio7=0] holds on a cm4 alone."""
    assert with_setting(CONF, "gpio7=0", "BOOT_UART", "1") == CONF.replace(
        "[config.txt]", "[gpio7=0]\nBOOT_UART=1\n[config.txt]"
    )
    assert with_setting("[cm4]\nA=1", "gpio7=0", "B", "1") == "[cm4]\nA=1\n[all]\n[gpio7=0]\nB=1\n"
    assert with_setting("[cm4]\nA=1", "pi400", "B", "1") == "[cm4]\nA=1\n[pi400]\nB=1\n"


def test_setting_for_all_does_not_overrule_that_of_a_section() -> None:
    conf = BootConf.parse(with_setting(CONF, "all", "BOOT_ORDER", "0xf1"))
    assert conf.effective(("pi4",))["BOOT_ORDER"].value == "0xf1"
    assert conf.effective(("pi4", "cm4"))["BOOT_ORDER"].value == "0xf2"
    text = "[cm4]\nBOOT_ORDER=0xf2\n[all]\nBOOT_UART=1\n"
    assert with_setting(text, "all", "BOOT_ORDER", "0xf1") == "BOOT_ORDER=0xf1\n" + text


@pytest.mark.parametrize("old", ["0xf1", "0xf2"])
@pytest.mark.parametrize("broader", ["all", "pi4"])
def test_setting_of_a_section_that_would_be_overruled_goes_to_the_end(broader: str, old: str) -> None:
    text = f"[cm4]\nBOOT_ORDER={old}\n[{broader}]\nBOOT_ORDER=0xf21\n"
    after = with_setting(text, "cm4", "BOOT_ORDER", "0xf2")
    assert after == f"[cm4]\n[{broader}]\nBOOT_ORDER=0xf21\n[cm4]\nBOOT_ORDER=0xf2\n"


def test_place_in_a_text_without_settings() -> None:
    assert with_setting("", "all", "A", "1") == "A=1\n"
    assert with_setting("", "cm4", "A", "1") == "[cm4]\nA=1\n"
    assert with_setting("# Nothing yet.", "all", "A", "1") == "# Nothing yet.\nA=1\n"
    assert with_setting("# Nothing yet.\n[all]\n\n", "all", "A", "1") == "# Nothing yet.\n[all]\nA=1\n\n"
    assert with_setting("[cm4]\nA=1\n", "all", "B", "1") == "B=1\n[cm4]\nA=1\n"


def test_removal_concerns_one_section() -> None:
    text = "A=1\n[cm4]\nA=2\nA=3\n[pi4]\nA=4\n"
    assert BootConf.parse(text).without("cm4", "A").text == "A=1\n[cm4]\n[pi4]\nA=4\n"
    assert BootConf.parse(text).without("all", "A").text == "[cm4]\nA=2\nA=3\n[pi4]\nA=4\n"


def test_what_is_for_config_txt_is_no_setting_of_the_bootloader() -> None:
    assert BootConf.parse(CONF).effective(())["BOOT_UART"].value == "0"
    assert [one.line for one in BootConf.parse(CONF).settings()] == [2, 3, 7, 9, 11]


def test_lines_that_are_nothing_are_named() -> None:
    assert BootConf.parse("A=1\n\n# x\n [all] \ninclude x\n[config.txt]\ndtoverlay\n").others() == [(4, "include x")]
