# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""config.txt as the firmware reads it."""

from __future__ import annotations

import pytest

from lab.pi_firmware.config_txt import Config, parse
from lab.pi_firmware.errors import ConfigInvalid
from tests.unit.lab.pi_firmware.served import CM4, PI4


def read(text: str, **included: str) -> Config:
    """Return what a CM4 makes of a config.txt, with files that it may include (``name`` stands for name.txt)."""
    files = {f"{name}.txt": content.encode() for name, content in included.items()}
    return parse(text.encode(), CM4, read=files.get)


def test_last_value_counts() -> None:
    assert read("kernel=a\n# kernel=c\nkernel=b\n").values == {"kernel": "b"}


def test_files_from_windows_are_read_alike() -> None:
    assert read("kernel=a\r\narm_64bit=1\r\n").values == {"kernel": "a", "arm_64bit": "1"}


@pytest.mark.parametrize(
    "section",
    ["all", "pi4", "cm4", "CM4", "board-type=0x14", "board-type=20", "0x9ffefdef", "0x9FFEFDEF", "0x000000009ffefdef"],
)
def test_section_of_this_board_applies(section: str) -> None:
    config = read(f"[{section}]\nkernel=a\n")
    assert (config.values, config.warnings) == ({"kernel": "a"}, ())


@pytest.mark.parametrize(
    "section",
    [
        "none",
        "pi3",
        "pi3+",
        "pi400",
        "pi02",
        "cm4s",
        "cm5",
        "board-type=0x11",
        "0x9ffefdee",
        "tryboot",
        "gpio4=0",
        "gpio4=1",
        "EDID=VSC-TD2220",
        "HDMI:0",
    ],
)
def test_section_of_something_else_does_not_apply(section: str) -> None:
    config = read(f"[{section}]\nkernel=a\ninitramfs b\ndtoverlay=c\ninclude d.txt\n", d="cmdline=e")
    assert (config.values, config.initramfs, config.overlays, config.warnings) == ({}, (), (), ())


def test_section_that_nobody_knows_does_not_apply_and_is_told() -> None:
    config = read("[cm 4]\nkernel=a\n[all]\narm_64bit=1\n")
    assert config.values == {"arm_64bit": "1"}
    assert config.warnings == ("config.txt:1: section [cm 4] is unknown; what follows is left out",)


def test_pi4_does_not_see_what_is_for_the_cm4_alone() -> None:
    text = b"[pi4]\nkernel=both\n[cm4]\nkernel=module\n[all]\n"
    assert [parse(text, board).values["kernel"] for board in (CM4, PI4)] == ["module", "both"]


def test_section_replaces_the_one_of_the_same_kind() -> None:
    assert read("[pi3]\nkernel=a\n[cm4]\ncmdline=b\n").values == {"cmdline": "b"}


def test_sections_of_different_kinds_apply_together() -> None:
    assert read("[0x1]\n[cm4]\nkernel=a\n[0x9ffefdef]\ncmdline=b\n").values == {"cmdline": "b"}


def test_none_lasts_until_all() -> None:
    assert read("[none]\nkernel=a\n[cm4]\nkernel=b\n[all]\nkernel=c\n").values == {"kernel": "c"}


def test_tryboot_section_applies_after_a_reboot_with_that_flag() -> None:
    assert parse(b"[tryboot]\nos_prefix=new/\n", CM4, tryboot=True).values == {"os_prefix": "new/"}


def test_included_file_counts_where_it_is_included() -> None:
    assert read("kernel=a\ninclude b.txt\ncmdline=c\n", b="kernel=b\ncmdline=b\n").values == {
        "kernel": "b",
        "cmdline": "c",
    }


def test_section_of_an_included_file_goes_on_after_it() -> None:
    assert read("include a.txt\nkernel=b\n", a="[pi3]\n").values == {}


def test_bootloader_does_not_include() -> None:
    assert parse(b"include a.txt\nstart_x=1\n", CM4, read=None).values == {"start_x": "1"}


def test_missing_included_file_is_told() -> None:
    assert read("include a.txt\n").warnings == ("config.txt:1: Failed to open include file 'a.txt'",)


def test_file_that_includes_itself_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"^a\.txt: included by itself"):
        read("include a.txt\n", a="include a.txt\n")


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("initramfs initrd.img,host.cpio followkernel", ("initrd.img", "host.cpio")),
        ("initramfs initrd.img 0x00800000", ("initrd.img",)),
        ("initramfs initrd.img 0", ("initrd.img",)),
        ("initramfs initrd.img", ("initrd.img",)),
        ("ramfsfile=initrd.img,host.cpio", ("initrd.img", "host.cpio")),
        ("initramfs other followkernel\ninitramfs initrd.img followkernel", ("initrd.img",)),
    ],
)
def test_initramfs_files(line: str, files: tuple[str, ...]) -> None:
    config = read(line)
    assert (config.initramfs, config.warnings) == (files, ())


@pytest.mark.parametrize("line", ["initramfs=initrd.img followkernel", "include=kernel.txt"])
def test_statement_without_equals_sign_is_ignored_with_one(line: str) -> None:
    config = read(line)
    assert (config.values, config.initramfs) == ({}, ())
    assert config.warnings[0].endswith("takes no '='; the line is ignored")


def test_line_ends_after_98_characters() -> None:
    config = read("cmdline=" + 90 * "a" + "bc\n")
    assert config.values == {"cmdline": 90 * "a"}
    assert config.warnings == ("config.txt:1: only the first 98 characters are read, not 'bc'",)


def test_line_of_98_characters_is_read_whole() -> None:
    config = read("cmdline=" + 90 * "a" + "\n")
    assert (config.values, config.warnings) == ({"cmdline": 90 * "a"}, ())


def test_long_comment_is_no_trouble() -> None:
    assert read("#" + 200 * "-").warnings == ()


def test_names_of_initramfs_files_end_after_64_characters() -> None:
    name = 60 * "a" + ",host.cpio"
    config = read(f"initramfs {name} followkernel")
    assert config.initramfs == (60 * "a", "hos")
    assert config.warnings == (f"config.txt:1: only 64 characters of {name!r} are read",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kernel = vmlinuz", "blanks before '=': there is no setting 'kernel '"),
        ("kernel vmlinuz", "'kernel vmlinuz' is no setting"),
        ("initramfs a follow", "'follow' is neither an address nor followkernel"),
        ("[cm4] # comment", "'[cm4] # comment' is no section"),
        ("boot_ramdisk=1", "boot_ramdisk is beyond this firmware"),
    ],
)
def test_line_that_does_not_do_what_it_seems_to_is_told(line: str, said: str) -> None:
    assert read(line).warnings == (f"config.txt:1: {said}",)


def test_overlays_in_order_without_their_parameters() -> None:
    assert read("dtoverlay=disable-bt\ndtoverlay=\ndtparam=audio=on\ndtoverlay=i2c,x=1\n").overlays == (
        "disable-bt",
        "i2c",
    )


def test_numbers() -> None:
    config = read("gpu_mem=0x10\narm_64bit=1\nkernel=a\n")
    assert [config.number(name, 7) for name in ("gpu_mem", "arm_64bit", "kernel", "os_prefix")] == [16, 1, 7, 7]
