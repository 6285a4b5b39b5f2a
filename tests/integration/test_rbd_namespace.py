# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_namespace on a real cluster."""

from __future__ import annotations

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import POOL
from tests.integration.module_run import ModuleFailed, ModuleRun


def namespaces(ceph: CephCluster) -> list[str]:
    return [str(namespace["name"]) for namespace in ceph.rbd("namespace", "ls", POOL)]


def test_namespace_comes_and_goes(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("rbd_namespace", pool=POOL, name="coming")
    assert "coming" in namespaces(ceph)
    module.converge("rbd_namespace", pool=POOL, name="coming", state="absent")
    assert "coming" not in namespaces(ceph)


def test_namespace_with_an_image_is_refused_before_ceph_is_asked(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, namespace="kept", name="root", size="1MiB", features=["layering"])
    for bindings in (True, False):
        with pytest.raises(ModuleFailed, match=f"namespace {POOL}/kept has images: root; delete them first"):
            module("rbd_namespace", bindings=bindings, pool=POOL, name="kept", state="absent")
    assert "kept" in namespaces(ceph)


def test_namespace_with_an_image_in_the_trash_is_refused_by_ceph(module: ModuleRun, ceph: CephCluster) -> None:
    module("rbd_image", pool=POOL, namespace="trash", name="root", size="1MiB", features=["layering"])
    ceph.run("rbd", "trash", "mv", f"{POOL}/trash/root")
    for bindings in (True, False):
        with pytest.raises(ModuleFailed, match=f"cannot remove namespace {POOL}/trash"):
            module("rbd_namespace", bindings=bindings, pool=POOL, name="trash", state="absent")
    assert "trash" in namespaces(ceph)


def test_pool_that_does_not_exist_is_named(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed, match="pool nowhere does not exist"):
        module("rbd_namespace", pool="nowhere", name="x", state="absent")
