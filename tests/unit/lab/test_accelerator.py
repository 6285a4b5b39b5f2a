# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KVM is used when it works, not when it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import accelerator
from lab.errors import LabError


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISKLESS_CACHE", str(tmp_path))
    monkeypatch.delenv("LAB_ACCEL", raising=False)
    monkeypatch.setattr("os.access", lambda _path, _mode: True)


def boots(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> list[str]:
    """Let guests boot in that many seconds; return the list of what was tried."""
    tried: list[str] = []

    def boot(accel: str, limit: float) -> float | None:
        tried.append(accel)
        return seconds[accel] if seconds[accel] <= limit else None

    monkeypatch.setattr(accelerator, "_seconds_to_boot", boot)
    return tried


def test_kvm_that_boots_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, {"tcg": 0.1, "kvm": 0.2})
    assert accelerator.accelerator() == "kvm"


def test_kvm_that_crawls_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, {"tcg": 0.1, "kvm": 2.7})
    assert accelerator.accelerator() == "tcg"


def test_busy_machine_gives_kvm_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    boots(monkeypatch, {"tcg": 1.0, "kvm": 2.7})
    assert accelerator.accelerator() == "kvm"


def test_answer_is_remembered_until_the_machine_reboots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried = boots(monkeypatch, {"tcg": 0.1, "kvm": 9})
    assert [accelerator.accelerator(), accelerator.accelerator()] == ["tcg", "tcg"]
    assert tried == ["tcg", "kvm"]
    (tmp_path / "accelerator").write_text("another-boot kvm\n")
    assert accelerator.accelerator() == "tcg"


def test_person_may_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = boots(monkeypatch, {})
    monkeypatch.setenv("LAB_ACCEL", "kvm")
    assert accelerator.accelerator() == "kvm"
    assert tried == []
    monkeypatch.setenv("LAB_ACCEL", "xen")
    with pytest.raises(LabError, match=r"^LAB_ACCEL='xen': expected kvm or tcg$"):
        accelerator.accelerator()


def test_without_the_device_there_is_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = boots(monkeypatch, {})
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert accelerator.accelerator() == "tcg"
    assert tried == []


def test_boot_sector_has_the_size_and_the_signature_of_one() -> None:
    assert len(accelerator.BOOT_SECTOR) == 512
    assert accelerator.BOOT_SECTOR.endswith(b"\x55\xaa")
