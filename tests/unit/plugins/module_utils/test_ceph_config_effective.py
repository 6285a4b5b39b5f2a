# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running daemons and what they have in effect, from recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephDenied, Finished, Start
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import Daemon, Target
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import (
    DAEMON_TYPES,
    EffectiveValue,
    concerned,
    effective_value,
    parse_config_diff,
    parse_config_show,
    parse_daemons,
    read_effective,
    wait_effective,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]
READS = ("osd tree", "mds metadata", "mon metadata", "mgr metadata", "mgr dump", "quorum_status")
MDS = Daemon("mds", "a")


def option(name: str, *services: str, kind: str = "float", default: str = "0.000000") -> CephOption:
    return CephOption(name, kind, default, "advanced", services, True)


def answers(recorded: Recorded, release: str) -> dict[str, Any]:
    return {read: recorded(f"config_{read.replace(' ', '_')}", release) for read in READS}


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_daemons(recorded: Recorded, release: str) -> None:
    found = parse_daemons(answers(recorded, release), int(release), DAEMON_TYPES)
    assert [daemon.name for daemon in found] == ["mds.a", "mgr.a", "mon.a", "osd.0"]
    assert all(daemon.location["root"] == "default" for daemon in found)
    # What a mask with the host's name matches.
    assert [daemon.name for daemon in found if "host" in daemon.location] == (["osd.0"] if release != "14" else [])
    assert found[-1].device_class


def test_daemons_that_do_not_run_are_left_out(recorded: Recorded) -> None:
    said = answers(recorded, "16")
    said["mon metadata"].append({"name": "b"})
    said["mgr metadata"].append({"name": "standby"})
    said["osd tree"]["nodes"].append({"id": 1, "name": "osd.1", "type": "osd", "status": "down"})
    assert len(parse_daemons(said, 16, DAEMON_TYPES)) == 4


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_values_in_effect(recorded: Recorded, release: str) -> None:
    found = parse_config_show(recorded("config_show_mds", release))
    if release != "14":
        asked = parse_config_diff(recorded("config_diff_mds", release))
        for name in ("mds_cap_revoke_eviction_timeout", "mds_cache_memory_limit", "mds_reconnect_timeout", "mon_host"):
            assert asked[name].source == found[name].source
        found = asked
    effective = {"mds.a": found}
    timeout = effective_value(effective, MDS, option("mds_cap_revoke_eviction_timeout"))
    assert timeout == EffectiveValue("60.000000", "override")
    assert effective_value(effective, MDS, option("mds_reconnect_timeout")) == EffectiveValue("120.000000", "mon")
    assert effective_value(effective, MDS, option("mon_data_avail_warn", kind="int")) == EffectiveValue("2", "file")
    assert effective_value(effective, MDS, option("absent", default="7")) == EffectiveValue("7.000000", "default")
    assert effective_value(effective, Daemon("mds", "b"), option("mds_reconnect_timeout")) is None


@pytest.mark.parametrize(
    ("found", "who", "names"),
    [
        (option("x", "mds"), "global", ["mds.a", "mds.a.b"]),
        (option("x", "common"), "global", ["mds.a", "mds.a.b", "mgr.a", "osd.1", "osd.11"]),
        (option("x"), "global", ["mds.a", "mds.a.b", "mgr.a", "osd.1", "osd.11"]),
        (option("osd_x"), "global", ["osd.1", "osd.11"]),
        (option("debug_mgr"), "global", ["mgr.a"]),
        (option("x", "rbd"), "global", []),
        (option("x", "mds"), "osd", ["osd.1", "osd.11"]),
        (option("x"), "osd.1", ["osd.1"]),
        (option("x"), "mds.a", ["mds.a", "mds.a.b"]),
        (option("x"), "client", []),
        (option("mgr/balancer/active"), "mgr", []),
    ],
)
def test_daemons_that_a_value_is_for(found: CephOption, who: str, names: list[str]) -> None:
    running = [
        Daemon("mds", "a"), Daemon("mds", "a.b"), Daemon("mgr", "a"), Daemon("osd", "1"), Daemon("osd", "11"),
    ]  # fmt: skip
    assert [daemon.name for daemon in concerned(running, Target(who), found)] == names


def cluster(start: Start) -> Finished:
    """Stands in for the cluster: mds.a answers, mds.gone does not, mds.secret refuses."""
    if "mds.gone" in start.argv:
        return Finished(2, "", "Error ENOENT: problem getting command descriptions from mds.gone")
    if "mds.secret" in start.argv:
        return Finished(13, "", "Error EACCES: access denied")
    return Finished(0, json.dumps({"diff": {"x": {"default": 1, "mon": 2, "final": 2}}}), "")


def test_daemon_that_does_not_answer_is_left_out() -> None:
    client = CephClient(run=cluster, bindings="never")
    found = read_effective(client, 16, [MDS, Daemon("mds", "gone")])
    assert found == {"mds.a": {"x": EffectiveValue("2", "mon")}}


def test_refusal_is_not_taken_for_silence() -> None:
    client = CephClient(run=cluster, bindings="never")
    with pytest.raises(CephDenied):
        read_effective(client, 16, [Daemon("mds", "secret")])


def test_waits_until_nothing_is_pending_and_no_longer_than_allowed() -> None:
    reads: list[dict[str, dict[str, EffectiveValue]]] = [{}, {"mds.a": {}}]
    assert wait_effective(lambda: reads.pop(0), lambda found: [] if found else ["x"], 10) == {"mds.a": {}}
    assert wait_effective(dict, lambda found: ["x"], 0) == {}
