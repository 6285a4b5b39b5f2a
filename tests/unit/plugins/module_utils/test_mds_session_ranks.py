# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranks, from recorded answers of all releases and from those of clusters in trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_ranks import (
    MdsRank,
    file_systems,
    parse_ranks,
)

RELEASES = ("14", "16", "18", "20")


@pytest.mark.parametrize("release", RELEASES)
def test_ranks_of_every_release(recorded: Callable[..., Any], release: str) -> None:
    dump = recorded("sessions_fs_dump", release)
    assert file_systems(dump) == ["cephfs"]
    assert parse_ranks(dump) == (MdsRank("cephfs", 0, "a", "up:active"),)
    assert parse_ranks(dump, "other") == ()


def fs_dump(up: dict[str, int], states: dict[int, str]) -> dict[str, Any]:
    info = {f"gid_{gid}": {"gid": gid, "name": f"m{gid}", "state": state} for gid, state in states.items()}
    return {"filesystems": [{"mdsmap": {"fs_name": "cephfs", "in": [1, 0], "up": up, "info": info}}]}


def test_rank_without_mds_cannot_be_asked() -> None:
    ranks = parse_ranks(fs_dump({"mds_0": 7}, {7: "up:active"}))
    assert [(rank.rank, rank.mds, rank.ready) for rank in ranks] == [(0, "m7", True), (1, None, False)]
    assert str(ranks[1]) == "rank 1 of cephfs (no MDS holds it)"


def test_rank_in_replay_cannot_be_asked_and_a_standby_replay_is_no_rank() -> None:
    ranks = parse_ranks(fs_dump({"mds_0": 7, "mds_1": 8}, {7: "up:replay", 8: "up:stopping", 9: "up:standby-replay"}))
    assert [(rank.mds, rank.ready) for rank in ranks] == [("m7", False), ("m8", True)]
    assert str(ranks[0]) == "rank 0 of cephfs (mds.m7 is up:replay)"
