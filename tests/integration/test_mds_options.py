# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mds_options on real clusters: what is configured, what is in effect, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.module_run import ModuleFailed, ModuleRun

OTHER_SPELLING_MOVES = "the monitors rename it, or drop it, by themselves"


@pytest.fixture(autouse=True)
def as_it_was(ceph: CephCluster) -> Iterator[None]:
    """The cluster serves other tests as well."""
    before = _configured(ceph)
    yield
    for section, name in _configured(ceph).keys() - before.keys():
        ceph.run("ceph", "config", "rm", section, name)


def _configured(ceph: CephCluster) -> dict[tuple[str, str], str]:
    return {(row["section"], row["name"]): row["value"] for row in ceph.ceph("config", "dump")}


def _runs_with(ceph: CephCluster, option: str) -> str | None:
    """What the MDS itself says; on 14 the mgr answers for it. None is its default."""
    if ceph.release != "14":
        return str(ceph.ceph("tell", "mds.a", "config", "get", option)[option])
    return next((row["value"] for row in ceph.ceph("config", "show", "mds.a") if row["name"] == option), None)


def _wait_until_runs_with(ceph: CephCluster, option: str, *values: str | None) -> None:
    deadline = time.monotonic() + 30
    while _runs_with(ceph, option) not in values:
        assert time.monotonic() < deadline, _runs_with(ceph, option)
        time.sleep(0.2)


def _spelled(ceph: CephCluster, name: str) -> str:
    return name.replace("blocklist", "blacklist") if ceph.release == "14" else name


def test_policy_converges_under_the_clusters_own_names(module: ModuleRun, ceph: CephCluster) -> None:
    """Both spellings are taken; every MDS works with the values when the task ends."""
    result = module.converge(
        "mds_options",
        reconnect_timeout=90,
        mds_session_blacklist_on_evict=True,
        session_blocklist_on_timeout=False,
        client_blocklist_duration=7200,
        accept_data_loss_risk=True,
    )
    evict = _spelled(ceph, "mds_session_blocklist_on_evict")
    timeout = _spelled(ceph, "mds_session_blocklist_on_timeout")
    expire = _spelled(ceph, "mon_osd_blocklist_default_expire")
    wanted = {
        "mds": {"mds_reconnect_timeout": "90.000000", timeout: "false", evict: "true"},
        "mon": {expire: "7200.000000"},
    }
    assert result["options"] == result["diff"]["after"] == wanted
    assert result["diff"]["before"] == {"mds": {}, "mon": {}}
    assert (result["release"], result["mds"]) == (int(ceph.release), ["mds.a"])
    rows = _configured(ceph)
    assert all(rows[section, name] == value for section in wanted for name, value in wanted[section].items())
    assert _runs_with(ceph, timeout) == "false"
    assert _runs_with(ceph, "mds_reconnect_timeout") == "90.000000"


def test_reset_returns_to_the_default(module: ModuleRun, ceph: CephCluster) -> None:
    module("mds_options", section="mds.a", reconnect_timeout=77, max_caps_per_client=5000)
    result = module.converge("mds_options", section="mds.a", reset=["mds-reconnect-timeout", "max_caps_per_client"])
    assert result["options"] == {"mds.a": {}}
    assert ("mds.a", "mds_reconnect_timeout") not in _configured(ceph)
    assert _runs_with(ceph, "mds_reconnect_timeout") in (None, "45.000000")


@pytest.mark.parametrize("option", ["session_blocklist_on_timeout", "session_blocklist_on_evict"])
def test_blocklisting_is_not_turned_off_by_accident(module: ModuleRun, ceph: CephCluster, option: str) -> None:
    before = _configured(ceph)
    for check_mode in (True, False):
        with pytest.raises(
            ModuleFailed, match=rf"{option}: false needs accept_data_loss_risk: true: .* may still write"
        ):
            module("mds_options", check_mode=check_mode, reconnect_timeout=99, **{option: False})
    assert _configured(ceph) == before


@pytest.mark.not_on("16", "18", "20", reason=OTHER_SPELLING_MOVES)
def test_value_under_the_other_spelling_is_moved(module: ModuleRun, ceph: CephCluster) -> None:
    ceph.run("ceph", "config", "set", "mds", "mds_session_blocklist_on_evict", "true", "--force")
    result = module.converge("mds_options", session_blocklist_on_evict=True)
    assert result["diff"]["before"] == {"mds": {"mds_session_blocklist_on_evict": "true"}}
    assert result["diff"]["after"] == {"mds": {"mds_session_blacklist_on_evict": "true"}}
    assert {name for section, name in _configured(ceph) if "on_evict" in name} == {"mds_session_blacklist_on_evict"}


@pytest.mark.not_on("16", "18", "20", reason="they have all the options")
def test_option_that_the_release_has_not_is_an_error(module: ModuleRun) -> None:
    message = (
        r"Ceph 14 has no option defer_client_eviction_on_laggy_osds \(defer_client_eviction_on_laggy_osds\); leave it "
        r"out; Ceph 14 has no option mds_deny_all_reconnect \(deny_all_reconnect\); leave it out"
    )
    with pytest.raises(ModuleFailed, match=message):
        module("mds_options", defer_client_eviction_on_laggy_osds=True, deny_all_reconnect=True)


@pytest.mark.full
@pytest.mark.not_on("14", reason="it has no such options")
def test_options_of_later_releases(module: ModuleRun, ceph: CephCluster) -> None:
    """The default of the first one differs: true on 16, false later."""
    wanted = ceph.release != "16"
    module.converge("mds_options", defer_client_eviction_on_laggy_osds=wanted, deny_all_reconnect=False)
    assert _runs_with(ceph, "defer_client_eviction_on_laggy_osds") == str(wanted).lower()


@pytest.mark.full
def test_what_was_set_at_run_time_is_named(module: ModuleRun, ceph: CephCluster) -> None:
    """It goes before the configuration database: the task fails before it changes anything."""
    option = "mds_cap_revoke_eviction_timeout"
    ceph.run("ceph", "tell", "mds.a", "config", "set", option, "11")
    try:
        _wait_until_runs_with(ceph, option, "11.000000")
        for check_mode in (True, False):
            with pytest.raises(ModuleFailed) as failure:
                module("mds_options", check_mode=check_mode, cap_revoke_eviction_timeout=300, verify_timeout=1)
            assert str(failure.value) == (
                f"mds.a has {option} 11.000000 instead of 300.000000: that was set at run time, which goes before the "
                f"configuration database; take it back with ceph tell mds.a config unset {option}"
            )
        assert ("mds", option) not in _configured(ceph)
        drift = module.info("mds_options_info")["drift"]
        assert drift == [
            {
                "name": "cap_revoke_eviction_timeout",
                "daemon": "mds.a",
                "configured": 0.0,
                "effective": 11.0,
                "source": "override",
            }
        ]
    finally:
        ceph.run("ceph", "tell", "mds.a", "config", "unset", option)
    # On 14 this is heard of later, for which the task waits.
    assert module("mds_options", cap_revoke_eviction_timeout=300)["changed"] is True
    assert _runs_with(ceph, option) == "300.000000"


@pytest.mark.full
def test_section_that_goes_before_is_named(module: ModuleRun, ceph: CephCluster) -> None:
    module("mds_options", section="mds.a", reconnect_timeout=60)
    with pytest.raises(ModuleFailed) as failure:
        module("mds_options", reconnect_timeout=90)
    assert str(failure.value) == (
        "mds.a has mds_reconnect_timeout 60.000000 instead of 90.000000: that is in section mds.a, which goes "
        "before mds; reset it there"
    )
    assert ("mds", "mds_reconnect_timeout") not in _configured(ceph)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"reset": ["reconnect_timeuot"]}, "reset: no part of the session policy is called reconnect_timeuot; did you"),
        (
            {"section": "osd", "reconnect_timeout": 9},
            "section osd has no MDS: expected mds, mds.NAME, mds/MASK or global",
        ),
        ({"section": "mdz", "reconnect_timeout": 9}, "section 'mdz': expected global, "),
        ({"reset": ["reconnect_timeout"], "reconnect_timeout": 9}, "reconnect_timeout is to be set and to be reset"),
        (
            {"reconnect_timeout": -1, "blocklist_interval": 60},
            "reconnect_timeout is -1.0: expected 0 seconds or more; ",
        ),
        ({"blocklist_interval": 60}, "expected at least 3600"),
    ],
)
def test_wish_that_cannot_be(module: ModuleRun, args: dict[str, Any], message: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        module("mds_options", check_mode=True, **args)
    assert message in str(failure.value)
