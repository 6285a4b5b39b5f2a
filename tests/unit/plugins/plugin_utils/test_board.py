# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boards: those that there are, and what happens to a file that is put beside them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.plugin_utils import _board
from ansible_collections.diskless.ceph.plugins.plugin_utils._board import Board, PiFirmware, boards

SHOW = """
from ansible_collections.diskless.ceph.plugins.plugin_utils._board import boards
print(*(f"{board.name}:{board.arch}:{board.loader}" for board in boards().values()))
"""
BOARD = """
from .._board import Board, PiFirmware
FIRMWARE = PiFirmware(model="pi400", dtb="bcm2711-rpi-400.dtb")
BOARD = Board(name="{name}", arch="arm64", loader="{loader}", console=("ttyS0",), modules=("genet",), firmware=FIRMWARE)
"""


def _boards_with(tmp_path: Path, file: str, content: str) -> subprocess.CompletedProcess[str]:
    """What a collection shows of its boards that has one file more."""
    source = Path(_board.__file__).parent
    copy = tmp_path / "ansible_collections/diskless/ceph/plugins/plugin_utils"
    (copy / "_boards").mkdir(parents=True)
    for path in (source / "_board.py", *(source / "_boards").glob("*.py")):
        shutil.copy(path, copy / path.relative_to(source))
    (copy / "_boards" / file).write_text(content)
    return subprocess.run(
        [sys.executable, "-c", SHOW], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )


def test_there_are_four_boards() -> None:
    assert {name: (board.arch, board.loader) for name, board in boards().items()} == {
        "cm4": ("arm64", "pi"),
        "pi4": ("arm64", "pi"),
        "pxe": ("amd64", "grub"),
        "udoo_x86": ("amd64", "grub"),
    }


def test_any_pc_has_the_cards_of_the_udoo_and_of_virtual_machines() -> None:
    assert set(boards()["pxe"].modules) > {*boards()["udoo_x86"].modules, "e1000e", "virtio_net"}


def test_firmware_of_each_pi_asks_for_the_device_tree_of_its_model() -> None:
    assert {name: (board.firmware.model, board.firmware.dtb) for name, board in boards().items() if board.firmware} == {
        "cm4": ("cm4", "bcm2711-rpi-cm4.dtb"),
        "pi4": ("pi4", "bcm2711-rpi-4-b.dtb"),
    }


def test_new_file_is_a_new_board(tmp_path: Path) -> None:
    shown = _boards_with(tmp_path, "pi400.py", BOARD.format(name="pi400", loader="pi"))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == "cm4:arm64:pi pi4:arm64:pi pi400:arm64:pi pxe:amd64:grub udoo_x86:amd64:grub\n"


def test_new_file_that_is_wrong_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    shown = _boards_with(tmp_path, "pi400.py", BOARD.format(name="pi4OO", loader="u-boot"))
    assert shown.returncode != 0
    assert shown.stderr.endswith(
        "ValueError: Boards in plugin_utils/_boards are not right:\n"
        "  pi400.py: loader is 'u-boot'; expected one of grub, pi\n"
        "  pi400.py: firmware is there; expected none, because the loader is u-boot\n"
        "  pi400.py: name is 'pi4OO'; expected that of the file\n"
    )


CORRECT = Board("pi400", "arm64", "pi", ("ttyS1",), ("genet",), PiFirmware("pi400", "bcm2711-rpi-400.dtb"))


@pytest.mark.parametrize(
    ("board", "problem"),
    [
        (replace(CORRECT, arch="aarch64"), "arch is 'aarch64'; expected one of amd64, arm64"),  # type: ignore[arg-type]
        (replace(CORRECT, modules=()), "modules is (); expected a tuple of words"),
        (replace(CORRECT, modules="genet"), "modules is 'genet'; expected a tuple of words"),  # type: ignore[arg-type]
        (replace(CORRECT, console=("tty 0",)), "console is ('tty 0',); expected a tuple of words"),
        (replace(CORRECT, firmware=None), "firmware is missing; expected PiFirmware, because the loader is pi"),
    ],
)
def test_board_says_what_is_wrong_with_it(board: Board, problem: str) -> None:
    assert CORRECT.problems() == []
    assert board.problems() == [problem]
