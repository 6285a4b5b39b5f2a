# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""osd_blocklist_info on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.ceph import CephCluster
from tests.integration.conftest import CLUSTER_ADDRESS
from tests.integration.module_run import ModuleFailed, ModuleRun

HOSTS = [
    {"name": "pi1", "address": "10.9.1.1/24"},
    {"name": "pi2", "address": "10.9.1.2"},
    {"name": "pi6", "address": "fd00:9::1"},
    {"name": "elsewhere", "address": "10.10.1.1"},
]
VOLATILE = ("seconds_left",)


@pytest.fixture(autouse=True, scope="module")
def blocked(ceph: CephCluster) -> Iterator[None]:
    """An entry of each kind."""
    word = "blacklist" if ceph.release == "14" else "blocklist"
    commands = [f"add {address} 7200" for address in ("10.9.1.1:0/4137", "10.9.1.2:0/0", "[fd00:9::1]:0/4138")]
    commands += [] if ceph.release == "14" else ["range add 10.9.0.0/16 7200"]
    # An instance of a monitor; a fence at its address would cut off the daemons of the cluster.
    commands += [f"add {CLUSTER_ADDRESS}:6789/0 7200"]
    ceph.run("sh", "-ec", "\n".join(f"ceph osd {word} {command}" for command in ["clear", *commands]))
    yield
    ceph.run("ceph", "osd", word, "clear")


def test_entries_with_kind_and_time_and_whom_they_hit(module: ModuleRun, ceph: CephCluster) -> None:
    result = module.info("osd_blocklist_info", ignore=VOLATILE, hosts=HOSTS, clients=True)
    expected = [
        ("10.9.1.1:0/4137", "client", False, ["pi1"]),
        ("10.9.1.2:0/0", "host", True, ["pi2"]),
        (f"{CLUSTER_ADDRESS}:6789/0", "client", False, []),
        ("[fd00:9::1]:0/4138", "client", False, ["pi6"]),
        ("10.9.0.0/16", "range", True, ["pi1", "pi2"]),
    ]
    found = [(entry["address"], entry["kind"], entry["fence"], entry["hosts"]) for entry in result["entries"]]
    assert found == (expected[:4] if ceph.release == "14" else expected)
    assert all(6500 < entry["seconds_left"] <= 7200 for entry in result["entries"])
    assert [entry["daemons"] for entry in result["entries"]][:4] == [[], [], [f"mon.a ({CLUSTER_ADDRESS})"], []]
    assert all(entry["clients"] == [] for entry in result["entries"])
    assert result["blocked_hosts"] == ["pi1", "pi2", "pi6"]
    assert result["word"] == ("blacklist" if ceph.release == "14" else "blocklist")


def test_which_entries_hit_an_address(module: ModuleRun, ceph: CephCluster) -> None:
    hit_by = {
        "10.9.1.1:0/4137": ["10.9.1.1:0/4137", "10.9.0.0/16"],
        "10.9.1.1:0/1": ["10.9.0.0/16"],
        "10.9.1.1": ["10.9.1.1:0/4137", "10.9.0.0/16"],
        "v1:10.9.1.2:0/99": ["10.9.1.2:0/0", "10.9.0.0/16"],
        "10.10.1.1": [],
    }
    for address, entries in hit_by.items():
        result = module("osd_blocklist_info", address=address, daemons=False)
        wanted = [entry for entry in entries if ceph.release != "14" or entry != "10.9.0.0/16"]
        assert [entry["address"] for entry in result["entries"]] == wanted, address


def test_what_is_no_address_is_refused(module: ModuleRun) -> None:
    with pytest.raises(ModuleFailed) as failed:
        module("osd_blocklist_info", address="pi1", hosts=[{"name": "pi9", "address": "pi9.example.org"}])
    assert "address: 'pi1' is no IP address" in str(failed.value)
    assert "; host pi9: 'pi9.example.org' is no IP address" in str(failed.value)
