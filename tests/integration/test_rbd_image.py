# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image on a real cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.module_run import ModuleFailed, ModuleRun

FEATURES = ["layering", "exclusive-lock", "object-map", "fast-diff"]


@contextmanager
def watched(ceph: CephCluster, image: str) -> Iterator[None]:
    """Hold the image open, as a running host does."""
    script = (
        "import rados, rbd, sys\n"
        "cluster = rados.Rados(conffile=''); cluster.connect()\n"
        f"image = rbd.Image(cluster.open_ioctx('{POOL}'), '{image}')\n"
        "print('open', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [*ceph.launcher, "python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield
    finally:
        holder.communicate("", timeout=30)


def names(ceph: CephCluster) -> list[str]:
    return [str(name) for name in ceph.rbd("ls", POOL)]


def test_empty_image(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.converge("rbd_image", pool=POOL, name="empty", size="8MiB", features=FEATURES)
    assert result["image"] == {"size": 8 << 20, "features": FEATURES, "parent": None}
    info = ceph.rbd("info", f"{POOL}/empty")
    assert (info["size"], info["features"]) == (8 << 20, FEATURES)


def test_image_in_a_namespace_that_does_not_exist_yet(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("rbd_image", pool=POOL, namespace="ns1", name="i", size="1MiB", features=["layering"])
    assert ceph.rbd("ls", f"{POOL}/ns1") == ["i"]


def test_import_has_every_byte(module: ModuleRun, ceph: CephCluster, tmp_path: Path) -> None:
    source = tmp_path / "golden.raw"
    content = b"diskless" * 4096 + bytes(8 << 20) + b"end"
    source.write_bytes(content.ljust(9 << 20, b"\0"))
    ceph.run("rbd", "create", "--size", "1M", f"{POOL}/golden.part")  # what a run that died half-way leaves behind
    result = module.converge("rbd_image", pool=POOL, name="golden", source=str(source), size="16MiB", features=FEATURES)
    assert result["image"] == {"size": 16 << 20, "features": FEATURES, "parent": None}
    exported = subprocess.run(
        [*ceph.launcher, "rbd", "export", "--no-progress", f"{POOL}/golden", "-"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert exported.stdout == source.read_bytes().ljust(16 << 20, b"\0")
    assert "golden.part" not in names(ceph)


def test_import_that_somebody_is_writing_is_left_alone(module: ModuleRun, ceph: CephCluster, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.write_bytes(bytes(1 << 20))
    ceph.run("rbd", "create", "--size", "1M", f"{POOL}/busy.part")
    with (
        watched(ceph, "busy.part"),
        pytest.raises(ModuleFailed, match=r"busy\.part is being written by .* \(client\.\d"),
    ):
        module("rbd_image", pool=POOL, name="busy", source=str(source))


def test_missing_source_is_named(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match=f"image {POOL}/x: source /nonexistent is not a file"):
        module("rbd_image", check_mode=True, pool=POOL, name="x", source="/nonexistent")


def test_clone_in_a_namespace(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="parent", size="4MiB", features=FEATURES)
    module("rbd_snapshot", pool=POOL, image="parent", name="root", state="protected")
    parent = f"{POOL}/parent@root"
    module.converge(
        "rbd_image", pool=POOL, namespace="ns2", name="child", parent=parent, size="8MiB", features=FEATURES
    )
    info = ceph.rbd("info", f"{POOL}/ns2/child")
    assert (info["size"], info["parent"]["image"], info["op_features"]) == (8 << 20, "parent", ["clone-child"])


def test_growing_and_shrinking(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="sized", size="8MiB")
    module.converge("rbd_image", pool=POOL, name="sized", size="16MiB")
    with pytest.raises(ModuleFailed, match="shrinking cuts off data, set allow_shrink=true"):
        module("rbd_image", pool=POOL, name="sized", size="4MiB")
    with watched(ceph, "sized"), pytest.raises(ModuleFailed, match="it is in use, watched by 10"):
        module("rbd_image", pool=POOL, name="sized", size="4MiB", allow_shrink=True)
    assert ceph.rbd("info", f"{POOL}/sized")["size"] == 16 << 20
    module.converge("rbd_image", pool=POOL, name="sized", size="4MiB", allow_shrink=True)
    assert ceph.rbd("info", f"{POOL}/sized")["size"] == 4 << 20


def test_image_in_use_is_not_removed(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="used", size="1MiB", features=FEATURES)
    with watched(ceph, "used"), pytest.raises(ModuleFailed, match=r"used is in use, watched by .* \(client\.\d+\)"):
        module("rbd_image", pool=POOL, name="used", state="absent")
    module("rbd_snapshot", pool=POOL, image="used", name="s")
    with pytest.raises(ModuleFailed, match=f"image {POOL}/used has snapshots: remove s first"):
        module("rbd_image", pool=POOL, name="used", state="absent")
    assert "used" in names(ceph)
    module("rbd_snapshot", pool=POOL, image="used", name="s", state="absent")
    module.converge("rbd_image", pool=POOL, name="used", state="absent")
    assert "used" not in names(ceph)
