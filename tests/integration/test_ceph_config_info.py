# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ceph_config_info on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun
from tests.integration.test_ceph_config import override

NAME = "mds_recall_max_caps"
ROWS = (("global", "6000"), ("mds", "7000"), ("mds/root:default", "8000"))


@pytest.fixture(autouse=True)
def configured(ceph: CephCluster) -> Iterator[None]:
    """An option with values in several sections, in effect and known to the mgr."""
    for who, value in ROWS:
        ceph.run("ceph", "config", "set", who, NAME, value)
    wait = f"for i in $(seq 75); do [ $(ceph config show mds.a {NAME}) != 8000 ] || exit 0; sleep 0.2; done; exit 1"
    ceph.run("sh", "-c", wait)
    yield
    for who, _value in ROWS:
        ceph.run("ceph", "config", "rm", who, NAME)


def by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {option["name"]: option for option in result["options"]}


def test_configured_and_effective_values(module: ModuleRun) -> None:
    found = module.info("ceph_config_info", names=[NAME, "mon_data_avail_warn", "mds_reconnect_timeout"])["options"]
    assert [option["name"] for option in found] == [NAME, "mds_reconnect_timeout", "mon_data_avail_warn"]
    option, default, file = found
    assert default["effective"] == [{"daemon": "mds.a", "value": "45.000000", "source": "default", "section": None}]
    assert (default["type"], default["default"], default["level"]) == ("float", "45.000000", "advanced")
    assert option["configured"] == [{"section": who, "value": value} for who, value in ROWS]
    assert option["effective"] == [{"daemon": "mds.a", "value": "8000", "source": "mon", "section": "mds/root:default"}]
    assert (option["type"], option["can_update_at_runtime"]) == ("size", True)
    assert {"daemon": "mon.a", "value": "2", "source": "file", "section": None} in file["effective"]


@pytest.mark.full
def test_override_by_hand(module: ModuleRun, ceph: CephCluster) -> None:
    override(ceph, NAME, "9000")
    try:
        option = module.info("ceph_config_info", names=[NAME])["options"][0]
    finally:
        ceph.run("ceph", "tell", "mds.a", "config", "unset", NAME)
    assert option["effective"] == [{"daemon": "mds.a", "value": "9000", "source": "override", "section": None}]


def test_everything_that_is_configured(module: ModuleRun, ceph: CephCluster) -> None:
    found = by_name(module.info("ceph_config_info", daemons=[]))
    assert set(found) == {row["name"] for row in ceph.ceph("config", "dump")}
    assert found[NAME]["effective"] == []


@pytest.mark.full
def test_daemons_by_type_and_name(module: ModuleRun) -> None:
    found = by_name(module.info("ceph_config_info", names=[NAME, "debug_ms"], daemons=["osd", "mds.a"]))
    assert [daemon["daemon"] for daemon in found["debug_ms"]["effective"]] == ["mds.a", "osd.0"]
    assert found[NAME]["effective"][1] == {"daemon": "osd.0", "value": "6000", "source": "mon", "section": "global"}


@pytest.mark.not_on("16", "18", "20", reason="the monitors remove a value under an unknown name by themselves")
def test_value_of_an_option_that_the_cluster_does_not_know(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("ceph", "config", "set", "mds", "mds_of_the_future", "1", "--force")
    try:
        found = by_name(module.info("ceph_config_info", daemons=[]))["mds_of_the_future"]
    finally:
        ceph.run("ceph", "config", "rm", "mds", "mds_of_the_future")
    assert (found["type"], found["configured"]) == (None, [{"section": "mds", "value": "1"}])


def test_what_does_not_exist(module: ModuleRun, ceph: CephCluster) -> None:
    with pytest.raises(ModuleFailed) as failure:
        module("ceph_config_info", names=["mds_recal_max_cap", "rubbish"])
    message = str(failure.value)
    assert message.startswith(f"option mds_recal_max_cap does not exist in Ceph {ceph.release}; did you mean")
    assert message.endswith(f"; option rubbish does not exist in Ceph {ceph.release}")
    with pytest.raises(ModuleFailed) as failure:
        module("ceph_config_info", names=[NAME], daemons=["mds.b", "osd.0"])
    assert str(failure.value) == "no daemon mds.b is running; did you mean mds.a?"
