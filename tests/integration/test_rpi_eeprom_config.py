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
    write_image,
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


def test_second_change_builds_on_the_one_that_waits(run: ModuleRun, board: Board) -> None:
    run("rpi_eeprom_config", config=NETBOOT)
    result = run("rpi_eeprom_config", config={"BOOT_UART": 1})
    assert result["config_text"] == CONFIGURED.replace("BOOT_UART=0", "BOOT_UART=1")
    assert read_image(board.boot / "pieeprom.upd").decode() == result["config_text"]


def test_change_that_is_taken_back_before_the_boot_needs_none(run: ModuleRun, board: Board) -> None:
    run("rpi_eeprom_config", config={"BOOT_UART": 1})
    result = run("rpi_eeprom_config", config={"BOOT_UART": 0})
    assert (result["changed"], result["config_text"]) == (True, FACTORY)
    assert (result["reboot_required"], result["pending"]) == (False, None)


def test_eeprom_that_is_written_at_once_is_written_once(
    run: ModuleRun, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RPI_EEPROM_IMMEDIATE_UPDATE", "1")
    result = run.converge("rpi_eeprom_config", config=NETBOOT)
    assert (result["reboot_required"], result["pending"]) == (True, None)
    assert [read_image(image).decode() for image in board.flashed] == [CONFIGURED]
    run("rpi_eeprom_config", config={"BOOT_UART": 1})
    assert len(board.flashed) == 2
    board.reboot()
    (tmp_path / "flashed.conf").unlink()  # it is in /run
    again = run("rpi_eeprom_config", config={**NETBOOT, "BOOT_UART": 1})
    assert (again["changed"], again["reboot_required"]) == (False, False)


@pytest.mark.parametrize("setting", ["ENABLE_SELF_UPDATE=0", "FREEZE_VERSION=1"])
def test_bootloader_that_does_not_update_itself_is_warned_of(run: ModuleRun, board: Board, setting: str) -> None:
    board.running.write_text(f"{FACTORY}{setting}\n", encoding="utf-8")
    warning = f"the bootloader that is running has {setting}: on cm4 it takes no update at the next boot; write it at"
    assert warning in str(run("rpi_eeprom_config", config=NETBOOT)["warnings"])
    assert "warnings" not in run("rpi_eeprom_config", board="pi4", config={"BOOT_UART": 1})


def test_nothing_is_written_as_long_as_there_is_a_problem(run: ModuleRun, board: Board) -> None:
    with pytest.raises(ModuleFailed) as raised:
        run("rpi_eeprom_config", config={**NETBOOT, "DHCP_TIMEOUT": 100, "NETCONSOLE": "10.0.0.1", "BOOT_ODER": "0xf2"})
    assert [problem.split(":")[0] for problem in str(raised.value).split("; ")] == [
        "DHCP_TIMEOUT 100",
        "NETCONSOLE '10.0.0.1'",
        "BOOT_ODER is not documented",
        "did you mean BOOT_ORDER, BOOT_UART?",
    ]
    assert list(board.boot.iterdir()) == []


def test_image_is_changed_in_place(run: ModuleRun, images: Board, tmp_path: Path) -> None:
    image = tmp_path / "pieeprom.upd"
    shutil.copy(images.latest, image)
    image.chmod(0o640)
    options: dict[str, Any] = {"image": str(image), "tools_directory": str(images.bin)}
    netconsole = {"src_ip": "192.168.100.12", "dst_ip": "192.168.100.1"}
    run("rpi_eeprom_config", config={"NETCONSOLE": netconsole}, section="gpio7=0", **options)
    result = run.converge("rpi_eeprom_config", config=NETBOOT, **options)
    assert result["config_text"] == CONFIGURED + "[gpio7=0]\nNETCONSOLE=@192.168.100.12/,@192.168.100.1/\n"
    assert image.stat().st_mode & 0o777 == 0o640
    # What was written and taken back leaves the image as it was.
    back = {"BOOT_ORDER": None, "TFTP_PREFIX": None, "NET_INSTALL_AT_POWER_ON": 1}
    run("rpi_eeprom_config", config=back, **options)
    run("rpi_eeprom_config", config={"NETCONSOLE": None}, section="gpio7=0", **options)
    assert run("rpi_eeprom_config", config={}, **options)["config_text"] == f"{FACTORY}[gpio7=0]\n"


def test_newer_bootloader_alone_is_a_change(run: ModuleRun, board: Board, tmp_path: Path) -> None:
    image = tmp_path / "pieeprom.bin"
    options: dict[str, Any] = {"image": str(board.latest), "dest": str(image), "config": NETBOOT}
    run("rpi_eeprom_config", **options)
    board.latest.write_bytes(board.latest.read_bytes().replace(b"=1779045198", b"=1785847093"))
    diff = run.converge("rpi_eeprom_config", **options)["diff"]
    assert diff["before"] == f"# bootloader of 2026-05-17T19:13:18Z\n{CONFIGURED}"
    assert diff["after"] == f"# bootloader of 2026-08-04T12:38:13Z\n{CONFIGURED}"


def test_digest_of_another_image_is_replaced(run: ModuleRun, board: Board, tmp_path: Path) -> None:
    digest = tmp_path / "pieeprom.sig"
    digest.write_text("0123\nts: 1\n", encoding="utf-8")
    options: dict[str, Any] = {"image": str(board.latest), "digest": str(digest), "config": {"BOOT_UART": 0}}
    diff = run.converge("rpi_eeprom_config", **options)["diff"]
    assert "# digest 0123\n" in diff["before"]
    assert said_by_digest(str(digest)) == digest_of(str(board.latest))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "/nonexistent.bin"}, "^image /nonexistent.bin does not exist$"),
        ({"dest": "/nonexistent.bin"}, "missing parameter.* required by 'dest': image"),
        ({"digest": "/nonexistent.sig"}, "missing parameter.* required by 'digest': image"),
        ({"board": "pi3"}, "value of board must be one of: cm4, cm4s, pi4, pi400, got: pi3"),
    ],
)
def test_options_that_cannot_be_met(run: ModuleRun, board: Board, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModuleFailed, match=message):
        run("rpi_eeprom_config", config=NETBOOT, **options)


def test_image_that_is_none(run: ModuleRun, images: Board, tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(b"")
    with pytest.raises(ModuleFailed, match=r"short.bin cannot be read: .* got actual size 0 bytes"):
        run("rpi_eeprom_config", config=NETBOOT, image=f"{tmp_path}/short.bin", tools_directory=str(images.bin))


def test_signed_image_is_left_alone(run: ModuleRun, board: Board) -> None:
    write_image(board.latest, f"{FACTORY}SIGNED_BOOT=1\n".encode())
    before = board.latest.read_bytes()
    with pytest.raises(ModuleFailed, match="changed without a new signature it stops the board from booting"):
        run("rpi_eeprom_config", config=NETBOOT, image=str(board.latest))
    assert board.latest.read_bytes() == before
