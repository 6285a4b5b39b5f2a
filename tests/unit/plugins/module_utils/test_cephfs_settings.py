# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of file systems as Ceph of each release reports them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings import (
    FEATURES,
    Rank,
    parse_fs_dump,
    settings_of_release,
    shown,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]


@pytest.mark.parametrize("release", RELEASES)
def test_settings_are_read(recorded: Recorded, release: str) -> None:
    found = parse_fs_dump(recorded("mds_fs_dump", release), int(release))
    assert list(found) == ["cephfs"]
    settings = dict(found["cephfs"].settings)
    newer = {"refuse_client_session", "refuse_standby_for_another_fs"}
    assert newer & set(settings) == (newer if int(release) >= 18 else set())
    assert not any(settings.pop(name, False) for name in newer)
    assert settings.pop(FEATURES, None) == (None if release == "14" else ("jewel", "metric_collect"))
    assert settings == {
        "session_timeout": 60,
        "session_autoclose": 600,
        "max_mds": 1,
        "standby_count_wanted": 0,
        "max_file_size": 1 << 40,
        "joinable": True,
        "allow_new_snaps": False,
        "allow_standby_replay": True,
    }
    assert found["cephfs"].ranks == (Rank(0, "a", "up:active"),)


@pytest.mark.parametrize("release", ["18", "20"])
def test_flags_mean_what_ceph_says_they_mean(recorded: Recorded, release: str) -> None:
    """From 18 on the map spells them out."""
    dump = recorded("mds_fs_dump", release)
    said = dump["filesystems"][0]["mdsmap"]["flags_state"]
    settings = parse_fs_dump(dump, int(release))["cephfs"].settings
    said["allow_new_snaps"] = said["allow_snaps"]
    for name in settings.keys() & said.keys():
        assert settings[name] == said[name], name


def test_not_joinable_is_a_flag_of_its_own(recorded: Recorded) -> None:
    dump = recorded("mds_fs_dump")
    dump["filesystems"][0]["mdsmap"]["flags"] |= 1
    assert parse_fs_dump(dump, 16)["cephfs"].settings["joinable"] is False


def test_flags_of_a_new_file_system(recorded: Recorded) -> None:
    dump = recorded("mds_fs_dump")
    dump["filesystems"][0]["mdsmap"]["flags"] = 18
    settings = parse_fs_dump(dump, 18)["cephfs"].settings
    assert {name for name, value in settings.items() if value is True} == {"joinable", "allow_new_snaps"}


def test_cluster_without_file_system(recorded: Recorded) -> None:
    assert parse_fs_dump({**recorded("mds_fs_dump"), "filesystems": []}, 16) == {}


def test_settings_are_shown_as_lists_and_in_order(recorded: Recorded) -> None:
    settings = shown(parse_fs_dump(recorded("mds_fs_dump"), 16)["cephfs"].settings)
    assert settings[FEATURES] == ["jewel", "metric_collect"]
    assert list(settings) == sorted(settings_of_release(16))
