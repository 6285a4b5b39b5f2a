# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of each host, from recorded answers, and what of it remains when Ceph does not answer."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_batch_script import BATCH_SCRIPT
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_evidence import fleet_evidence
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_reader import read_what_answers
from ansible_collections.diskless.ceph.plugins.module_utils._host_storage_wanted import WantedHost
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_bulk_scripts import READ_SCRIPT
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName

from .conftest import RELEASES

Recorded = Callable[..., Any]
FEATURES = ("layering", "exclusive-lock", "object-map", "fast-diff")
KEY = "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA=="
NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWNER = {"client": "client.4137", "address": "10.77.0.11:0/2736153118"}
# The clusters that were recorded.
HEALTHY = {
    "health": {"status": "HEALTH_OK", "checks": {}, "mutes": []},
    "pgmap": {"num_pgs": 48, "pgs_by_state": [{"state_name": "active+clean", "count": 48}]},
}
UNREACHABLE = Finished(1, "", "error connecting to the cluster: [errno 110] RADOS timed out (error connecting)")
HUNG = Finished(1, "", "cannot read image diskless/pi1/root: [errno 110] RBD connection timed out")


def host(name: str = "pi1", number: int = 11, kernel: str = "6.1", pool: str = "diskless") -> WantedHost:
    root = ImageName(pool, name, "root")
    return WantedHost(name, "amd64", f"10.77.0.{number}", root, f"client.diskless.{name}", 16 << 20, FEATURES, kernel)


def answers(recorded: Recorded, release: str) -> dict[str, Any]:
    """What a cluster with one host says: see tests/fixtures/questions/base.toml."""
    return {
        "status": HEALTHY,
        "mon dump": recorded("mon_dump", release),
        "osd dump": recorded("osd_dump", release),
        "auth ls": recorded("auth_ls", release),
        "images": recorded("bulk_read", release),
    }


class Ceph:
    """Stands in for Ceph's Python bindings: says what it is given, or fails as it is given. Counts the processes."""

    def __init__(self, says: Mapping[str, Any]) -> None:
        self.says = says
        self.starts = 0

    def __call__(self, start: Start) -> Finished:
        self.starts += 1
        if start.stdin.endswith(READ_SCRIPT):
            return finished(self.says["images"])
        assert start.stdin.endswith(BATCH_SCRIPT)
        down = self.says["status"] is UNREACHABLE
        if down:
            return UNREACHABLE
        request = json.loads(ast.literal_eval(start.stdin.splitlines()[1].partition("json.loads(")[2][:-1]))
        commands = [" ".join(command["args"]).replace(" -f json", "") for command in request["commands"]]
        return finished([asdict(finished(self.says[command])) for command in commands])


def finished(said: Any) -> Finished:
    return said if isinstance(said, Finished) else Finished(0, json.dumps(said), "")


def evidence(says: Mapping[str, Any], *hosts: WantedHost) -> dict[str, Any]:
    wanted = hosts or (host(),)
    return fleet_evidence(read_what_answers(CephClient(run=Ceph(says)), wanted), wanted, NOW)


def with_image(says: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The same cluster with another root image of pi1."""
    images = [{**image, **changed} if image["namespace"] == "pi1" else image for image in says["images"]["images"]]
    return {**says, "images": {**says["images"], "images": images}}


def with_caps(says: dict[str, Any], **caps: str) -> dict[str, Any]:
    """The same cluster with other caps of pi1's user."""
    users = [
        {**user, "caps": caps} if user["entity"] == "client.diskless.pi1" else user
        for user in says["auth ls"]["auth_dump"]
    ]
    return {**says, "auth ls": {"auth_dump": users}}


@pytest.mark.parametrize("release", RELEASES)
def test_host_whose_storage_is_there(recorded: Recorded, release: str) -> None:
    found = evidence(with_caps(answers(recorded, release), mon="profile rbd", osd="profile rbd pool=diskless"))
    assert (found["reached"], found["error"]) == (True, None)
    assert found["hosts"] == {
        "pi1": {
            "image": {
                "name": "diskless/pi1/root",
                "exists": True,
                "size": 8 << 20,
                "wanted_size": 16 << 20,
                "features": [*FEATURES, "operations"],
                "parent": "diskless/golden@root",
                "problems": [],
            },
            "locks": [],
            "watchers": [],
            "owner_alive": None,
            "user": {
                "name": "client.diskless.pi1",
                "exists": True,
                "caps": {"mon": "profile rbd", "osd": "profile rbd pool=diskless"},
                "caps_missing": [],
                "can_blocklist_itself": True,
                "key_fingerprint": "5c628acf9a1d9e1c",
            },
            "blocklist": [],
        }
    }
    cluster = found["cluster"]
    assert (cluster["fsid"], cluster["release"]) == (recorded("mon_dump", release)["fsid"], int(release))
    assert (cluster["health"], cluster["recovering"]) == ("HEALTH_OK", False)
    assert cluster["flags"] == ["pglog_hardlimit", "purged_snapdirs", "recovery_deletes", "sortbitwise"]
    assert cluster["monitors"] == [{"name": "a", "v1": "127.0.0.1:6789", "v2": "127.0.0.1:3300", "in_quorum": True}]


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_user_cannot_read_the_golden_image(recorded: Recorded, release: str) -> None:
    (found,) = evidence(answers(recorded, release))["hosts"].values()
    parent = next(image["id"] for image in recorded("bulk_read", release)["images"] if image["image"] == "golden")
    missing = found["user"]["caps_missing"]
    assert [grant.partition("object_prefix ")[2].split()[0] for grant in missing] == [
        "rbd_directory",
        f"rbd_header.{parent}",
        f"rbd_object_map.{parent}",
        f"rbd_data.{parent}.",
    ]
    assert found["user"]["can_blocklist_itself"] is True


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_not_there_is_told(recorded: Recorded, release: str) -> None:
    hosts = evidence(answers(recorded, release), host("pi2", 12), host("pi3", 13, pool="absent"))["hosts"]
    assert hosts["pi2"]["image"] == {
        "name": "diskless/pi2/root",
        "exists": False,
        "size": None,
        "wanted_size": 16 << 20,
        "features": None,
        "parent": None,
        "problems": ["image diskless/pi2/root: namespace pi2 does not exist; did you mean pi1?"],
    }
    assert (hosts["pi2"]["locks"], hosts["pi2"]["watchers"], hosts["pi2"]["owner_alive"]) == ([], [], None)
    assert hosts["pi2"]["user"] == {
        "name": "client.diskless.pi2",
        "exists": False,
        "caps": None,
        "caps_missing": None,
        "can_blocklist_itself": None,
        "key_fingerprint": None,
    }
    assert hosts["pi3"]["image"]["problems"] == ["image absent/pi3/root: pool absent does not exist"]


def test_image_missing_in_its_namespace(recorded: Recorded) -> None:
    says = with_image(answers(recorded, "16"), image="other")
    assert evidence(says)["hosts"]["pi1"]["image"]["problems"] == ["image diskless/pi1/root does not exist"]


@pytest.mark.parametrize(("watchers", "alive"), [([OWNER], True), ([{**OWNER, "address": "10.77.0.11:0/9"}], False)])
def test_lock_and_whether_its_owner_lives(recorded: Recorded, watchers: list[dict[str, str]], alive: bool) -> None:
    lock = {"locker": OWNER["client"], "address": OWNER["address"], "lock_id": "auto 42", "exclusive": True}
    found = evidence(with_image(answers(recorded, "16"), lock=lock, watchers=watchers))["hosts"]["pi1"]
    assert found["locks"] == [{"owner": "client.4137", "address": OWNER["address"], "cookie": 42}]
    assert (found["watchers"], found["owner_alive"]) == (watchers, alive)
    assert found["image"]["problems"] == []


def test_lock_by_hand(recorded: Recorded) -> None:
    lock = {"locker": OWNER["client"], "address": OWNER["address"], "lock_id": "backup", "exclusive": True}
    found = evidence(with_image(answers(recorded, "16"), lock=lock))["hosts"]["pi1"]
    assert (found["locks"][0]["cookie"], found["owner_alive"]) == (None, None)
    assert found["image"]["problems"] == [
        "it was locked by hand (rbd lock add, id 'backup'), and such a lock no kernel takes over"
    ]


def test_image_that_the_kernel_cannot_map(recorded: Recorded) -> None:
    bits = 1 | 4 | 8 | 16 | 64 | 128
    says = with_image(answers(recorded, "16"), features=bits, data_pool="ssd")
    assert evidence(says, host(kernel="5.1"))["hosts"]["pi1"]["image"]["problems"] == [
        "kernel 5.1 cannot map it: object-map needs kernel 5.3",
        "kernel 5.1 cannot map it: fast-diff needs kernel 5.3",
        "kernel 5.1 cannot map it: no kernel maps journaling",
        "its data is in pool ssd, which the caps of a host do not open",
    ]


def test_entries_that_hit_the_host(recorded: Recorded) -> None:
    says = answers(recorded, "16")
    until = "2026-11-21T13:04:05.000000+0000"
    says["osd dump"]["blocklist"] = dict.fromkeys(["10.77.0.11:0/99", "10.77.0.12:0/0", "10.77.0.13:0/1"], until)
    says["osd dump"]["range_blocklist"] = {"cidr:10.77.0.8:0/30": until, "cidr:10.78.0.0:0/16": until}
    hosts = evidence(says, host(), host("pi2", 12))["hosts"]
    assert hosts["pi1"]["blocklist"] == [
        {"address": "10.77.0.11:0/99", "kind": "client", "until": "2026-11-21T13:04:05Z", "fence": False},
        {"address": "10.77.0.8/30", "kind": "range", "until": "2026-11-21T13:04:05Z", "fence": True},
    ]
    assert [(entry["address"], entry["kind"]) for entry in hosts["pi2"]["blocklist"]] == [("10.77.0.12:0/0", "host")]


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_blocklist(recorded: Recorded, release: str) -> None:
    says = {**answers(recorded, release), "osd dump": recorded("rbd_lock_osd_dump", release)}
    (lock,) = recorded("rbd_lock_dead", release)
    dead = replace(host(), address=lock["address"].partition(":")[0])
    (entry,) = evidence(says, dead)["hosts"]["pi1"]["blocklist"]
    assert (entry["address"], entry["kind"], entry["fence"]) == (lock["address"], "client", False)


def test_cluster_that_cannot_be_reached_leaves_everything_unknown(recorded: Recorded) -> None:
    found = evidence({**answers(recorded, "16"), "status": UNREACHABLE})
    assert found["reached"] is False
    assert "no answer within 30 s: can the monitors be reached from there?" in found["error"]
    assert set(found["cluster"]) == {"fsid", "release", "health", "checks", "flags", "recovering", "monitors"}
    assert set(found["cluster"].values()) == {None}
    assert found["hosts"]["pi1"] == {
        "image": {
            "name": "diskless/pi1/root",
            "exists": None,
            "size": None,
            "wanted_size": 16 << 20,
            "features": None,
            "parent": None,
            "problems": None,
        },
        "locks": None,
        "watchers": None,
        "owner_alive": None,
        "user": {
            "name": "client.diskless.pi1",
            "exists": None,
            "caps": None,
            "caps_missing": None,
            "can_blocklist_itself": None,
            "key_fingerprint": None,
        },
        "blocklist": None,
    }


def test_monitors_that_refuse_were_reached(recorded: Recorded) -> None:
    refused = Finished(13, "", "Error EACCES: access denied")
    found = evidence({**answers(recorded, "16"), "auth ls": refused})
    assert found["reached"] is True
    assert "its caps have to include mon 'allow r, allow command \"auth ls\"'" in found["error"]
    assert found["cluster"]["health"] is None
    assert found["hosts"]["pi1"]["user"]["exists"] is None


def test_osds_that_do_not_answer_leave_only_the_images_unknown(recorded: Recorded) -> None:
    found = evidence({**answers(recorded, "16"), "images": HUNG})
    assert found["reached"] is True
    assert "rbd info diskless/pi1/root" in found["error"]
    pi1 = found["hosts"]["pi1"]
    assert (pi1["image"]["exists"], pi1["locks"], pi1["watchers"], pi1["owner_alive"]) == (None, None, None, None)
    assert found["cluster"]["health"] == "HEALTH_OK"
    assert (pi1["user"]["exists"], pi1["blocklist"]) == (True, [])
    # Whether it may read the parent cannot be known without knowing the parent.
    assert pi1["user"]["caps_missing"] == []


def test_cluster_of_an_unsupported_release_says_so(recorded: Recorded) -> None:
    says = answers(recorded, "14")
    says["mon dump"]["min_mon_release"] = 13
    found = evidence(says)
    assert found["reached"] is True
    assert "upgrade Ceph first" in found["error"]


@pytest.mark.parametrize("release", RELEASES)
def test_no_key_is_told(recorded: Recorded, release: str) -> None:
    assert KEY in json.dumps(recorded("auth_ls", release))
    assert KEY not in json.dumps(evidence(answers(recorded, release), host(), host("pi2", 12)))


def test_a_thousand_hosts_cost_two_processes(recorded: Recorded) -> None:
    hosts = [replace(host(f"pi{number}"), address=f"10.77.{number // 250}.{number % 250}") for number in range(1000)]
    ceph = Ceph(answers(recorded, "16"))
    found = fleet_evidence(read_what_answers(CephClient(run=ceph), hosts), hosts, NOW)
    assert (len(found["hosts"]), ceph.starts) == (1000, 2)


def test_without_bindings_it_asks_the_same(recorded: Recorded) -> None:
    says = {**answers(recorded, "16"), "osd pool ls": []}

    def tools(start: Start) -> Finished:
        words = start.argv[start.argv.index("30") + 1 :]
        return finished(says[" ".join(words).replace(" -f json", "")])

    client = CephClient(bindings="never", run=tools)
    found = fleet_evidence(read_what_answers(client, [host()]), [host()], NOW)
    expected = evidence(says)
    assert (found["reached"], found["error"], found["cluster"]) == (True, None, expected["cluster"])
    assert found["hosts"]["pi1"]["image"]["problems"] == ["image diskless/pi1/root: pool diskless does not exist"]
    # Without the image it is not known what its parent is, so that much is not missing.
    assert found["hosts"]["pi1"]["user"] == {**expected["hosts"]["pi1"]["user"], "caps_missing": []}
