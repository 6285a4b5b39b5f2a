# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_fsck on images of a real cluster. No kernel maps them here: a launcher stands in for the mapping alone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

# "Maps" by copying the image into a file, and "unmaps" by copying that file to the image DIR/unmapped names.
LAUNCHER = """#!/bin/sh
set -eu
directory=$1; shift
for last; do :; done
case " $* " in
*" device map "*) {real} rbd export --no-progress "$last" - >"$directory/device"; echo "$directory/device" ;;
*" device unmap "*) {real} rbd import --no-progress - {pool}/checked <"$last"; rm "$last" ;;
*) exec {real} "$@" ;;
esac
"""


@pytest.fixture
def checked(ceph: CephCluster, tmp_path: Path) -> ModuleRun:
    """Runs the module with a launcher that stands in for the kernel; what it "unmaps" becomes the image checked."""
    script = tmp_path / "launcher"
    script.write_text(LAUNCHER.format(real=" ".join(ceph.launcher), pool=POOL))
    script.chmod(0o755)
    return ModuleRun([str(script), str(tmp_path)])


def make_image(ceph: CephCluster, name: str, tmp_path: Path, *damage: str) -> None:
    """Make an image with an ext4 file system."""
    source = tmp_path / "source"
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", str(source), "16M"], check=True)
    for command in damage:
        subprocess.run(["/usr/sbin/debugfs", "-w", "-R", command, str(source)], check=True, capture_output=True)
    with source.open("rb") as file:
        subprocess.run(
            [*ceph.launcher, "rbd", "import", "--no-progress", "-", f"{POOL}/{name}"], stdin=file, check=True
        )


def test_damaged_file_system_is_repaired_and_the_image_is_free_again(
    checked: ModuleRun, ceph: CephCluster, tmp_path: Path
) -> None:
    make_image(ceph, "damaged", tmp_path, "clri <2>")
    given: dict[str, Any] = {"pool": POOL, "image": "damaged", "device_type": "krbd"}
    announced = checked("rbd_fsck", check_mode=True, repair="all", **given)
    assert (announced["changed"], announced["checked"]) == (True, False)
    assert checked("rbd_fsck", repair="all", **given)["changed"] is True
    try:
        assert list(tmp_path.glob("device")) == []
        assert ceph.rbd("status", f"{POOL}/damaged")["watchers"] == []
        repaired = tmp_path / "repaired"
        with repaired.open("wb") as file:
            subprocess.run(
                [*ceph.launcher, "rbd", "export", "--no-progress", f"{POOL}/checked", "-"], stdout=file, check=True
            )
        assert (
            subprocess.run(["/usr/sbin/e2fsck", "-fn", str(repaired)], capture_output=True, check=False).returncode == 0
        )
    finally:
        ceph.run("rbd", "rm", "--no-progress", f"{POOL}/checked")


def test_image_that_a_client_uses_is_refused(checked: ModuleRun, module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="busy-fsck", size="16MiB", features=["layering", "exclusive-lock"])
    with hold_image(ceph, "busy-fsck"), pytest.raises(ModuleFailed, match=f"image {POOL}/busy-fsck is in use"):
        checked("rbd_fsck", pool=POOL, image="busy-fsck", device_type="krbd")


def test_image_that_does_not_exist_is_named(checked: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match=r"image .*/absent does not exist"):
        checked("rbd_fsck", pool=POOL, image="absent", device_type="krbd")
