# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel and an image tell of a bootloader."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rpi_eeprom_bootloader import (
    read_config,
    version,
    version_of_image,
)

VERSION = {"version": "224877da", "build_time": "2026-05-17T19:13:18Z", "build_timestamp": 1779045198}
UNKNOWN = {"version": None, "build_time": None, "build_timestamp": None}


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """The device tree of a board, in base, and its NVMEM devices, in nvmem, as the kernel lays them out."""
    properties = tmp_path / "base" / "chosen" / "bootloader"
    properties.mkdir(parents=True)
    (properties / "version").write_bytes(b"224877da\0")
    (properties / "build-timestamp").write_bytes((1779045198).to_bytes(4, "big"))
    (tmp_path / "base" / "aliases").mkdir()
    (tmp_path / "base" / "aliases" / "blconfig").write_bytes(b"/reserved-memory/nvram@0\0")
    for number, node in enumerate(("nvram@1", "nvram@0")):
        (tmp_path / "base" / "reserved-memory" / node).mkdir(parents=True)
        device = tmp_path / "nvmem" / f"rmem{number}"
        device.mkdir(parents=True)
        (device / "of_node").symlink_to(f"../../base/reserved-memory/{node}")
        (device / "nvmem").write_bytes(f"# of {node} \udcff\n".encode("utf-8", "surrogateescape"))
    (tmp_path / "nvmem" / "eeprom0").mkdir()
    return tmp_path


def test_configuration_is_that_of_the_device_that_the_device_tree_names(sysfs: Path) -> None:
    assert read_config(sysfs / "base", sysfs / "nvmem") == "# of nvram@0 \udcff\n"


def test_no_configuration_without_the_device(sysfs: Path) -> None:
    (sysfs / "nvmem" / "rmem1" / "of_node").unlink()
    assert read_config(sysfs / "base", sysfs / "nvmem") is None


def test_no_configuration_on_other_machines(tmp_path: Path) -> None:
    assert read_config(tmp_path, tmp_path) is None
    assert version(tmp_path) == UNKNOWN


def test_version_of_the_board(sysfs: Path) -> None:
    assert version(sysfs / "base") == VERSION


def test_version_in_an_image(tmp_path: Path) -> None:
    image = tmp_path / "pieeprom.bin"
    image.write_bytes(b"\xff\0VERSION:224877da\0DATE: 2026/05/17\0BUILD_TIMESTAMP=1779045198\0\xff")
    assert version_of_image(str(image)) == VERSION
    image.write_bytes(b"\xff")
    assert version_of_image(str(image)) == UNKNOWN
