# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image on a real cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

FEATURES = ["layering", "exclusive-lock", "object-map", "fast-diff"]


def names(ceph: CephCluster) -> list[str]:
    return [str(name) for name in ceph.rbd("ls", POOL)]


def described(size: int, **other: Any) -> dict[str, Any]:
    return {"size": size, "features": FEATURES, "parent": None, "data_pool": None, "metadata": {}, **other}


@pytest.fixture(scope="module")
def data_pool(ceph: CephCluster) -> str:
    """A second pool for data."""
    name = "rbd-image-data"
    ceph.run("ceph", "osd", "pool", "create", name, "4")
    ceph.run("ceph", "osd", "pool", "application", "enable", name, "rbd")
    return name


@pytest.fixture(scope="module")
def parent(module: ModuleRun) -> str:
    """A snapshot to clone, of 4 MiB."""
    metadata = {"suite": "bookworm", "role": "golden"}
    module("rbd_image", pool=POOL, name="parent", size="4MiB", features=FEATURES, metadata=metadata)
    module("rbd_snapshot", pool=POOL, image="parent", name="root", state="protected")
    return f"{POOL}/parent@root"


def test_empty_image(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.converge("rbd_image", pool=POOL, name="empty", size="8MiB", features=FEATURES)
    assert result["image"] == described(8 << 20)
    info = ceph.rbd("info", f"{POOL}/empty")
    assert (info["size"], info["features"]) == (8 << 20, FEATURES)


def test_features_of_a_new_image_are_foreseen(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("rbd", "config", "pool", "set", POOL, "rbd_default_features", "layering,exclusive-lock")
    try:
        result = module.converge("rbd_image", pool=POOL, name="foreseen", size="1MiB")
    finally:
        ceph.run("rbd", "config", "pool", "rm", POOL, "rbd_default_features")
    foreseen = result["diff"]["after"][f"{POOL}/foreseen"]["features"]
    assert foreseen == result["image"]["features"] == ceph.rbd("info", f"{POOL}/foreseen")["features"]
    result = module.converge("rbd_image", pool=POOL, name="usual", size="1MiB")
    assert result["diff"]["after"][f"{POOL}/usual"] == result["image"]
    assert "deep-flatten" in result["image"]["features"]


def test_image_in_a_namespace_that_does_not_exist_yet(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("rbd_image", pool=POOL, namespace="ns1", name="i", size="1MiB", features=["layering"])
    assert ceph.rbd("ls", f"{POOL}/ns1") == ["i"]


def test_many_images_in_one_task(module: ModuleRun, ceph: CephCluster, parent: str) -> None:
    images: list[dict[str, Any]] = [
        {"name": "one", "size": "1MiB"},
        {"name": "two", "namespace": "many"},
        {"name": "three", "namespace": "many", "parent": parent, "size": "8MiB", "metadata": {"role": None}},
        {"name": "four", "namespace": "other", "metadata": {"a": "b"}},
    ]
    result = module.converge("rbd_image", pool=POOL, size="2MiB", features=FEATURES, images=images)
    expected = {
        f"{POOL}/one": described(1 << 20),
        f"{POOL}/many/two": described(2 << 20),
        f"{POOL}/many/three": described(8 << 20, parent=parent, metadata={"suite": "bookworm"}),
        f"{POOL}/other/four": described(2 << 20, metadata={"a": "b"}),
    }
    assert result["images"] == result["diff"]["after"] == expected
    assert result["diff"]["before"] == dict.fromkeys(expected)
    assert sorted(ceph.rbd("ls", f"{POOL}/many")) == ["three", "two"]
    gone = [{**item, "state": "absent"} for item in images]
    module.converge("rbd_image", pool=POOL, images=gone)
    assert ceph.rbd("ls", f"{POOL}/many") == []


def test_all_problems_are_told_before_anything_is_done(module: ModuleRun, ceph: CephCluster) -> None:
    images = [
        {"name": "fine"},
        {"name": "poolless", "pool": "rbd-test"},
        {"name": "shapeless", "size": "1GB"},
        {"name": "fine", "size": "2MiB"},
        {"name": "clone", "parent": f"{POOL}/empty@never"},
        {"name": "apart", "data_pool": "nowhere"},
    ]
    with pytest.raises(ModuleFailed) as failed:
        module("rbd_image", pool=POOL, size="1MiB", images=images)
    assert str(failed.value).split("; ") == [
        "size '1GB': expected bytes or a string such as 32GiB",
        "image rbd-test/poolless: pool rbd-test does not exist",
        f"did you mean {POOL}?",
        f"image {POOL}/fine is listed more than once",
        f"image {POOL}/clone: parent {POOL}/empty@never does not exist",
        f"image {POOL}/apart: data pool nowhere does not exist",
    ]
    assert "fine" not in names(ceph)


@pytest.mark.parametrize("bindings", [True, False])
def test_failures_of_all_images_are_told_together(module: ModuleRun, ceph: CephCluster, bindings: bool) -> None:
    """No object map has room for that many objects; only Ceph knows that."""
    fine = f"fine-{bindings}".lower()
    images = [{"name": fine, "size": "1MiB"}, {"name": "a"}, {"name": "b"}]
    with pytest.raises(ModuleFailed) as failed:
        module("rbd_image", pool=POOL, size="2PiB", features=FEATURES, images=images, bindings=bindings)
    assert f"cannot create image {POOL}/a: " in str(failed.value)
    assert f"; cannot create image {POOL}/b: " in str(failed.value)
    assert fine in names(ceph)


def test_import_has_every_byte(module: ModuleRun, ceph: CephCluster, tmp_path: Path) -> None:
    source = tmp_path / "golden.raw"
    content = b"diskless" * 4096 + bytes(8 << 20) + b"end"
    source.write_bytes(content.ljust(9 << 20, b"\0"))
    ceph.run("rbd", "create", "--size", "1M", f"{POOL}/golden.part")  # what a run that died half-way leaves behind
    wanted: dict[str, Any] = {"source": str(source), "features": FEATURES, "metadata": {"suite": "bookworm"}}
    result = module.converge("rbd_image", pool=POOL, name="golden", size="16MiB", **wanted)
    assert result["image"] == described(16 << 20, metadata={"suite": "bookworm"})
    exported = subprocess.run(
        [*ceph.launcher, "rbd", "export", "--no-progress", f"{POOL}/golden", "-"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert exported.stdout == source.read_bytes().ljust(16 << 20, b"\0")
    assert "golden.part" not in names(ceph)


def test_import_takes_its_size_from_the_file(module: ModuleRun, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.write_bytes(b"x" * 4096 + bytes(3 << 20))
    result = module.converge("rbd_image", pool=POOL, name="sized-by-file", source=str(source), features=FEATURES)
    assert result["image"]["size"] == (3 << 20) + 4096


def test_import_that_somebody_is_writing_is_left_alone(module: ModuleRun, ceph: CephCluster, tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.write_bytes(bytes(1 << 20))
    ceph.run("rbd", "create", "--size", "1M", f"{POOL}/busy.part")
    with (
        hold_image(ceph, "busy.part"),
        pytest.raises(ModuleFailed, match=r"busy\.part is being written by .* \(client\.\d"),
    ):
        module("rbd_image", pool=POOL, name="busy", source=str(source))


def test_missing_source_is_named(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match=f"image {POOL}/x: source /nonexistent is not a file"):
        module("rbd_image", check_mode=True, pool=POOL, name="x", source="/nonexistent")


def test_clone_in_a_namespace(module: ModuleRun, ceph: CephCluster, parent: str) -> None:
    module.converge(
        "rbd_image", pool=POOL, namespace="ns2", name="child", parent=parent, size="8MiB", features=FEATURES
    )
    info = ceph.rbd("info", f"{POOL}/ns2/child")
    assert (info["size"], info["parent"]["image"], info["op_features"]) == (8 << 20, "parent", ["clone-child"])
    assert ceph.rbd("image-meta", "ls", f"{POOL}/ns2/child") == {"suite": "bookworm", "role": "golden"}


def test_features_of_a_clone_are_foreseen(module: ModuleRun, parent: str) -> None:
    result = module.converge("rbd_image", pool=POOL, name="usual-clone", parent=parent)
    assert result["diff"]["after"][f"{POOL}/usual-clone"] == result["image"]


def test_clone_is_flattened(module: ModuleRun, ceph: CephCluster, parent: str) -> None:
    module("rbd_image", pool=POOL, name="flat", parent=parent, features=FEATURES)
    assert "parent" in ceph.rbd("info", f"{POOL}/flat")
    result = module.converge("rbd_image", pool=POOL, name="flat", parent=parent, state="flattened")
    assert (result["diff"]["before"][f"{POOL}/flat"]["parent"], result["image"]["parent"]) == (parent, None)
    assert "parent" not in ceph.rbd("info", f"{POOL}/flat")
    module.converge("rbd_image", pool=POOL, name="copy", parent=parent, state="flattened", features=FEATURES)
    assert "parent" not in ceph.rbd("info", f"{POOL}/copy")


def test_data_in_another_pool(module: ModuleRun, ceph: CephCluster, data_pool: str) -> None:
    wanted: dict[str, Any] = {"pool": POOL, "name": "apart", "size": "1MiB", "features": FEATURES}
    result = module.converge("rbd_image", data_pool=data_pool, **wanted)
    assert result["image"] == described(1 << 20, data_pool=data_pool)
    assert ceph.rbd("info", f"{POOL}/apart")["data_pool"] == data_pool
    with pytest.raises(ModuleFailed, match=f"has its data in pool {data_pool}, wanted is {POOL}: the data pool"):
        module("rbd_image", data_pool=POOL, **wanted)


def test_metadata_is_set_and_removed_by_key(module: ModuleRun, ceph: CephCluster) -> None:
    image = f"{POOL}/tagged"
    module.converge(
        "rbd_image", pool=POOL, name="tagged", size="1MiB", features=FEATURES, metadata={"-a": -1, "b": "x y"}
    )
    ceph.run("rbd", "image-meta", "set", image, "other", "untouched")
    result = module.converge("rbd_image", pool=POOL, name="tagged", metadata={"-a": None, "b": "ä'\"$", "never": None})
    assert ceph.rbd("image-meta", "ls", image) == {"b": "ä'\"$", "other": "untouched"} == result["image"]["metadata"]


def test_growing_and_shrinking(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="sized", size="8MiB")
    module.converge("rbd_image", pool=POOL, name="sized", size="16MiB")
    with pytest.raises(ModuleFailed, match="shrinking cuts off data, set allow_shrink=true"):
        module("rbd_image", pool=POOL, name="sized", size="4MiB")
    with hold_image(ceph, "sized"), pytest.raises(ModuleFailed, match="it is in use, watched by 1"):
        module("rbd_image", pool=POOL, name="sized", size="4MiB", allow_shrink=True)
    assert ceph.rbd("info", f"{POOL}/sized")["size"] == 16 << 20
    module.converge("rbd_image", pool=POOL, name="sized", size="4MiB", allow_shrink=True)
    assert ceph.rbd("info", f"{POOL}/sized")["size"] == 4 << 20


def test_image_in_use_is_grown(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="growing", size="8MiB", features=FEATURES)
    with hold_image(ceph, "growing"):
        module.converge("rbd_image", pool=POOL, name="growing", size="16MiB", metadata={"a": "b"})
    assert ceph.rbd("info", f"{POOL}/growing")["size"] == 16 << 20


def test_image_in_use_is_not_removed(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="used", size="1MiB", features=FEATURES)
    with hold_image(ceph, "used"), pytest.raises(ModuleFailed, match=r"used is in use, watched by .* \(client\.\d+\)"):
        module("rbd_image", pool=POOL, name="used", state="absent")
    ceph.run("rbd", "snap", "create", f"{POOL}/used@s")
    with pytest.raises(ModuleFailed, match=f"image {POOL}/used has snapshots: remove s first"):
        module("rbd_image", pool=POOL, name="used", state="absent", bindings=False)
    assert "used" in names(ceph)
    ceph.run("rbd", "snap", "rm", "--no-progress", f"{POOL}/used@s")
    module.converge("rbd_image", pool=POOL, name="used", state="absent")
    assert "used" not in names(ceph)


def test_image_locked_by_hand_is_left_alone(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="locked", size="1MiB", features=FEATURES)
    ceph.run("rbd", "lock", "add", f"{POOL}/locked", "mine")
    for wanted in ({"state": "absent"}, {"size": "2MiB"}, {"metadata": {"a": "b"}}):
        with pytest.raises(
            ModuleFailed, match=r"is locked by .* \(client\.\d+, lock 'mine'\).*: break that lock first"
        ):
            module("rbd_image", pool=POOL, name="locked", **wanted)
    locker = ceph.rbd("lock", "ls", f"{POOL}/locked")[0]["locker"]
    ceph.run("rbd", "lock", "rm", f"{POOL}/locked", "mine", locker)
    module.converge("rbd_image", pool=POOL, name="locked", state="absent")


def test_image_gets_another_name_with_all_that_belongs_to_it(module: ModuleRun, ceph: CephCluster, parent: str) -> None:
    where: dict[str, Any] = {"pool": POOL, "namespace": "renamed"}
    module("rbd_image", name="root", parent=parent, **where)
    module("rbd_snapshot", image="root", name="before", **where)
    image_id = ceph.rbd("info", f"{POOL}/renamed/root")["id"]
    module.converge("rbd_image", name="root-old", renamed_from="root", **where)
    assert ceph.rbd("ls", f"{POOL}/renamed") == ["root-old"]
    assert ceph.rbd("info", f"{POOL}/renamed/root-old")["id"] == image_id
    assert [snapshot["name"] for snapshot in ceph.rbd("snap", "ls", f"{POOL}/renamed/root-old")] == ["before"]

    # As in the second run of a playbook: the former name is another image's now, and both stay.
    module("rbd_image", name="root", parent=parent, **where)
    assert module("rbd_image", name="root-old", renamed_from="root", **where)["changed"] is False
    assert ceph.rbd("info", f"{POOL}/renamed/root-old")["id"] == image_id


def test_image_in_use_does_not_get_another_name(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, name="watched", size="1MiB", features=FEATURES)
    with hold_image(ceph, "watched"), pytest.raises(ModuleFailed, match=f"image {POOL}/watched is in use, watched by"):
        module("rbd_image", pool=POOL, name="renamed-watched", renamed_from="watched")
    assert "watched" in names(ceph)
