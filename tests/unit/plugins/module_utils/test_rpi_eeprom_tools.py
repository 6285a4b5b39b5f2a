# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's tools: what is made of an image is what they read back, and what they refuse is not taken for done."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _rpi_eeprom_tools
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_checks import MAXIMUM_BYTES
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_keys import KEYS
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_plan import Wish, plan
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_tools import (
    Answer,
    EepromError,
    VendorTools,
    digest_of,
    said_by_digest,
    write_text,
)

from tests.fixtures.rpi_eeprom.stand_in import FACTORY, IMAGE_TOOLS, Board, install, install_image_tools, write_image

SETTINGS = {"BOOT_ORDER": "0xf2", "TFTP_PREFIX": 2, "NETCONSOLE": {"src_ip": "10.0.0.5"}, "BOOT_UART": None}


def tools_of(board: Board) -> VendorTools:
    def run(*command: str) -> Answer:
        words = [str(board.bin / command[0]), *command[1:]]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
        return Answer(
            done.returncode, *(text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
        )

    return VendorTools(run)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """A Compute Module 4 whose update service is enabled."""
    return install(tmp_path / "board")


@pytest.fixture(params=IMAGE_TOOLS)
def image_tools(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    """Tools for images, and an image: those of the tests, and where they are at hand those of the vendor."""
    return install_image_tools(tmp_path / "board", request.param)


def test_image_is_made_with_what_was_planned(image_tools: Board, tmp_path: Path) -> None:
    tools = tools_of(image_tools)
    before = tools.of_image(str(image_tools.latest))
    wanted = plan(before, Wish(SETTINGS)).after.text
    write_text(str(tmp_path / "boot.conf"), wanted)
    tools.write_image(str(image_tools.latest), str(tmp_path / "boot.conf"), str(tmp_path / "new.bin"))
    assert tools.of_image(str(tmp_path / "new.bin")) == wanted != before
    assert tools.of_image(str(image_tools.latest)) == before


def test_any_configuration_that_is_allowed_is_read_back(image_tools: Board, tmp_path: Path) -> None:
    tools = tools_of(image_tools)
    image, config = str(image_tools.latest), str(tmp_path / "boot.conf")
    draw = random.Random(1)  # noqa: S311
    for size in (0, 7, 100, MAXIMUM_BYTES):
        text = "".join(draw.choices([*KEYS, "=", "1", "\n", "\r\n", "ü", "\udcff", "\0", "[all]\n", "#"], k=size))
        text = text.encode("utf-8", "surrogateescape")[:size].decode("utf-8", "surrogateescape")
        write_text(config, text)
        tools.write_image(image, config, str(tmp_path / "new.bin"))
        assert tools.of_image(str(tmp_path / "new.bin")) == text
        # What is read back and written again is the same image: a second run changes nothing.
        tools.write_image(str(tmp_path / "new.bin"), config, str(tmp_path / "again.bin"))
        assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "new.bin").read_bytes()


def test_vendor_refuses_one_byte_more_than_the_check_does(image_tools: Board, tmp_path: Path) -> None:
    (tmp_path / "boot.conf").write_text("#" * (MAXIMUM_BYTES + 1), encoding="utf-8")
    with pytest.raises(EepromError, match=r"cannot be given this configuration: .* is too large \(4077 bytes\)"):
        tools_of(image_tools).write_image(
            str(image_tools.latest), str(tmp_path / "boot.conf"), str(tmp_path / "new.bin")
        )


def test_image_of_another_size_is_refused(image_tools: Board, tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(b"short")
    with pytest.raises(EepromError, match=r"short.bin cannot be read: rpi-eeprom-config .* got actual size 5 bytes"):
        tools_of(image_tools).of_image(str(tmp_path / "short.bin"))


def test_digest_is_of_its_image(image_tools: Board, tmp_path: Path) -> None:
    digest = str(tmp_path / "pieeprom.sig")
    assert said_by_digest(digest) == ""
    tools_of(image_tools).write_digest(str(image_tools.latest), digest)
    assert said_by_digest(digest) == digest_of(str(image_tools.latest))


def test_missing_image(board: Board, tmp_path: Path) -> None:
    with pytest.raises(EepromError, match=r"^image .*/none.bin does not exist$"):
        tools_of(board).of_image(str(tmp_path / "none.bin"))


def test_board_reports_what_it_has_booted_with(board: Board) -> None:
    assert tools_of(board).running() == FACTORY


def test_refusal_that_looks_like_success_is_an_error(board: Board, tmp_path: Path) -> None:
    with pytest.raises(
        EepromError, match=r"put CM4_ENABLE_RPI_EEPROM_UPDATE=1 into .* It says: rpi-eeprom-update is not"
    ):
        tools_of(board).apply(str(tmp_path / "boot.conf"))
    assert list(board.boot.iterdir()) == []


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates of a Compute Module 4 are enabled."""
    monkeypatch.setenv("CM4_ENABLE_RPI_EEPROM_UPDATE", "1")


@pytest.mark.usefixtures("enabled")
def test_update_waits_for_the_next_boot(board: Board, tmp_path: Path) -> None:
    tools = tools_of(board)
    (tmp_path / "boot.conf").write_text("A=1\n", encoding="utf-8")
    assert tools.waiting(FACTORY) is None
    pending = str(board.boot / "pieeprom.upd")
    assert tools.apply(str(tmp_path / "boot.conf")) == pending
    assert tools.waiting(FACTORY) == pending
    assert tools.of_image(pending) == "A=1\n"


@pytest.mark.usefixtures("enabled")
def test_update_that_was_taken_does_not_wait(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tools_of(board)
    (tmp_path / "boot.conf").write_text("A=1\n", encoding="utf-8")
    tools.apply(str(tmp_path / "boot.conf"))
    # The file remains where no service removes it. vcgencmd ends the text with one more line.
    assert tools.waiting("A=1\n\n") is None
    for time, waits in ((1779045198, False), (1779045197, True)):
        monkeypatch.setattr(_rpi_eeprom_tools, "version", lambda time=time: {"build_timestamp": time})
        assert bool(tools.waiting("A=1\n")) is waits


@pytest.mark.usefixtures("enabled")
def test_update_with_another_configuration_is_an_error(board: Board, tmp_path: Path) -> None:
    (tmp_path / "boot.conf").write_text("A=1\n", encoding="utf-8")
    board_tools = tools_of(board)

    def run(*command: str) -> Answer:
        answer = board_tools._run(*command)
        if "--apply" in command:
            write_image(board.boot / "pieeprom.upd", b"A=2\n")
        return answer

    with pytest.raises(EepromError, match=r"--apply has left an update without the configuration in .*/pieeprom.upd"):
        VendorTools(run).apply(str(tmp_path / "boot.conf"))


def test_image_that_was_made_without_the_configuration_is_an_error(board: Board, tmp_path: Path) -> None:
    (tmp_path / "boot.conf").write_text("A=1\n", encoding="utf-8")
    board_tools = tools_of(board)

    def run(*command: str) -> Answer:
        return board_tools._run(*command) if command[1] == "--config" else Answer(0, "A=2\n", "")

    with pytest.raises(EepromError, match="an image without the configuration that was given"):
        VendorTools(run).write_image(str(board.latest), str(tmp_path / "boot.conf"), str(tmp_path / "new.bin"))


def test_boot_partition_that_is_not_there(board: Board) -> None:
    board.boot.rmdir()
    with pytest.raises(EepromError, match=r"^the boot partition cannot be found: rpi-eeprom-update -b: BOOTFS: "):
        tools_of(board).pending()
