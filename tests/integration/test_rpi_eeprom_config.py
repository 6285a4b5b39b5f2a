# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rpi_eeprom_config on a board that stands in for a real one, and on images. It asks no cluster."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_tools
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_tools import digest_of, said_by_digest

from tests.fixtures.rpi_eeprom.stand_in import (
    FACTORY,
    IMAGE_TOOLS,
    Board,
    install,
    install_image_tools,
    read_image,
)
from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")

NETBOOT = {"BOOT_ORDER": 0xF2, "TFTP_PREFIX": 2, "NET_INSTALL_AT_POWER_ON": None}
CONFIGURED = FACTORY.replace("NET_INSTALL_AT_POWER_ON=1\n", "") + "BOOT_ORDER=0xf2\nTFTP_PREFIX=2\n"


@pytest.fixture
def run() -> ModuleRun:
    """Run the module on this machine."""
    return ModuleRun([])


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A Compute Module 4 with the vendor's tools and the update service enabled; this machine plays it."""
    board = install(tmp_path / "board")
    monkeypatch.setenv("PATH", f"{board.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CM4_ENABLE_RPI_EEPROM_UPDATE", "1")
    monkeypatch.setattr(_rpi_eeprom_tools, "FLASHED", tmp_path / "flashed.conf")
    return board


@pytest.fixture(params=IMAGE_TOOLS)
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    """Tools for images, and an image: those of the tests, and where they are at hand those of the vendor."""
    return install_image_tools(tmp_path / "board", request.param)


def test_board_takes_the_configuration_at_its_next_boot(run: ModuleRun, board: Board) -> None:
    result = run.converge("rpi_eeprom_config", config=NETBOOT)
    assert result["config_text"] == CONFIGURED
    assert result["diff"] == {"before": FACTORY, "after": CONFIGURED}
    assert (result["reboot_required"], result["pending"]) == (True, f"{board.boot}/pieeprom.upd")
    assert read_image(board.boot / "pieeprom.upd").decode() == CONFIGURED
    assert run("rpi_eeprom_config", config=NETBOOT)["reboot_required"] is True
    board.reboot()
    again = run("rpi_eeprom_config", config=NETBOOT)
    assert (again["changed"], again["reboot_required"], again["pending"]) == (False, False, None)


@pytest.mark.parametrize("check_mode", [True, False])
def test_module_on_which_the_vendor_refuses_updates(
    run: ModuleRun, board: Board, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    monkeypatch.delenv("CM4_ENABLE_RPI_EEPROM_UPDATE")
    with pytest.raises(ModuleFailed, match=r"refuses to update this board; .* put CM4_ENABLE_RPI_EEPROM_UPDATE=1 into"):
        run("rpi_eeprom_config", check_mode=check_mode, config=NETBOOT)
    assert list(board.boot.iterdir()) == []
    assert run("rpi_eeprom_config", config={"BOOT_UART": 0})["changed"] is False


def test_image_for_rpiboot_with_its_digest(run: ModuleRun, images: Board, tmp_path: Path) -> None:
    original = images.latest.read_bytes()
    image, digest = tmp_path / "pieeprom.bin", tmp_path / "pieeprom.sig"
    made = {"image": str(images.latest), "dest": str(image), "digest": str(digest)}
    options: dict[str, Any] = {"config": NETBOOT, "tools_directory": str(images.bin), **made}
    result = run.converge("rpi_eeprom_config", **options)
    assert result["config_text"] == CONFIGURED
    assert result["diff"]["before"] == ""
    assert result["diff"]["after"].endswith(f"# digest {digest_of(str(image))}\n{CONFIGURED}")
    assert result["bootloader"]["build_timestamp"] > 1_700_000_000
    assert images.latest.read_bytes() == original
    assert said_by_digest(str(digest)) == digest_of(str(image))
    info = run("rpi_eeprom_config_info", image=str(image), tools_directory=str(images.bin))
    assert (info["config_text"], info["problems"], info["advice"]) == (CONFIGURED, [], [])


def test_machine_without_the_tools(run: ModuleRun) -> None:
    if shutil.which("rpi-eeprom-config"):
        pytest.skip("this machine has the vendor's tools")
    with pytest.raises(ModuleFailed, match="rpi-eeprom-config is not installed: it is in the package rpi-eeprom of "):
        run("rpi_eeprom_config", config=NETBOOT)
