# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image_info on a real cluster, through Ceph's Python bindings and through its command line tools."""

from __future__ import annotations

from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.holder import hold_image
from tests.integration.module_run import ModuleFailed, ModuleRun

NAMESPACE = "image-info"
FEATURES = ["layering", "exclusive-lock", "object-map", "fast-diff"]
STATE = f"""
set -eu
place={POOL}/{NAMESPACE}
features=layering,exclusive-lock,object-map,fast-diff
rbd namespace create $place
ceph osd pool create image-info-data 4
ceph osd pool application enable image-info-data rbd
for image in golden trashed; do
  rbd create --size 4M --image-feature $features $place/$image
  rbd image-meta set $place/$image suite 'bookworm, the stable one'
  rbd snap create $place/$image@root
done
rbd snap protect $place/golden@root
rbd clone --rbd-default-clone-format 2 --image-feature $features $place/golden@root $place/root
rbd snap create $place/root@yesterday
rbd clone --rbd-default-clone-format 2 --image-feature $features $place/trashed@root $place/orphan
rbd snap rm --no-progress $place/trashed@root
rbd create --size 1M --image-feature layering,exclusive-lock --data-pool image-info-data $place/apart
rbd feature enable $place/apart object-map fast-diff
rbd create --size 1M --image-feature $features $place/shared
rbd lock add --shared tag $place/shared 'my own'
"""


@pytest.fixture(scope="module")
def images(ceph: CephCluster) -> dict[str, str]:
    """Images with everything that an image can have; their ids by name."""
    ceph.run("sh", "-c", STATE, timeout=120)
    ids = {name: ceph.rbd("info", f"{POOL}/{NAMESPACE}/{name}")["id"] for name in ceph.rbd("ls", f"{POOL}/{NAMESPACE}")}
    ceph.run("rbd", "trash", "mv", f"{POOL}/{NAMESPACE}/trashed")
    return ids


def read(module: ModuleRun, **args: Any) -> dict[str, Any]:
    result = module.info("rbd_image_info", pool=POOL, **args)
    return {image["name"]: image for image in result["images"]}


def test_everything_that_an_image_can_have(module: ModuleRun, images: dict[str, str], ceph: CephCluster) -> None:
    found = read(module, namespace=NAMESPACE)
    assert sorted(found) == ["apart", "golden", "orphan", "root", "shared"]
    assert found["golden"] == {
        "name": "golden",
        "pool": POOL,
        "namespace": NAMESPACE,
        "spec": f"{POOL}/{NAMESPACE}/golden",
        "id": images["golden"],
        "size": 4 << 20,
        "features": [*FEATURES, "operations"],
        "flags": [],
        "parent": None,
        "parent_id": None,
        "snapshots": [{"name": "root", "size": 4 << 20, "protected": True}],
        "watchers": [],
        "lock": None,
        "data_pool": None,
        "metadata": {"suite": "bookworm, the stable one"},
    }
    root, apart = found["root"], found["apart"]
    assert (root["parent"], root["parent_id"]) == (f"{POOL}/{NAMESPACE}/golden@root", images["golden"])
    assert root["snapshots"] == [{"name": "yesterday", "size": 4 << 20, "protected": False}]
    assert apart["data_pool"] == "image-info-data"
    assert apart["flags"] == ["object map invalid", "fast diff invalid"]
    (locker,) = ceph.rbd("lock", "ls", f"{POOL}/{NAMESPACE}/shared")
    lock = {"locker": locker["locker"], "address": locker["address"], "lock_id": "my own", "exclusive": False}
    assert found["shared"]["lock"] == lock


def test_parent_in_the_trash_is_still_told(module: ModuleRun, images: dict[str, str]) -> None:
    orphan = read(module, namespace=NAMESPACE, images=["orphan"])["orphan"]
    assert orphan["parent"].startswith(f"{POOL}/{NAMESPACE}/trashed@")
    assert orphan["parent_id"] == images["trashed"]


def test_client_that_has_the_image_open(module: ModuleRun, images: dict[str, str], ceph: CephCluster) -> None:
    assert "golden" in images
    with hold_image(ceph, "golden", namespace=NAMESPACE) as holder:
        golden = read(module, namespace=NAMESPACE, images=["golden"])["golden"]
    (watcher,) = golden["watchers"]
    assert watcher["client"] == golden["lock"]["locker"] == holder.client
    assert watcher["address"] == golden["lock"]["address"]
    assert golden["lock"]["lock_id"].startswith("auto ")
    assert golden["lock"]["exclusive"] is True


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"namespace": NAMESPACE, "pattern": "*o*"}, {"golden", "orphan", "root"}),
        ({"pattern": "orph*"}, {"orphan"}),
        ({"namespace": NAMESPACE, "images": ["root", "never"]}, {"root"}),
        ({"images": ["orphan"]}, {"orphan"}),
        ({"namespace": "", "images": ["orphan"]}, set()),
        ({"namespace": "never"}, set()),
        ({"namespace": "never", "images": ["root"]}, set()),
    ],
)
def test_selection(module: ModuleRun, images: dict[str, str], args: dict[str, Any], expected: set[str]) -> None:
    assert images
    assert set(read(module, **args)) == expected


@pytest.mark.parametrize("bindings", [True, False])
def test_pool_that_does_not_exist(module: ModuleRun, bindings: bool) -> None:
    with pytest.raises(ModuleFailed, match=f"^pool rbd-test does not exist; did you mean {POOL}"):
        module("rbd_image_info", pool="rbd-test", bindings=bindings)
