# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rpi_eeprom_config_info on a board that stands in for a real one, and on images. It asks no cluster."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_bootloader, _rpi_eeprom_tools

from tests.fixtures.rpi_eeprom.stand_in import FACTORY, Board, install, write_image
from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")

CONF = """\
[all]
BOOT_UART=0
BOOT_ORDER=0x21
TFTP_FILE_TIMEOUT=300
[cm4]
BOOT_ORDER=0xf2
[gpio7=0]
NETCONSOLE=@192.168.100.12/,@192.168.100.1/
"""
PROBLEM = "[all] line 4: TFTP_FILE_TIMEOUT '300': expected a number, at least 5000 (milliseconds)"


@pytest.fixture
def read() -> ModuleRun:
    """Run the module on this machine."""
    return ModuleRun([])


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A board with the vendor's tools, which this machine plays."""
    board = install(tmp_path / "board")
    monkeypatch.setenv("PATH", f"{board.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CM4_ENABLE_RPI_EEPROM_UPDATE", "1")
    monkeypatch.setattr(_rpi_eeprom_tools, "FLASHED", tmp_path / "flashed.conf")
    board.running.write_text(CONF, encoding="utf-8")
    return board


def test_board_with_the_tools(read: ModuleRun, board: Board) -> None:
    result = read("rpi_eeprom_config_info")
    assert (result["changed"], result["source"], result["config_text"]) == (False, "rpi-eeprom-config", CONF)
    assert result["sections"] == [
        {"filters": [], "config": {"BOOT_UART": "0", "BOOT_ORDER": "0x21", "TFTP_FILE_TIMEOUT": "300"}},
        {"filters": ["cm4"], "config": {"BOOT_ORDER": "0xf2"}},
        {"filters": ["cm4", "gpio7=0"], "config": {"NETCONSOLE": "@192.168.100.12/,@192.168.100.1/"}},
    ]
    assert result["effective"] == {"BOOT_UART": "0", "BOOT_ORDER": "0xf2", "TFTP_FILE_TIMEOUT": "300"}
    assert (result["problems"], result["advice"], result["pending"]) == ([PROBLEM], [], None)
    assert read("rpi_eeprom_config_info", check_mode=True)["sections"] == result["sections"]


def test_what_counts_depends_on_board_and_filters(read: ModuleRun, board: Board) -> None:
    pi4 = read("rpi_eeprom_config_info", board="pi4", filters=["gpio7=0"])
    assert pi4["effective"]["BOOT_ORDER"] == "0x21"
    assert "NETCONSOLE" not in pi4["effective"]
    assert pi4["advice"][0].startswith("BOOT_ORDER 0x21: without RESTART (f)")
    assert "NETCONSOLE" in read("rpi_eeprom_config_info", filters=["gpio7=0"])["effective"]


def test_what_the_next_boot_takes(read: ModuleRun, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = read("rpi_eeprom_config", config={"BOOT_UART": 1})["config_text"]
    pending = {"path": f"{board.boot}/pieeprom.upd", "config_text": changed}
    assert read("rpi_eeprom_config_info")["pending"] == pending
    (board.boot / "pieeprom.upd").unlink()
    assert read("rpi_eeprom_config_info")["pending"] is None
    monkeypatch.setenv("RPI_EEPROM_IMMEDIATE_UPDATE", "1")
    read("rpi_eeprom_config", config={"BOOT_UART": 1})
    assert read("rpi_eeprom_config_info")["pending"] == {"path": None, "config_text": changed}
    board.running.write_text(changed, encoding="utf-8")
    assert read("rpi_eeprom_config_info")["pending"] is None


def test_image(read: ModuleRun, board: Board) -> None:
    write_image(board.latest, CONF.encode())
    result = read("rpi_eeprom_config_info", image=str(board.latest))
    assert (result["source"], result["config_text"], result["problems"]) == ("image", CONF, [PROBLEM])
    assert result["bootloader"] == {
        "version": "224877da",
        "build_time": "2026-05-17T19:13:18Z",
        "build_timestamp": 1779045198,
    }


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the whole PATH."""
    if shutil.which("rpi-eeprom-config") or shutil.which("vcgencmd"):
        pytest.skip("this machine has the vendor's tools")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_board_without_the_tools_is_asked_through_the_kernel(
    read: ModuleRun, debian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rpi_eeprom_bootloader, "read_config", lambda: CONF)
    result = read("rpi_eeprom_config_info")
    assert (result["source"], result["config_text"], result["pending"]) == ("nvmem", CONF, None)


def test_vcgencmd_is_the_last_way(read: ModuleRun, debian: Path) -> None:
    program = debian / "vcgencmd"
    program.write_text(f'#!/bin/sh\ntest "$1" = bootloader_config && printf %s "{FACTORY}"\n', encoding="utf-8")
    program.chmod(0o755)
    result = read("rpi_eeprom_config_info")
    assert (result["source"], result["config_text"]) == ("vcgencmd", FACTORY)


def test_machine_that_is_no_such_board(read: ModuleRun, debian: Path) -> None:
    with pytest.raises(ModuleFailed, match="cannot be read: no rpi-eeprom-config, no vcgencmd and no NVMEM device; is"):
        read("rpi_eeprom_config_info")
