# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter recovery: what is done so that a host can boot again, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.recovery import recovery

SPEC = {"name": "udoo1", "address": "10.77.0.11", "pool": "diskless", "namespace": "udoo1", "image": "root"}
LOCK = {"locker": "client.4154", "address": "10.77.0.11:0/13", "lock_id": "auto 14", "exclusive": True}
IMAGE: dict[str, Any] = {"spec": "diskless/udoo1/root", "lock": LOCK}
OFF = {"off": True, "proof": "its power driver says that it is off", "problems": [], "switch_off": False}
DEAD = {"address": "10.77.0.11:0/12", "kind": "client", "until": "2026-11-22T14:24:22Z", "hosts": ["udoo1"]}
FENCE = {**DEAD, "address": "10.77.0.11:0/0", "kind": "host"}
RACK = {**DEAD, "address": "10.77.0.0/24", "kind": "range", "hosts": ["udoo1", "udoo2"]}
FSCK = {"host": "admin", "repair": "safe", "snapshot": "before-fsck-1"}


def plan(**changes: Any) -> dict[str, Any]:
    return recovery(
        {
            "spec": SPEC,
            "image": IMAGE,
            "off": OFF,
            "lock_problems": [],
            "blocklist": [DEAD],
            "lift_ranges": [],
            "blocklist_expire": "1d",
            "fsck": None,
            "power_on": True,
            "can_switch_on": True,
            **changes,
        }
    )


def lifted(found: dict[str, Any]) -> list[str]:
    assert all((entry["state"], entry["instances"]) == ("absent", "exact") for entry in found["lift"])
    return [entry["address"] for entry in found["lift"]]


def test_dead_owner_is_kept_out_before_its_lock_is_broken() -> None:
    found = plan()
    assert found["steps"] == [
        "blocklist 10.77.0.11:0/13 for 1d",
        "break lock 'auto 14' of client.4154 on diskless/udoo1/root",
        "switch it on",
        "follow it until it is ready, and see that it owns its root image",
    ]
    assert found["owner"] == {"client": "client.4154", "address": "10.77.0.11:0/13"}
    assert (found["lift"], found["problems"]) == ([], [])


def test_what_was_found_is_said() -> None:
    assert plan(blocklist=[DEAD, FENCE])["found"] == [
        "udoo1 is off: its power driver says that it is off",
        "lock of its root image: client.4154, 10.77.0.11:0/13, dead",
        "shut out by: 10.77.0.11:0/0",
    ]
    assert plan(image={**IMAGE, "lock": None})["found"][1:] == [
        "lock of its root image: nobody",
        "shut out by: nothing",
    ]


def test_host_that_was_shut_down_in_an_orderly_way_is_only_switched_on() -> None:
    found = plan(image={**IMAGE, "lock": None})
    assert (found["owner"], found["lift"]) == (None, [])
    assert found["steps"][0] == "switch it on"


def test_fences_are_lifted_after_the_lock_is_broken_and_entries_of_former_selves_stay() -> None:
    """The lock's owner has an entry of its own by then, so that it is not the fence that keeps it out."""
    found = plan(blocklist=[DEAD, FENCE, RACK], lift_ranges="10.77.0.0/24,")
    assert lifted(found) == ["10.77.0.11:0/0", "10.77.0.0/24"]
    assert found["steps"][2:4] == ["lift 10.77.0.11:0/0 from the blocklist", "lift 10.77.0.0/24 from the blocklist"]


def test_range_that_hits_others_is_in_the_way_unless_it_is_named() -> None:
    found = plan(blocklist=[RACK])
    assert lifted(found) == []
    assert "lift it with recover_host_lift_ranges=10.77.0.0/24" in found["problems"][0]


def test_file_system_is_checked_while_the_host_is_shut_out() -> None:
    found = plan(fsck=FSCK)
    assert lifted(found) == ["10.77.0.11:0/0"]
    assert found["steps"][2:6] == [
        "blocklist 10.77.0.11:0/0 while its file system is checked",
        "take snapshot before-fsck-1",
        "check the file system on admin, repair safe",
        "lift 10.77.0.11:0/0 from the blocklist",
    ]
    assert lifted(plan(fsck=FSCK, blocklist=[FENCE])) == ["10.77.0.11:0/0"]


def test_all_problems_are_told_together() -> None:
    found = plan(image=None, lock_problems=["udoo1: locked by hand"], blocklist=[RACK])
    assert [problem.split(" of the")[0] for problem in found["problems"]] == [
        "udoo1: locked by hand",
        "udoo1 is shut out by range 10.77.0.0/24",
        "udoo1 has no root image diskless/udoo1/root; the site playbook makes one",
    ]


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({"power_on": False}, "break lock 'auto 14' of client.4154 on diskless/udoo1/root"),
        ({"can_switch_on": False}, "follow it until it is ready, and see that it owns its root image"),
    ],
)
def test_host_that_nobody_switches_on(changes: dict[str, Any], last: str) -> None:
    steps = plan(**changes)["steps"]
    assert steps[-1] == last
    assert "switch it on" not in steps
    assert ("wait for somebody to switch it on" in steps) == ("can_switch_on" in changes)


def test_power_cut_is_the_first_step() -> None:
    found = plan(off={**OFF, "switch_off": True})
    assert found["steps"][0] == "switch its power off"
    assert found["found"][1] == "lock of its root image: client.4154, 10.77.0.11:0/13, alive until then"


def test_range_that_is_none_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="recover_host_lift_ranges: range 'all': expected a network"):
        plan(lift_ranges=["all"])


def test_evidence_that_is_not_complete_is_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="the evidence is not complete: 'spec' is missing"):
        recovery({})
