# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_info on a file system that stands in for that of a diskless host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.modules import host_info

MOUNTINFO = """\
29 1 251:0 / / rw,relatime shared:1 - ext4 /dev/rbd0 rw,stripe=16
66 29 0:47 / /boot rw,nosuid,nodev,noatime shared:152 - nfs4 10.77.0.3:/boot/udoo1 rw,vers=4.2,softerr
"""


class Module:
    """As much of AnsibleModule as it uses."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def module() -> Module:
    return Module()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel and the initramfs show."""
    monkeypatch.setattr(host_info, "ROOT", tmp_path)
    for path, text in (
        ("proc/self/mountinfo", MOUNTINFO),
        ("run/diskless/network", "MAC='52:54:00:77:00:11'\nNAMESERVERS=''\nNIC='eno1'\n"),
        ("sys/class/net/eno1/mtu", "9000\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_boot_tree_is_mounted(root: Path) -> None:
    assert host_info.mounts()["boot_mounted"] is True


@pytest.mark.parametrize("change", [("nfs4 10.77.0.3:/boot/udoo1", "ext4 /dev/sda1"), (" /boot ", " /boot/efi ")])
def test_boot_that_is_something_else_is_not_the_boot_tree(root: Path, change: tuple[str, str]) -> None:
    (root / "proc/self/mountinfo").write_text(MOUNTINFO.replace(*change), encoding="utf-8")
    assert host_info.mounts()["boot_mounted"] is False


def test_mtu_is_that_of_the_card_that_the_initramfs_brought_up(root: Path) -> None:
    assert host_info.mtu() == 9000


@pytest.mark.parametrize("network", [None, "", "NIC=''\n", "NIC='eno2'\n", "NIC='../../..'\n"])
def test_mtu_of_no_card_is_not_known(root: Path, network: str | None) -> None:
    path = root / "run/diskless/network"
    path.unlink() if network is None else path.write_text(network, encoding="utf-8")
    assert host_info.mtu() is None


def test_what_takes_too_long_or_fails_is_not_known_and_a_warning(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_info, "SECONDS", 0.3)
    began = time.monotonic()
    assert host_info.in_time(module, "slow", lambda: time.sleep(60)) is None
    assert host_info.in_time(module, "broken", lambda: 1 / 0) is None
    assert host_info.in_time(module, "quick", lambda: [1]) == [1]
    assert module.warnings == ["slow: no answer within 0.3 s", "broken: ZeroDivisionError: division by zero"]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("said", "state", "failed"),
    [("running\n", "running", ["running"]), ("", "unknown", []), (None, "unknown", None)],
)
def test_systemd_that_does_not_answer_is_unknown(
    module: Any, monkeypatch: pytest.MonkeyPatch, said: str | None, state: str, failed: list[str] | None
) -> None:
    monkeypatch.setattr(host_info, "output", lambda *_args, **_options: said)
    assert (host_info.system_state(module), host_info.failed_units(module)) == (state, failed)
