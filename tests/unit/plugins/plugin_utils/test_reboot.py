# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboots: which host may go down, and which has come back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.reboot import FilterModule, reboot_preflight, reboot_verification
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.diagnose import RULES
from ansible_collections.diskless.ceph.plugins.plugin_utils._reboot import ESSENTIAL

from .diagnosis_evidence import CLIENT, changed, healthy

BEFORE = changed(healthy(), {"host/boot_id": "1111"})
OTHER = "10.77.0.12:0/1"
AFTER = changed(
    BEFORE,
    {
        "host/boot_id": "2222",
        "ceph/me/watchers": [{"client": "client.9", "address": CLIENT}],
        "ceph/me/locks": [{"owner": "client.9", "address": CLIENT, "cookie": 1}],
    },
)
FENCE = {"address": "10.77.0.12:0/0", "kind": "host", "until": "2027", "fence": True}
FORMER = {"address": OTHER, "kind": "client", "until": "2027", "fence": False}
WARNING = {"code": "OSD_NEARFULL", "severity": "HEALTH_WARN", "summary": "1 nearfull osd(s)"}


def refused(changes: dict[str, Any], *accepted: str) -> list[str]:
    """Return the words by which a host with these changes may not be rebooted."""
    return words(reboot_preflight(changed(BEFORE, changes), accepted))


def missing(changes: dict[str, Any], *, forced: bool = False, before: dict[str, Any] | None = None) -> list[str]:
    """Return the words by which a host with these changes has not come back."""
    return words(reboot_verification(changed(AFTER, changes), changed(BEFORE, before or {}), forced))


def words(judgement: dict[str, list[str]]) -> list[str]:
    """Return what each problem begins with."""
    return [problem.partition(":")[0] for problem in judgement["problems"]]


def test_filters_have_their_names() -> None:
    assert set(FilterModule().filters()) == {"reboot_preflight", "reboot_verification"}


def test_essential_checks_are_checks_of_the_diagnosis() -> None:
    assert set(ESSENTIAL) <= {rule.name for rule in RULES}


def test_host_that_is_well_may_be_rebooted() -> None:
    # Of a cluster that keeps nothing twice, which is how it was made.
    assert [check["code"] for check in BEFORE["ceph"]["cluster"]["checks"]] == ["POOL_NO_REDUNDANCY"]
    assert reboot_preflight(BEFORE) == {"problems": [], "notes": []}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ceph/cluster/recovering": True}, ["recovering"]),
        ({"ceph/cluster/checks": [WARNING], "ceph/cluster/health": "HEALTH_WARN"}, ["OSD_NEARFULL"]),
        ({"ceph/cluster/monitors": [{"name": "a", "v1": None, "v2": None, "in_quorum": False}]}, ["monitors"]),
        ({"boot/me/admitted": False}, ["not-admitted"]),
        ({"ceph/me/user/can_blocklist_itself": False}, ["cannot-blocklist"]),
        ({"ceph/me/blocklist": [FENCE]}, ["fenced"]),
        ({"host": {"reachable": False, "error": "timeout"}}, ["unreachable"]),
        ({"power": "off"}, ["power-driver-wrong"]),
    ],
)
def test_host_that_would_not_come_back_is_left_alone(changes: dict[str, Any], found: list[str]) -> None:
    assert set(found) <= set(refused(changes))


def test_what_decides_has_to_be_known() -> None:
    assert {"boot-tree", "host-cpio", "admitted"} <= set(refused({"boot": None}))
    assert {"cluster", "image", "own-fence"} <= set(refused({"ceph": None}))
    # Nothing is known either way, and nothing hangs on it.
    assert refused({"boot_log": None, "network": None}) == []


def test_user_may_accept_what_is_known() -> None:
    assert refused({"ceph/cluster/checks": [WARNING], "boot/me/admitted": None}, "OSD_NEARFULL", "admitted") == []


@pytest.mark.parametrize(
    "changes", [{"ceph/me/blocklist": [{**FORMER, "address": CLIENT}]}, {"host/root/read_only": True}]
)
def test_what_a_reboot_cures_is_no_reason_against_it(changes: dict[str, Any]) -> None:
    assert refused(changes) == []
    assert len(reboot_preflight(changed(BEFORE, changes))["notes"]) == 1


def test_host_with_another_boot_and_its_own_lock_has_come_back() -> None:
    assert reboot_verification(AFTER, BEFORE) == {"problems": [], "notes": []}
    # Ceph prints the same client in more than one way.
    assert missing({"ceph/me/watchers": [{"client": "client.9", "address": f"v1:{CLIENT}"}]}) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"host/boot_id": "1111"}, ["same-boot"]),
        ({"host": {"reachable": False, "error": "timeout"}}, ["unreachable"]),
        ({"host/root/image": "other"}, ["other-root"]),
        ({"host/root/client": None}, ["root", "watchers", "lock"]),
        ({"host/boot_mounted": False}, ["boot-not-mounted"]),
        ({"host/boot_mounted": None}, ["boot_mounted"]),
        ({"host/failed_units": ["nginx.service"]}, ["failed-units"]),
        ({"host/failed_units": None}, ["failed_units"]),
        ({"ceph/me/locks": []}, ["lock"]),
        (
            {"ceph/me/watchers": [{"client": "client.9", "address": CLIENT}, {"client": "client.8", "address": OTHER}]},
            ["watchers"],
        ),
        ({"ceph/me/blocklist": [FORMER]}, ["blocklisted"]),
        ({"ceph": {"reached": False, "error": "timeout"}}, ["image", "cluster-no-answer"]),
    ],
)
def test_host_that_is_not_as_before_has_not_come_back(changes: dict[str, Any], found: list[str]) -> None:
    assert missing(changes) == found


def test_lock_of_somebody_else_is_named() -> None:
    locks = [{"owner": "client.8", "address": OTHER, "cookie": 1}]
    problems = reboot_verification(changed(AFTER, {"ceph/me/locks": locks}), BEFORE)["problems"]
    assert f"lock: it belongs to {OTHER}; expected {CLIENT}, the client of the host." in problems


def test_image_without_a_lock_needs_none() -> None:
    assert missing({"ceph/me/locks": [], "ceph/me/image/features": ["layering"]}) == []


def test_power_cut_leaves_an_entry_of_the_former_self() -> None:
    assert missing({"ceph/me/blocklist": [FORMER]}, forced=True) == []
    without = {"spec/exitrd": False, "host/exitrd": False, "boot": None}
    assert missing({"ceph/me/blocklist": [FORMER], **without}) == []
    assert missing({"ceph/me/blocklist": [FORMER]}, before={"ceph/me/blocklist": [FORMER]}) == []


def test_unit_that_failed_before_is_a_note() -> None:
    units = {"host/failed_units": ["nginx.service"]}
    assert missing(units, before=units) == []
    assert reboot_verification(changed(AFTER, units), changed(BEFORE, units))["notes"][0].endswith("It was so before.")
    assert missing({"host/failed_units": ["nginx.service", "ssh.service"]}, before=units) == ["failed-units"]


def test_evidence_without_a_spec_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="reboot_preflight: the evidence has no complete host spec"):
        reboot_preflight({"host": {}})
