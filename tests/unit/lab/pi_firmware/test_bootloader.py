# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the bootloader asks for, and what makes it give up."""

from __future__ import annotations

import pytest

from lab.pi_firmware.board import Board
from lab.pi_firmware.bootloader import load
from lab.pi_firmware.errors import FirmwareError, FirmwareNotFound, FirmwareUnusable, RecoveryFound
from lab.pi_firmware.partition import Partition
from tests.unit.lab.pi_firmware.served import CM4, START, Served, directory, tree, under


def start(files: dict[str, bytes], board: Board = CM4, tryboot: bool = False) -> tuple[Partition, Served]:
    """Return where the firmware came from when these files are under the board's prefix."""
    served = Served(under(directory(board), files))
    return load(Partition(served, directory(board)), board, tryboot, lambda _line: None), served


def test_requests_are_those_of_a_board() -> None:
    partition, served = start(tree())
    assert partition.prefix == "9ffefdef/"
    assert [f"{how} {name.removeprefix('9ffefdef/')}" for how, name in served.asked] == [
        "probe start4.elf",
        "get config.txt",
        "get pieeprom.sig",
        "probe recover4.elf",
        "probe recovery.elf",
        "get start4.elf",
        "get fixup4.dat",
    ]


def test_without_firmware_under_the_prefix_the_root_is_tried() -> None:
    served = Served({})
    with pytest.raises(FirmwareNotFound, match=r"^Firmware not found: no start.elf under ''$"):
        load(Partition(served, "9ffefdef/"), CM4, False, lambda _line: None)
    assert [name for _, name in served.asked] == [
        "9ffefdef/start4.elf",
        "9ffefdef/start.elf",
        "config.txt",
        "pieeprom.sig",
        "recover4.elf",
        "recovery.elf",
        "start4.elf",
        "start.elf",
    ]


def test_board_whose_directory_is_incomplete_boots_what_is_in_the_root() -> None:
    """Why nothing bootable must ever be there."""
    served = Served({**under("9ffefdef/", {"config.txt": b"", "vmlinuz": b""}), **tree()})
    assert load(Partition(served, "9ffefdef/"), CM4, False, lambda _line: None).prefix == ""
    assert "start4.elf" in served.fetched()


def test_start_elf_keeps_the_prefix_and_is_a_second_choice() -> None:
    files = tree()
    files["start.elf"] = files.pop("start4.elf")
    files["fixup4.dat"] = b"fixup"
    with pytest.raises(FirmwareUnusable, match=r"^start.elf and fixup4.dat are not a pair: expected fixup.dat$"):
        start(files)


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ("start_x=1", ["start4x.elf", "fixup4x.dat"]),
        ("start_debug=1", ["start4db.elf", "fixup4db.dat"]),
        ("gpu_mem=16", ["start4cd.elf", "fixup4cd.dat"]),
        ("start_file=start_old.elf\nfixup_file=fixup_old.dat", ["start_old.elf", "fixup_old.dat"]),
        ("[pi3]\nstart_x=1", ["start4.elf", "fixup4.dat"]),
        ("include kernel.txt", ["start4.elf", "fixup4.dat"]),  # which the bootloader does not read
    ],
)
def test_config_txt_chooses_the_firmware(config: str, names: list[str]) -> None:
    files = {**tree(), "config.txt": config.encode(), "kernel.txt": b"start_x=1\n"}
    _, served = start({**files, names[0]: START, names[1]: b"fixup"})
    assert served.asked[-2:] == [("get", f"9ffefdef/{name}") for name in names]


def test_tryboot_reads_another_configuration() -> None:
    _, served = start({**tree(), "tryboot.txt": b"start_x=1", "start4x.elf": START, "fixup4x.dat": b"fixup"}, CM4, True)
    assert served.fetched() == [f"9ffefdef/{name}" for name in ("tryboot.txt", "start4x.elf", "fixup4x.dat")]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"start4.elf": b"<html>"}, FirmwareUnusable, "start4.elf is not compatible: 6 bytes that are no VideoCore"),
        ({"start4.elf": b"\x7fELF" + bytes(60)}, FirmwareUnusable, "start4.elf is not compatible: 64 bytes"),
        ({"fixup4.dat": None}, FirmwareUnusable, "fixup4.dat is missing"),
        ({"fixup4.dat": b""}, FirmwareUnusable, "fixup4.dat is empty"),
        ({"config.txt": b"start_x=1"}, FirmwareNotFound, "Firmware not found: no start4x.elf under '9ffefdef/'"),
        (
            {"config.txt": b"fixup_file=fixup4x.dat", "fixup4x.dat": b"fixup"},
            FirmwareUnusable,
            "start4.elf and fixup4x.dat are not a pair: expected fixup4.dat",
        ),
        ({"recovery.elf": b"noobs"}, RecoveryFound, "9ffefdef/recovery.elf is there"),
        ({"recover4.elf": b"noobs"}, RecoveryFound, "9ffefdef/recover4.elf is there"),
    ],
)
def test_why_the_firmware_does_not_start(
    change: dict[str, bytes | None], error: type[FirmwareError], said: str
) -> None:
    files = {name: content for name, content in {**tree(), **change}.items() if content is not None}
    with pytest.raises(error, match=f"^{said}"):
        start(files)
