# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephfs_settings on real clusters: what the MDS map says afterwards, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun

NO_FEATURES = "it has no required_client_features"


@pytest.fixture(autouse=True)
def as_it_was(module: ModuleRun) -> Iterator[None]:
    """The cluster serves other tests as well."""
    (before,) = module("cephfs_settings_info")["file_systems"]
    yield
    settings = {name: value for name, value in before.items() if name not in {"name", "id", "ranks"}}
    module("cephfs_settings", **settings)


def _mdsmap(ceph: CephCluster) -> dict[str, Any]:
    mdsmap: dict[str, Any] = ceph.ceph("fs", "get", "cephfs")["mdsmap"]
    return mdsmap


def test_settings_converge(module: ModuleRun, ceph: CephCluster) -> None:
    wanted = {"session_timeout": 400, "session_autoclose": 900, "standby_count_wanted": 2, "allow_standby_replay": True}
    result = module.converge("cephfs_settings", file_systems=["cephfs"], max_file_size="4TiB", **wanted)
    (shown,) = result["file_systems"]
    assert shown["changed_settings"] == sorted([*wanted, "max_file_size"])
    mdsmap = _mdsmap(ceph)
    assert mdsmap["max_file_size"] == shown["max_file_size"] == 4 << 40
    flags = mdsmap.pop("flags")
    mdsmap["allow_standby_replay"] = bool(flags & 32)
    assert {name: mdsmap[name] for name in wanted} == {name: shown[name] for name in wanted} == wanted


@pytest.mark.full
def test_all_file_systems_are_meant_when_none_is_named(module: ModuleRun) -> None:
    result = module.converge("cephfs_settings", session_autoclose=600)
    assert [(one["name"], one["session_autoclose"]) for one in result["file_systems"]] == [("cephfs", 600)]


@pytest.mark.full
def test_more_ranks_do_not_make_a_file_system_joinable(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("cephfs_settings", joinable=False, allow_new_snaps=False)
    module.converge("cephfs_settings", max_mds=2)
    assert (_mdsmap(ceph)["flags"] & 1, _mdsmap(ceph)["max_mds"]) == (1, 2)
    module.converge("cephfs_settings", max_mds=1, joinable=True)
    assert _mdsmap(ceph)["flags"] & 1 == 0


@pytest.mark.full
@pytest.mark.not_on("14", reason=NO_FEATURES)
def test_client_features_are_required_and_released(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("cephfs_settings", add_required_client_features=["jewel", "mimic"])
    module.converge("cephfs_settings", remove_required_client_features=["mimic"])
    assert _mdsmap(ceph)["required_client_features"] == {"feature_5": "jewel"}
    module.converge("cephfs_settings", required_client_features=["kraken"])
    module.converge("cephfs_settings", required_client_features=[])
    assert _mdsmap(ceph)["required_client_features"] == {}


@pytest.mark.not_on("14", "16", reason="they have no such settings")
def test_settings_of_later_releases(module: ModuleRun, ceph: CephCluster) -> None:
    module.converge("cephfs_settings", refuse_client_session=True, refuse_standby_for_another_fs=True)
    flags = _mdsmap(ceph)["flags_state"]
    assert flags["refuse_client_session"]
    assert flags["refuse_standby_for_another_fs"]


@pytest.mark.not_on("18", "20", reason="they have all the settings")
def test_setting_that_the_release_has_not_is_an_error(module: ModuleRun, release: str) -> None:
    message = f"Ceph {release} has no file system setting refuse_client_session: it needs release 18; leave it out"
    with pytest.raises(ModuleFailed, match=message):
        module("cephfs_settings", refuse_client_session=True)


def test_all_that_is_wrong_is_said_at_once(module: ModuleRun, ceph: CephCluster) -> None:
    before = _mdsmap(ceph)
    with pytest.raises(ModuleFailed) as failure:
        module("cephfs_settings", file_systems=["cephfs", "cepfs"], max_file_size="1TB", max_mds=0, session_timeout=301)
    assert str(failure.value) == (
        "max_file_size: size '1TB': expected bytes or a string such as 32GiB; "
        "file system cepfs does not exist; did you mean cephfs?; max_mds is 0: expected 1 active MDS or more; "
        "file system cephfs would have session_timeout 301 and session_autoclose 300: a session would be closed before "
        "it counts as stale; set session_autoclose to 301 or more, or session_timeout to 300 or less"
    )
    assert _mdsmap(ceph) == before


@pytest.mark.not_on("14", reason=NO_FEATURES)
def test_client_feature_that_does_not_exist(module: ModuleRun, release: str) -> None:
    message = f"client feature mimick does not exist in release {release}; did you mean mimic"
    with pytest.raises(ModuleFailed, match=message):
        module("cephfs_settings", add_required_client_features=["mimick"])
