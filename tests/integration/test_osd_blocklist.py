# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""osd_blocklist on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import CLUSTER_ADDRESS, POOL, Machine
from tests.integration.module_run import ModuleFailed, ModuleRun

no_ranges = pytest.mark.not_on("14", reason="no range in the blocklist before 16")


def word(ceph: CephCluster) -> str:
    return "blacklist" if ceph.release == "14" else "blocklist"


def listed(ceph: CephCluster) -> dict[str, str]:
    """Instances and hosts as Ceph prints them, and their times."""
    entries: dict[str, str] = ceph.ceph("osd", "dump")[word(ceph)]
    return entries


def ranges(ceph: CephCluster) -> set[str]:
    return set(ceph.ceph("osd", "dump")["range_blocklist"])


def add(ceph: CephCluster, *commands: str) -> None:
    """Run several commands of ``ceph osd blocklist``."""
    ceph.run("sh", "-ec", "\n".join(f"ceph osd {word(ceph)} {command}" for command in commands))


def warnings(result: dict[str, Any]) -> list[str]:
    return [warning["event"]["msg"] if isinstance(warning, dict) else warning for warning in result["warnings"]]


@pytest.fixture(scope="module", autouse=True)
def nobody_from_before(ceph: CephCluster) -> None:
    """What other tests have left on the list of the cluster is not there."""
    add(ceph, "clear")


@pytest.fixture(autouse=True)
def lifted(ceph: CephCluster) -> Iterator[None]:
    """Nobody is blocked when a test has ended."""
    yield
    add(ceph, "clear")


def test_entries_come_and_go(module: ModuleRun, ceph: CephCluster) -> None:
    printed = {
        "10.8.1.1:0/4137": "10.8.1.1:0/4137",
        "v1:10.8.1.1:3/4": "10.8.1.1:3/4",
        "10.8.1.2": "10.8.1.2:0/0",
        "fd00:8::1": "[fd00:8::1]:0/0",
        "[fd00:8::2]": "[fd00:8::2]:0/0",
        "[FD00:8::0:1]:0/4137": "[fd00:8::1]:0/4137",
    }
    entries = [{"address": address} for address in printed]
    added = module.converge("osd_blocklist", entries=entries)
    assert set(listed(ceph)) == set(printed.values())
    assert (added["added"], added["removed"], added["renewed"]) == (list(printed.values()), [], [])
    assert {entry["address"] for entry in added["entries"]} == set(printed.values())
    removed = module.converge("osd_blocklist", entries=entries, state="absent")
    assert listed(ceph) == {}
    assert set(removed["removed"]) == set(printed.values())
    assert removed["entries"] == []


@no_ranges
def test_ranges_come_and_go(module: ModuleRun, ceph: CephCluster) -> None:
    entries = [{"address": "10.8.0.0/16"}, {"address": "fd00:8::/64"}]
    added = module.converge("osd_blocklist", entries=entries)
    assert ranges(ceph) == {"cidr:10.8.0.0:0/16", "cidr:[fd00:8::]:0/64"}
    assert listed(ceph) == {}
    assert [entry["fence"] for entry in added["entries"]] == [True, True]
    assert warnings(added)[0] == (
        "10.8.0.0/16 is a fence for a range: every client with an address in it is shut out, also one that starts "
        "later, until it is removed or expires"
    )
    module.converge("osd_blocklist", entries=entries, state="absent")
    assert ranges(ceph) == set()


@no_ranges
@pytest.mark.full
def test_range_goes_however_it_was_typed(module: ModuleRun, ceph: CephCluster) -> None:
    add(ceph, "range add 10.6.1.2/16")
    assert module("osd_blocklist", address="10.6.0.0/16")["changed"] is False
    module.converge("osd_blocklist", address="10.6.0.0/16", state="absent")
    assert ranges(ceph) == set()


@pytest.mark.not_on("16", "18", "20", reason="it has ranges; what 14 says instead of one does not arise")
def test_release_without_ranges_says_so(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed) as failed:
        module("osd_blocklist", address="10.8.0.0/16")
    assert str(failed.value) == (
        "10.8.0.0/16 is a range, which the blocklist of Ceph 14 does not have (it came with 16): name the hosts one by "
        "one"
    )


@no_ranges
def test_unblocked_behind_a_fence_is_said_to_be_still_blocked(module: ModuleRun, ceph: CephCluster) -> None:
    add(ceph, "range add 10.8.0.0/16", "add 10.8.1.1:0/0", "add 10.8.1.1:0/4137")
    result = module("osd_blocklist", address="10.8.1.1:0/4137", state="absent")
    assert warnings(result) == [
        "10.8.1.1:0/4137 is still blocked, by 10.8.1.1:0/0 (host), which is not to be removed",
        "10.8.1.1:0/4137 is still blocked, by 10.8.0.0/16 (range), which is not to be removed",
    ]
    assert [(entry["address"], entry["hits"]) for entry in result["entries"]] == [
        ("10.8.1.1:0/0", ["10.8.1.1:0/4137"]),
        ("10.8.0.0/16", ["10.8.1.1:0/4137"]),
    ]


def test_entry_that_exists_keeps_its_time_unless_it_is_to_be_extended(module: ModuleRun, ceph: CephCluster) -> None:
    address = "10.8.1.1:0/4137"
    add(ceph, f"add {address} 600")
    before = listed(ceph)
    assert module("osd_blocklist", address=address, expire="2h")["changed"] is False
    assert module("osd_blocklist", address=address, expire="2h", min_remaining="5m")["changed"] is False
    assert listed(ceph) == before
    renewed = module.converge("osd_blocklist", address=address, expire="2h", extend=True)
    assert (renewed["renewed"], renewed["added"], renewed["removed"]) == ([address], [], [])
    assert listed(ceph)[address] > before[address]
    assert module("osd_blocklist_info")["entries"][0]["seconds_left"] > 7000


@pytest.mark.full
def test_all_instances_of_a_host_go_with_its_address(module: ModuleRun, ceph: CephCluster) -> None:
    add(ceph, *(f"add {address}" for address in ("10.8.2.1:0/0", "10.8.2.1:0/1", "10.8.2.1:7/2", "10.8.2.10:0/1")))
    exact = module.converge("osd_blocklist", address="10.8.2.1", state="absent", instances="exact")
    assert exact["removed"] == ["10.8.2.1:0/0"]
    every = module.converge("osd_blocklist", address="10.8.2.1", state="absent")
    assert every["removed"] == ["10.8.2.1:0/1", "10.8.2.1:7/2"]
    assert set(listed(ceph)) == {"10.8.2.10:0/1"}


def test_whole_list_goes_only_when_all_is_said(module: ModuleRun, ceph: CephCluster) -> None:
    add(ceph, "add 10.8.2.1:0/0", "add fd00:8::1", *([] if ceph.release == "14" else ["range add 10.6.1.2/16"]))
    with pytest.raises(ModuleFailed, match="nothing is named: give address or entries, or all=true"):
        module("osd_blocklist", state="absent")
    with pytest.raises(ModuleFailed, match="all=true removes every entry: it needs state=absent"):
        module("osd_blocklist", all=True)
    with pytest.raises(ModuleFailed, match="address and entries have no place beside it"):
        module("osd_blocklist", all=True, state="absent", entries=[])
    assert len(listed(ceph)) == 2
    module.converge("osd_blocklist", all=True, state="absent")
    assert listed(ceph) == {}
    assert ceph.release == "14" or ranges(ceph) == set()


@pytest.mark.full
def test_fifty_entries_in_one_task(module: ModuleRun, ceph: CephCluster) -> None:
    wanted = [f"10.8.3.{number}:0/{number + 1000}" for number in range(50)]
    entries = [{"address": address} for address in wanted]
    assert module("osd_blocklist", entries=entries, expire="2h")["added"] == wanted
    assert set(listed(ceph)) == set(wanted)
    mixed = [*entries[1:], {"address": "10.8.4.1:0/1", "state": "present"}]
    assert module("osd_blocklist", entries=mixed, state="absent")["removed"] == wanted[1:]
    assert set(listed(ceph)) == {wanted[0], "10.8.4.1:0/1"}


def test_cluster_does_not_cut_itself_off(module: ModuleRun, ceph: CephCluster) -> None:
    subnet = "10.76.0.0/24"
    dangerous = [CLUSTER_ADDRESS] if ceph.release == "14" else [CLUSTER_ADDRESS, subnet]
    whom = ", ".join(
        f"{name} ({CLUSTER_ADDRESS})"
        for name in ("mds.a", "mgr.a", "mon.a", "osd.0", "the host of this task's commands")
    )
    remedy = "the cluster would cut itself off; choose a narrower address, or set force=true if that is meant"
    for bindings in (True, False):
        with pytest.raises(ModuleFailed) as failed:
            module("osd_blocklist", bindings=bindings, entries=[{"address": text} for text in [*dangerous, "10.8.5.1"]])
        assert str(failed.value) == "; ".join(f"{text} covers {whom}: {remedy}" for text in dangerous)
    assert listed(ceph) == {}
    assert module("osd_blocklist", check_mode=True, address=CLUSTER_ADDRESS, force=True)["changed"] is True


def test_what_is_no_address_is_said_before_anything_is_changed(module: ModuleRun, ceph: CephCluster) -> None:
    wrong = ["pi3", "10.8.0.5/16", "10.8.1.1:4137"]
    with pytest.raises(ModuleFailed) as failed:
        module("osd_blocklist", entries=[{"address": text} for text in ["10.8.1.1", *wrong]])
    assert [text for text in wrong if f"'{text}'" not in str(failed.value)] == []
    assert listed(ceph) == {}


def test_client_at_a_blocked_address_fails_until_it_is_lifted(
    module: ModuleRun, ceph: CephCluster, machines: list[Machine]
) -> None:
    machine, user = machines[0], "client.blocked"
    caps = ("mon", "profile rbd", "osd", f"profile rbd pool={POOL}")
    ceph.run("ceph", "auth", "get-or-create", user, *caps)
    machine.give_key(user, ceph.ceph("auth", "get", user)[0]["key"])
    fences = [machine.address] if ceph.release == "14" else [machine.address, f"{machine.address}/32"]
    assert machine.try_to(user, "rbd", "ls", POOL).returncode == 0
    for fence in fences:
        module("osd_blocklist", address=fence, expire="10m")
        assert machine.try_to(user, "rbd", "ls", POOL).returncode == 108
        module("osd_blocklist", address=fence, state="absent")
        assert machine.try_to(user, "rbd", "ls", POOL).returncode == 0
