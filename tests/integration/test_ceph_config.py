# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ceph_config on a real cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun


def database(ceph: CephCluster) -> dict[tuple[str, str], str]:
    """What the configuration database has, by section with mask and option."""
    rows = ceph.ceph("config", "dump")
    return {(f"{row['section']}/{row['mask']}".rstrip("/"), row["name"]): row["value"] for row in rows}


def dialect(ceph: CephCluster) -> tuple[str, str]:
    """The cluster's own word and the other one."""
    return ("blacklist", "blocklist") if ceph.release == "14" else ("blocklist", "blacklist")


def warnings(result: dict[str, Any]) -> list[str]:
    found = result.get("warnings", [])
    return [warning["event"]["msg"] if isinstance(warning, dict) else warning for warning in found]


def override(ceph: CephCluster, name: str, value: str) -> None:
    """Override a value in mds.a; wait until the mgr knows, from whom Ceph 14 has it."""
    ceph.run("ceph", "tell", "mds.a", "config", "set", name, value)
    deadline = time.monotonic() + 15
    while not ceph.run("ceph", "config", "show", "mds.a", name).startswith(value):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(autouse=True)
def restored(ceph: CephCluster) -> Iterator[None]:
    """The database has what it had before the test."""
    before = database(ceph)
    yield
    for who, name in set(database(ceph)) - set(before):
        ceph.run("ceph", "config", "rm", who, name)


def test_life_of_values_in_several_sections(module: ModuleRun, ceph: CephCluster) -> None:
    settings = [
        {"section": "mds", "options": {"mds_cache_memory_limit": "3G", "mds_recall_max_caps": 6000}},
        {"section": "mds.a", "options": {"mds_cache_memory_limit": 2147483648}},
        {"section": "osd/class:ssd/host:store1", "options": {"osd_recovery_sleep": 0.5}},
        {"section": "mon", "options": {"mon_op_complaint_time": "1h"}},
        {"section": "client.backup", "options": {"rbd_default_features": "layering,exclusive-lock", "debug_rbd": 5}},
        {"section": "mgr", "options": {"mgr/balancer/sleep_interval": "90s"}},
    ]
    written = module.converge("ceph_config", settings=settings)
    expected = {
        ("mds", "mds_cache_memory_limit"): "3221225472",
        ("mds", "mds_recall_max_caps"): "6000",
        ("mds.a", "mds_cache_memory_limit"): "2147483648",
        ("osd/host:store1/class:ssd", "osd_recovery_sleep"): "0.500000",
        ("mon", "mon_op_complaint_time"): "3600",
        ("client.backup", "rbd_default_features"): "5",
        ("client.backup", "debug_rbd"): "5/5",
        ("mgr", "mgr/balancer/sleep_interval"): "90",
    }
    assert database(ceph).items() >= expected.items()
    assert {(one["section"], one["option"]): one["after"] for one in written["settings"]} == expected
    assert written["diff"]["after"]["osd/host:store1/class:ssd"] == {"osd_recovery_sleep": "0.500000"}

    gone = [{"section": item["section"], "options": dict.fromkeys(item["options"])} for item in settings]
    module.converge("ceph_config", settings=gone)
    assert not expected.keys() & database(ceph).keys()


@pytest.mark.full
def test_only_what_is_named_is_changed(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("ceph", "config", "set", "mds.a", "mds_recall_max_caps", "7000")
    ceph.run("ceph", "config", "set", "mds", "mds_recall_max_decay_rate", "2")
    module.converge("ceph_config", section="mds", options={"mds_recall_max_caps": 6000})
    module.converge("ceph_config", section="mds", options={"mds_recall_max_caps": None})
    assert database(ceph)["mds.a", "mds_recall_max_caps"] == "7000"
    assert database(ceph)["mds", "mds_recall_max_decay_rate"] == "2.000000"


@pytest.mark.full
@pytest.mark.parametrize(
    ("section", "name", "stored", "same"),
    [
        ("mds", "mds_cache_memory_limit", "4G", [4294967296, "4294967296", "4Gi", "4GiB"]),
        ("mon", "mon_op_complaint_time", "3600", ["1h", 3600, "60 min"]),
        ("mds", "mds_recall_max_decay_rate", "2.5", [2.5, "2.50", "25e-1"]),
        ("mds", "mds_recall_max_caps", "6000", ["6000B", 6000, "+6000"]),
        ("mds", "mds_log_pause", "false", [False, "False", 0]),
        ("osd", "public_addr", "10.9.9.9", ["10.9.9.9:0/0"]),
    ],
)
def test_same_value_written_differently_changes_nothing(  # noqa: PLR0913, PLR0917 -- two fixtures, four columns
    module: ModuleRun, ceph: CephCluster, section: str, name: str, stored: str, same: list[Any]
) -> None:
    ceph.run("ceph", "config", "set", section, name, stored)
    before = database(ceph)
    for value in same:
        result = module("ceph_config", section=section, options={name: value}, report_effective=False)
        assert result["changed"] is False, value
    assert database(ceph) == before


def test_value_is_in_effect_when_the_task_ends(module: ModuleRun, ceph: CephCluster) -> None:
    result = module("ceph_config", section="mds", options={"mds_recall_max_caps": 6100})
    assert warnings(result) == []
    assert ceph.run("ceph", "config", "show", "mds.a", "mds_recall_max_caps").strip() == "6100" or ceph.release != "14"
    socket = ceph.run("ceph", "daemon", "mds.a", "config", "get", "mds_recall_max_caps")
    assert '"6100"' in socket


@pytest.mark.full
def test_either_spelling_writes_the_clusters_own(module: ModuleRun, ceph: CephCluster) -> None:
    own, other = dialect(ceph)
    name = "mds_session_{}_on_timeout"
    written = module.converge("ceph_config", section="mds", options={name.format(other): True})
    assert written["settings"][0]["option"] == name.format(own)
    assert database(ceph)["mds", name.format(own)] == "true"
    again = module("ceph_config", section="mds", options={f"mds session-{own} on timeout": "True"})
    assert again["changed"] is False


@pytest.mark.not_on("16", "18", "20", reason="the monitors remove a value under an unknown name by themselves")
def test_value_under_the_other_name_is_removed(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("ceph", "config", "set", "mds", "mds_session_blocklist_on_timeout", "false", "--force")
    options = {"mds_session_blocklist_on_timeout": True}
    written = module.converge("ceph_config", section="mds", options=options)
    assert written["settings"][0]["removed_name"] == "mds_session_blocklist_on_timeout"
    assert written["diff"] == {
        "before": {"mds": {"mds_session_blacklist_on_timeout": None, "mds_session_blocklist_on_timeout": "false"}},
        "after": {"mds": {"mds_session_blacklist_on_timeout": "true", "mds_session_blocklist_on_timeout": None}},
    }
    assert ("mds", "mds_session_blocklist_on_timeout") not in database(ceph)


@pytest.mark.full
def test_override_by_hand_is_reported(module: ModuleRun, ceph: CephCluster) -> None:
    name = "mds_recall_warning_threshold"
    override(ceph, name, "40000")
    try:
        for value, overridden in ((50000, True), (40000, False)):
            args: dict[str, Any] = {"section": "mds", "options": {name: value}}
            announced = module("ceph_config", check_mode=True, **args)
            result = module("ceph_config", bindings=False, **args)
            expected = [{"daemon": "mds.a", "value": "40000", "source": "override", "section": None}]
            assert result["settings"][0]["overridden_by"] == (expected if overridden else [])
            assert announced["settings"] == result["settings"]
    finally:
        ceph.run("ceph", "tell", "mds.a", "config", "unset", name)


def test_configuration_file_that_wins_is_reported(module: ModuleRun) -> None:
    # The lab's ceph.conf has 2.
    result = module("ceph_config", section="mon", options={"mon_data_avail_warn": 3})
    expected = [{"daemon": "mon.a", "value": "2", "source": "file", "section": None}]
    assert result["settings"][0]["overridden_by"] == expected


@pytest.mark.full
def test_row_that_wins_is_reported(module: ModuleRun, ceph: CephCluster) -> None:
    name = "mds_recall_max_caps"
    ceph.run("ceph", "config", "set", "mds/root:default", name, "7000")
    result = module("ceph_config", section="mds", options={name: 6000})
    expected = {"daemon": "mds.a", "value": "7000", "source": "mon", "section": "mds/root:default"}
    assert result["settings"][0]["overridden_by"] == [expected]
    ceph.run("ceph", "config", "set", "mds.a", name, "8000")
    result = module("ceph_config", section="global", options={name: 6000})
    assert result["settings"][0]["overridden_by"][0]["section"] in ("mds/root:default", "mds.a")


@pytest.mark.full
def test_option_that_takes_a_restart_is_reported(module: ModuleRun, ceph: CephCluster) -> None:
    args: dict[str, Any] = {"section": "mds", "options": {"public_network": "10.99.0.0/16"}}
    assert module("ceph_config", check_mode=True, **args)["settings"][0]["restart_required"] == ["mds.a"]
    assert module("ceph_config", **args)["settings"][0]["restart_required"] == ["mds.a"]
    gone = module("ceph_config", section="mds", options={"public_network": None})
    assert gone["settings"][0]["restart_required"] == []
    assert gone["settings"][0]["overridden_by"] == []


def test_mask_that_matches_nobody_is_warned_about(module: ModuleRun) -> None:
    result = module("ceph_config", section="mds/host:elsewhere", options={"mds_recall_max_caps": 6000})
    assert warnings(result) == ["mask host:elsewhere matches no running daemon of section mds"]


def test_problems_are_reported_together_and_nothing_is_changed(module: ModuleRun, ceph: CephCluster) -> None:
    before = database(ceph)
    settings = [
        {"section": "mds", "options": {"mds_cache_memory_limt": 1, "mds_recall_max_caps": 6000}},
        {"section": "mdz", "options": {"mds_cache_memory_limit": "3.5G"}},
        {"section": "mds/shelf:x", "options": {"mds_session_blocklist_on_evict": "yes"}},
        {"section": "mds", "options": {"mds recall max caps": 7000}},
        {"section": "mon", "options": {"fsid": "abcdef00-0000-0000-0000-000000000001"}},
        {"section": "osd", "options": {"osd_max_write_size": 3, "bluestore_compression_mode": "lots"}},
    ]
    with pytest.raises(ModuleFailed) as failure:
        module("ceph_config", settings=settings)
    own = dialect(ceph)[0]
    assert str(failure.value).split("; ") == [
        f"option mds_cache_memory_limt does not exist in Ceph {ceph.release}",
        "did you mean mds_cache_memory_limit, mds_cache_mid, mds_cache_trim_interval?",
        "section 'mdz': expected global, mon, mgr, osd, mds, client, auth, or one of them with an id, such as mds.a",
        "section 'mds/shelf:x': mask 'shelf:x' is not TYPE:NAME with a TYPE of class, osd, host, chassis, rack, row, "
        "pdu, pod, room, datacenter, zone, region, root",
        "option mds_cache_memory_limit (size): expected bytes, or a size such as 4G (4294967296 bytes), got '3.5G'",
        f"option mds_session_{own}_on_evict (bool): expected true or false, got 'yes'",
        "option fsid cannot be in the monitors' configuration database: set it in ceph.conf",
        "option osd_max_write_size (size): expected at least 4, got 3",
        "option bluestore_compression_mode (str): expected one of none, passive, aggressive, force, got 'lots'",
        "option mds_recall_max_caps is given twice for section mds",
    ]
    assert database(ceph) == before


def test_unknown_option(module: ModuleRun, ceph: CephCluster) -> None:
    with pytest.raises(ModuleFailed) as failure:
        module("ceph_config", section="mds", options={"mds_recal_max_caps": None})
    assert str(failure.value).startswith(f"option mds_recal_max_caps does not exist in Ceph {ceph.release}; did you")
    assert "mds_recall_max_caps" in str(failure.value)
