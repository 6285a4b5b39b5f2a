# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pre-flight: what it finds before a fleet is made, and what it leaves to the site playbook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.preflight import preflight as preflight_filter
from ansible_collections.diskless.ceph.plugins.plugin_utils._host_spec import host_specs
from ansible_collections.diskless.ceph.plugins.plugin_utils._preflight.preflight import CHECKS, preflight

from .diagnosis_evidence import NAME, changed, healthy

ROOT = Path(__file__).parents[4]
OTHER = "udoo3"
NOW = 1_763_800_000.0
FENCE = {"address": "10.77.0.12:0/0", "kind": "host", "until": "2026-11-23T09:00:00Z", "fence": True}
DEAD = {"owner": "client.4001", "address": "10.77.0.12:0/111", "cookie": 18446462598732840961}
STRANGER = {"client": "client.5000", "address": "10.77.0.99:0/777"}
NO_IMAGE = {"name": f"diskless/{NAME}/root", "exists": False, "size": None, "wanted_size": 8 << 30, "features": None}
NO_USER = {"name": f"client.diskless.{NAME}", "exists": False}
ERROR = [{"code": "MDS_ALL_DOWN", "severity": "HEALTH_ERR", "summary": "1 filesystem is offline"}]
WARNING = [{"code": "OSD_NEARFULL", "severity": "HEALTH_WARN", "summary": "1 nearfull osd(s)"}]
AWAY = {"reached": False, "error": "timed out", "cluster": {}, "hosts": {}}
OLD = {"reached": True, "error": "at release 13", "cluster": {"release": None, "monitors": None}, "hosts": {}}
ELSEWHERE = {"item": ["boot1", "10.77.0.0/24"], "rc": 0, "stdout": '{"monitors": {"10.77.0.1:3300": "timeout"}}'}


def machine(name: str, address: str, **told: Any) -> dict[str, Any]:
    """What Ansible registers of a machine that was asked."""
    answer = {
        **{"asked": NOW, "clock": NOW + 0.2, "uid": 0, "addresses": [address], "units": {}, "ports": []},
        **{"nfsd": False, "exports": [], "free": 1 << 30, "trees": []},
    }
    return {"item": name, "rc": 0, "stdout": json.dumps({**answer, **told})}


def port(protocol: str, number: int, address: str = "::", owner: str | None = "other") -> dict[str, Any]:
    return {"protocol": protocol, "port": number, "address": address, "owner": owner}


def fleet(*more: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a fleet for which all is well; of further hosts, other variables than those of the first."""
    first = {
        **{"diskless_board": "udoo_x86", "diskless_mac": "52:54:00:77:00:12", "diskless_address": "10.77.0.12/24"},
        **{"diskless_boot_network": "10.77.0.0/24", "diskless_boot_server": "10.77.0.3"},
        "diskless_netconsole": ["10.77.0.3"],
    }
    hostvars = {NAME: first, **{f"udoo{number}": {**first, **each} for number, each in enumerate(more, start=3)}}
    ceph = healthy()["ceph"]
    for name in hostvars:
        ceph["hosts"].setdefault(name, {**ceph["hosts"][NAME], "locks": [], "watchers": [], "owner_alive": None})
    settings = {
        **{"boot_server": "", "nfs": "auto", "members": [], "root": "/srv/diskless"},
        **{"page": "127.0.0.1:6680", "netconsole_port": 6666, "events_port": 6667},
    }
    return {
        "specs": [spec.as_dict() for spec in host_specs(hostvars, list(hostvars))],
        "ceph": ceph,
        "pools": [{"item": "diskless", "changed": False}],
        "groups": {"ceph_admin": ["ceph1"], "boot_servers": ["boot1"], "log_hosts": ["boot1"]},
        "machines": [machine("ceph1", "10.77.0.2"), machine("boot1", "10.77.0.3")],
        "ended": NOW + 1,
        "settings": {name: {"boot1": value} for name, value in settings.items()},
        "network": [{**ELSEWHERE, "stdout": '{"monitors": {"10.77.0.1:3300": "ok"}, "mtu": 1500}'}],
        "golden_size": "2GiB",
        "controller": {"inventory": ["inventory.yml"], "ceph_admin": "ceph1", "boot_server": "boot1"},
    }


def first_run() -> dict[str, Any]:
    """The evidence before anything was made: no pool, no image, no user, no boot tree, no service."""
    nothing = {"image": {**NO_IMAGE, "problems": ["pool diskless does not exist"]}, "user": NO_USER}
    none: dict[str, Any] = {"locks": [], "watchers": [], "owner_alive": None, "blocklist": []}
    return changed(fleet(), {"ceph/me": {**nothing, **none}})


def found(given: Mapping[str, Any], kind: str = "problems") -> list[str]:
    return [entry["check"] for entry in preflight(given)[kind]]


@pytest.mark.parametrize("given", [fleet(), first_run()], ids=["a fleet that runs", "the first run"])
def test_nothing_is_said_of_a_fleet_for_which_all_is_well(given: Mapping[str, Any]) -> None:
    report = preflight(given)
    assert (report["problems"], report["notes"], report["unknown"]) == ([], [], [])
    assert report["summary"] == "nothing that can be known speaks against the first boot of 1 host"


# What is wrong: paths of the evidence with other values, what the pre-flight calls it, and who has it.
PROBLEMS: list[tuple[str, dict[str, Any], str]] = [
    ("group-empty", {"groups/boot_servers": [], "groups/log_hosts": [], "machines": []}, ""),
    ("machine-unreachable", {"machines": [{"item": "boot1", "unreachable": True, "msg": "No route to host"}]}, "boot1"),
    (
        "machine-unreachable",
        {"machines": [{"item": "ceph1", "rc": 127, "stdout": "", "stderr": "no python3"}]},
        "ceph1",
    ),
    ("machine-without-root", {"machines": [machine("boot1", "10.77.0.3", uid=1000)]}, "boot1"),
    (
        "clocks-differ",
        {"machines": [machine("ceph1", "10.77.0.2", clock=NOW - 90), machine("boot1", "10.77.0.3")]},
        "boot1",
    ),
    ("address-taken", {"machines": [machine("ceph1", "10.77.0.12"), machine("boot1", "10.77.0.3")]}, NAME),
    (
        "address-taken",
        {"ceph/cluster/monitors": [{"name": "a", "v1": None, "v2": "10.77.0.12:3300", "in_quorum": True}]},
        NAME,
    ),
    ("cluster-no-answer", {"ceph": AWAY}, ""),
    ("cluster-refuses", {"ceph": OLD}, ""),
    ("monitors-silent", {"network": [ELSEWHERE]}, NAME),
    ("osds-silent", {"ceph/me/image": {"exists": None}, "ceph/error": "rbd: timed out"}, ""),
    ("cluster-paused", {"ceph/cluster/flags": ["pauserd", "pausewr"], "ceph/cluster/health": "HEALTH_ERR"}, ""),
    ("cluster-full", {"ceph/cluster/flags": ["full"]}, ""),
    ("cluster-error", {"ceph/cluster/health": "HEALTH_ERR", "ceph/cluster/checks": ERROR}, ""),
    ("pool-unusable", {"pools": [{"item": "diskless", "failed": True, "msg": "pool diskless is used by cephfs"}]}, ""),
    (
        "no-monitor-for-host",
        {"ceph/cluster/monitors": [{"name": "a", "v1": "10.77.0.1:6789", "v2": None, "in_quorum": True}]},
        NAME,
    ),
    (
        "no-monitor-for-host",
        {"ceph/cluster/monitors": [{"name": "a", "v1": None, "v2": "10.99.0.1:3300", "in_quorum": True}]},
        NAME,
    ),
    ("image-unmappable", {"ceph/me/image/problems": ["kernel 6.1 cannot map it: no kernel maps journaling"]}, NAME),
    ("lock-owner-alive", {"ceph/me/locks": [{**DEAD, "address": "10.77.0.99:0/777"}]}, NAME),
    (
        "lock-of-dead-owner",
        {"ceph/me/locks": [{**DEAD, "address": "10.77.0.99:0/7"}], "ceph/me/owner_alive": False},
        NAME,
    ),
    ("lock-by-hand", {"ceph/me/locks": [{**DEAD, "cookie": None}], "ceph/me/owner_alive": None}, NAME),
    ("image-open-elsewhere", {"ceph/me/watchers": [STRANGER]}, NAME),
    ("fenced", {"ceph/me/blocklist": [FENCE]}, NAME),
    ("boot-server-of-several", {"settings/boot_server": {"boot1": "10.77.0.9"}}, "boot1"),
    ("host-without-boot-server", {"settings/boot_server": {"boot1": "10.77.0.9"}}, NAME),
    ("boot-server-address", {"machines": [machine("boot1", "10.77.0.4")]}, "boot1"),
    ("boot-server-members", {"settings/members": {"boot1": ["10.77.0.3", "10.77.0.4"]}}, "boot1"),
    ("nfs-server", {"settings/nfs": {"boot1": "kernel"}}, "boot1"),
    ("nfs-server", {"settings/nfs": {"boot1": "samba"}}, "boot1"),
    ("nfs-server", {"machines": [machine("boot1", "10.77.0.3", nfsd=True, exports=["/home *(rw)"])]}, "boot1"),
    ("boot-server-space", {"machines": [machine("boot1", "10.77.0.3", free=40 << 20)]}, "boot1"),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("udp", 69)])]}, "boot1"),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("udp", 67, owner="dhcpd")])]}, "boot1"),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("tcp", 2049, "::", None)])]}, "boot1"),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("udp", 6666, owner="rsyslogd")])]}, "boot1"),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("tcp", 6680, "127.0.0.1")])]}, "boot1"),
    ("mtu-not-ethernet", {"network": [{**ELSEWHERE, "stdout": '{"mtu": 1400}'}]}, "boot1"),
]


@pytest.mark.parametrize(
    ("check", "changes", "who"), PROBLEMS, ids=[f"{case[0]}-{n}" for n, case in enumerate(PROBLEMS)]
)
def test_problem_is_found_with_who_has_it_what_is_there_and_what_should_be(
    check: str, changes: dict[str, Any], who: str
) -> None:
    report = preflight(changed(fleet(), changes))
    (entry,) = (entry for entry in report["problems"] if entry["check"] == check)
    assert who in (entry["who"], *entry["hosts"], *entry["machines"])
    assert entry["found"]
    assert all(entry["found"])
    assert entry["expected"]
    assert entry["remedy"].endswith(".")
    assert check in report["summary"]


NOTES: list[tuple[str, dict[str, Any]]] = [
    ("monitor-out", {"ceph/cluster/monitors": [{"name": "a", "v1": None, "v2": "10.77.0.1:3300", "in_quorum": False}]}),
    ("cluster-warning", {"ceph/cluster/checks": WARNING}),
    ("flag-noup", {"ceph/cluster/flags": ["noup"]}),
    ("data-unavailable", {"ceph/cluster/checks": [{**WARNING[0], "code": "PG_AVAILABILITY"}]}),
    ("root-larger", {"ceph/me/image/size": 16 << 30}),
    ("image-gone", {"ceph/me/image": NO_IMAGE}),
    ("not-heard", {"machines": [machine("boot1", "10.77.0.3")], "settings/netconsole_port": {"boot1": 6670}}),
    ("port-taken", {"machines": [machine("boot1", "10.77.0.3", ports=[port("udp", 67, owner="dnsmasq")])]}),
    ("mtu-not-ethernet", {"network": [{**ELSEWHERE, "stdout": '{"monitors": {"10.77.0.1:3300": "ok"}, "mtu": 9000}'}]}),
]


@pytest.mark.parametrize(("check", "changes"), NOTES, ids=[case[0] for case in NOTES])
def test_what_stops_no_boot_is_told_and_stops_nothing(check: str, changes: dict[str, Any]) -> None:
    report = preflight(changed(fleet(), changes))
    assert check in [entry["check"] for entry in report["notes"]]
    assert report["problems"] == []


# What the site playbook puts right, or what a host does by itself.
MADE: dict[str, dict[str, Any]] = {
    "a user without caps": {
        "ceph/me/user/caps_missing": ["mon: profile rbd"],
        "ceph/me/user/can_blocklist_itself": False,
    },
    "no user": {"ceph/me/user": NO_USER},
    "a lock that its power cut left, and no right to break it": {
        **{"ceph/me/locks": [DEAD], "ceph/me/owner_alive": False, "ceph/me/watchers": []},
        "ceph/me/user/can_blocklist_itself": False,
    },
    "an image that is smaller": {"ceph/me/image/size": 4 << 30},
    "services that run": {
        "machines": [
            machine(
                "boot1",
                "10.77.0.3",
                ports=[port("udp", 67, owner=None), port("tcp", 2049, "::", None), port("udp", 6666, "::", "systemd")],
                units=dict.fromkeys(
                    ["diskless-dnsmasq.service", "nfs-ganesha.service", "diskless-bootlog-netconsole.socket"], "active"
                ),
            )
        ]
    },
    "a port at another address": {"machines": [machine("boot1", "10.77.0.3", ports=[port("udp", 69, "10.9.9.9")])]},
    "no room, and a boot tree that is there": {"machines": [machine("boot1", "10.77.0.3", free=0, trees=[NAME])]},
    "no room, and trees in CephFS": {
        "machines": [machine("boot1", "10.77.0.3", free=0)],
        "settings/nfs": {"boot1": "ganesha_cephfs"},
    },
}


@pytest.mark.parametrize("changes", MADE.values(), ids=list(MADE))
def test_what_is_put_right_anyway_is_no_problem(changes: dict[str, Any]) -> None:
    report = preflight(changed(fleet(), changes))
    assert (report["problems"], report["notes"]) == ([], [])


def test_what_cannot_be_found_out_is_said_and_stops_nothing() -> None:
    mute = machine("boot1", "10.77.0.3", addresses=None, units=None, free=None, nfsd=None, ports=None)
    report = preflight(changed(fleet(), {"machines": [mute], "network": []}))
    assert report["problems"] == []
    assert {check for each in report["unknown"] for check in each["checks"]} == {
        *(
            "monitors",
            "address-taken",
            "boot-server-address",
            "nfs-server",
            "boot-server-space",
            "port-taken",
            "not-heard",
        )
    }


def test_answers_of_another_form_take_nothing_else_away() -> None:
    given = changed(fleet(), {"machines": [machine("boot1", "10.77.0.3", ports=[5])], "ceph/me/blocklist": [FENCE]})
    report = preflight(given)
    assert [entry["check"] for entry in report["problems"]] == ["fenced"]
    assert any("another form" in each["why"] for each in report["unknown"])


def test_hosts_that_share_a_problem_are_listed_together_and_consequences_are_left_out() -> None:
    others = [{"diskless_mac": f"52:54:00:77:01:{n:02}", "diskless_address": f"10.77.0.{n + 20}/24"} for n in range(7)]
    given = changed(fleet(*others), {"ceph/cluster/flags": ["full"], "network": [ELSEWHERE]})
    silent, full = sorted(preflight(given)["problems"], key=lambda entry: entry["check"], reverse=True)
    assert (silent["check"], full["check"]) == ("monitors-silent", "cluster-full")
    assert len(silent["hosts"]) == 8
    assert silent["who"] == f"{NAME}, udoo3, udoo4, udoo5, udoo6 and 3 more"
    assert full["who"] == ""


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"ceph/cluster/flags": ["pauserd"], "ceph/cluster/health": "HEALTH_ERR"}, "cluster-paused"),
        (
            {"ceph/me/locks": [{**DEAD, "address": STRANGER["address"]}], "ceph/me/watchers": [STRANGER]},
            "lock-owner-alive",
        ),
    ],
    ids=["an error of a cluster that is paused", "a watcher that owns the lock"],
)
def test_what_a_problem_explains_is_not_told_again(changes: dict[str, Any], cause: str) -> None:
    assert found(changed(fleet(), changes)) == [cause]


def test_only_hosts_of_the_limit_are_reported_and_boot_servers_are_judged_by_all() -> None:
    other = {"diskless_mac": "52:54:00:77:01:01", "diskless_address": "10.77.0.21/24"}
    given = changed(fleet(other), {"ceph/me/blocklist": [FENCE], "names": [OTHER]})
    assert found(given) == []
    # Two boot trees and an archive are missing.
    assert found(changed(given, {"machines": [machine("boot1", "10.77.0.3", free=71 << 20)]})) == ["boot-server-space"]


def test_new_root_must_hold_the_golden_image() -> None:
    small = {"diskless_mac": "52:54:00:77:01:01", "diskless_address": "10.77.0.21/24", "diskless_root_size": "1GiB"}
    given = fleet(small)
    assert found(given, "notes") == ["root-larger"]
    given["ceph"]["hosts"][OTHER]["image"] = NO_IMAGE
    (entry,) = preflight(given)["problems"]
    assert (entry["check"], entry["hosts"], entry["found"]) == ("root-too-small", [OTHER], ["diskless_root_size: 1GiB"])
    assert entry["expected"] == "2GiB (root_image_size) or more"


@pytest.mark.parametrize(
    ("monitors", "kind"), [(["10.9.9.9:3300"], "problems"), (["10.77.0.1:3300", "10.9.9.9:3300"], "notes")]
)
def test_monitors_of_the_inventory_have_to_be_those_of_the_cluster(monitors: list[str], kind: str) -> None:
    answers = json.dumps({"monitors": dict.fromkeys(monitors, "ok")})
    given = changed(fleet(), {"network": [{**ELSEWHERE, "stdout": answers}]})
    given["specs"][0] |= {"monitors": monitors, "gateway": "10.77.0.254"}
    assert found(given, kind) == ["monitors-not-of-cluster"]


def test_accepted_problem_becomes_a_note() -> None:
    report = preflight_filter(changed(fleet(), {"ceph/me/blocklist": [FENCE]}), ["fenced"])
    assert report["problems"] == []
    assert [entry["check"] for entry in report["notes"]] == ["fenced"]


def test_what_a_machine_says_does_nothing_to_a_terminal() -> None:
    evil = machine("boot1", "10.77.0.3", ports=[port("udp", 69, owner="\x1b]0;title\x07\n")])
    (entry,) = preflight(changed(fleet(), {"machines": [evil]}))["problems"]
    assert all(line.isprintable() for line in entry["found"])


def test_evidence_without_complete_specs_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="expected those of the filter"):
        preflight_filter({"specs": [{"name": NAME}]})


def test_part_of_the_evidence_is_enough() -> None:
    given = fleet()
    report = preflight({"specs": given["specs"], "ceph": given["ceph"]})
    assert [entry["check"] for entry in report["problems"]] == ["group-empty", "group-empty"]
    assert len(CHECKS) > len(report["unknown"])


def test_defaults_are_those_of_the_roles() -> None:
    playbook = (ROOT / "playbooks" / "preflight.yml").read_text(encoding="utf-8")
    for role, names in {
        "root_image": ["root_image_size"],
        "boot_server": ["boot_server_root", "boot_server_nfs"],
        "bootlog": ["bootlog_page_listen", "bootlog_netconsole_port", "bootlog_events_port"],
    }.items():
        defaults = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
        for name in names:
            assert (
                f"{name}', default={defaults[name]!r}" in playbook
                or f"{name} | default({defaults[name]!r})" in playbook
            )


def test_every_check_is_in_the_document() -> None:
    told = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
    for name in {case[0] for case in (*PROBLEMS, *NOTES)} | {"root-too-small", "monitors-not-of-cluster"}:
        assert f"`{name}`" in told, name
