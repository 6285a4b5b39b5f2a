# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_fsck with real file systems in files, which a stand-in for rbd "maps"."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephError
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Watcher
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState
from ansible_collections.diskless.ceph.plugins.modules import rbd_fsck

pytestmark = pytest.mark.skipif(not shutil.which("mke2fs", path="/usr/sbin:/sbin"), reason="no e2fsprogs")

NAME = ImageName("p", "pi3", "root")
IMAGE = Image(NAME, "1", 16 << 20, ("layering", "exclusive-lock"))
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


class Failed(Exception):
    """fail_json was called."""


class Module:
    """As much of AnsibleModule as C(run) uses."""

    def __init__(self, repair: str = "safe", check_mode: bool = False) -> None:
        params = {"pool": "p", "namespace": "pi3", "image": "root", "device_type": "krbd", "timeout": 60}
        self.params: dict[str, Any] = {**params, "repair": repair}
        self.check_mode = check_mode
        self.result: dict[str, Any] = {}

    def get_bin_path(self, name: str, required: bool = False) -> str | None:
        return shutil.which(name, path=PATH)

    def run_command(self, argv: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def fail_json(self, msg: str, **result: Any) -> None:
        self.result = result
        raise Failed(msg)


class Rbd:
    """A stand-in for the client: it maps a file, and forgets that when it is told to unmap."""

    def __init__(self, device: Path, image: Image = IMAGE, busy: int = 0) -> None:
        self.device, self.image, self.busy = device, image, busy
        self.said: list[str] = []

    def rbd(self, *words: str) -> str:
        self.said.append(" ".join(words))
        if words[1] == "unmap" and self.busy:
            self.busy -= 1
            raise CephError(("rbd", *words), "failed with rc 16", 16, "Device or resource busy")
        return f"{self.device}\n"


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A file with an ext4 file system in it."""
    path = tmp_path / "rbd0"
    run("mke2fs", "-q", "-F", "-t", "ext4", str(path), "16M")
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between tries."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def run(program: str, *args: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program, path=PATH)
    assert path
    return subprocess.run([path, *args], capture_output=True, text=True, check=False)


def damage(device: Path, inode: str) -> None:
    """Clear an inode. That of the root directory needs a decision."""
    run("debugfs", "-w", "-R", f"clri {inode}", str(device))


def fsck(monkeypatch: pytest.MonkeyPatch, client: Rbd, module: Module) -> dict[str, Any]:
    state = RbdState({"p": frozenset({"pi3"})}, {NAME: client.image}, frozenset({"p"}))
    monkeypatch.setattr(rbd_fsck, "read_rbd", lambda _client, _names: state)
    return rbd_fsck.run(module, cast(CephClient, client))


MAPPED = "device map --device-type krbd --exclusive p/pi3/root"


def test_clean_file_system_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    client = Rbd(device)
    result = fsck(monkeypatch, client, Module())
    assert (result["changed"], result["checked"], result["rc"]) == (False, True, 0)
    assert client.said == [MAPPED, f"device unmap --device-type krbd {device}"]


def test_damage_is_named_then_repaired_when_asked(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    damage(device, "<2>")
    client, module = Rbd(device), Module()
    with pytest.raises(Failed, match="the file system on image p/pi3/root has errors: it needs decisions"):
        fsck(monkeypatch, client, module)
    assert module.result["rc"] == 4
    assert client.said[-1].startswith("device unmap")
    assert fsck(monkeypatch, Rbd(device), Module("all"))["changed"] is True
    assert fsck(monkeypatch, Rbd(device), Module())["changed"] is False


def test_check_alone_writes_nothing(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    damage(device, "lost+found")
    before = device.read_bytes()
    client = Rbd(device)
    with pytest.raises(Failed, match="check it again with repair=safe"):
        fsck(monkeypatch, client, Module("none"))
    assert device.read_bytes() == before
    assert client.said[0] == "device map --device-type krbd --read-only p/pi3/root"


def test_check_mode_maps_nothing(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    client = Rbd(device)
    assert fsck(monkeypatch, client, Module(check_mode=True)) == {
        "changed": True,
        "checked": False,
        "device_type": "krbd",
    }
    assert client.said == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_image_in_use_is_not_mapped(monkeypatch: pytest.MonkeyPatch, device: Path, check_mode: bool) -> None:
    used = Image(**{**vars(IMAGE), "watchers": (Watcher("10.0.0.13:0/123", "client.4170"),)})
    client = Rbd(device, used)
    with pytest.raises(ValueError, match=r"is in use, watched by 10\.0\.0\.13:0/123"):
        fsck(monkeypatch, client, Module(check_mode=check_mode))
    assert client.said == []


def test_what_is_no_ext_file_system_is_unmapped_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "rbd0"
    empty.write_bytes(bytes(1 << 20))
    client = Rbd(empty)
    with pytest.raises(Failed, match="holds nothing that blkid knows"):
        fsck(monkeypatch, client, Module())
    assert client.said[-1].startswith("device unmap")


def test_device_that_is_busy_for_a_moment_is_unmapped(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    client = Rbd(device, busy=3)
    assert fsck(monkeypatch, client, Module())["checked"] is True
    assert len(client.said) == 5


def test_device_that_stays_mapped_is_a_failure_that_says_so(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    with pytest.raises(Failed) as raised:
        fsck(monkeypatch, Rbd(device, busy=99), Module())
    assert f"image p/pi3/root is still mapped on this machine as {device}" in str(raised.value)
    assert "before its host is switched on" in str(raised.value)


def test_device_is_unmapped_when_the_check_dies(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    def die(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rbd_fsck, "check", die)
    client = Rbd(device)
    with pytest.raises(KeyboardInterrupt):
        fsck(monkeypatch, client, Module())
    assert client.said[-1].startswith("device unmap")
