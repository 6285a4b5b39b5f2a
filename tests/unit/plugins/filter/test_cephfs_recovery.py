# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which dead mounts are taken away, which entries are lifted, and which pods use a mount."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.diskless.ceph.plugins.filter.cephfs_recovery import FilterModule

FILTERS = FilterModule().filters()
plan, lift, kubelet_pods = (FILTERS[name] for name in ("cephfs_recovery_plan", "cephfs_recovery_lift", "kubelet_pods"))
FSID, OTHER = "4f1e9a30-7c5e-4f0e-8a56-0e8d3c1f2b11", "11111111-7c5e-4f0e-8a56-0e8d3c1f2b11"
ADDRESS = "10.77.0.11:0/2284328471"


def client(state: str, number: int = 4137, **more: Any) -> dict[str, Any]:
    return {
        "state": state,
        "device": "0:46",
        "client": f"client.{number}",
        "candidates": [f"client.{number}"],
        "address": ADDRESS,
        "fsid": FSID,
        "mounts": [{"path": "/srv/web", "unit": "srv-web.mount"}],
        "evidence": [],
        "holders": [],
        "recover_session": False,
        **more,
    }


def session(number: int = 4137, address: str = ADDRESS, state: str = "stale") -> dict[str, Any]:
    instance = f"client.{number} {address}"
    return {"client_id": number, "address": address, "state": state, "mds": "a", "instance": instance}


def entry(address: str = ADDRESS, fence: bool = False) -> dict[str, Any]:
    return {"address": address, "fence": fence, "hosts": ["pi3"], "until": "2026-11-21T14:24:22Z"}


def cluster(sessions: list[dict[str, Any]] | None, entries: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"fsid": FSID, "sessions": sessions, "entries": entries or []}


def decided(found: dict[str, Any]) -> dict[str, list[str]]:
    return {kind: [one["reason"] for one in found[kind]] for kind in ("recover", "refused", "lingering") if found[kind]}


@pytest.mark.parametrize("state", ["blocklisted", "rejected"])
@pytest.mark.parametrize("said", [None, cluster(None), cluster([session()])])
def test_kernel_that_knows_is_believed(state: str, said: dict[str, Any] | None) -> None:
    assert decided(plan([client(state)], "pi3", said)) == {"recover": [f"{state}, as its kernel says"]}


@pytest.mark.parametrize("state", ["stuck", "stale", "failed", "unknown"])
def test_client_without_a_session_is_evicted(state: str) -> None:
    found = plan([client(state)], "pi3", cluster([session(99)]))
    assert decided(found) == {"recover": ["evicted: no MDS has a session of it"]}
    assert found["recover"][0]["paths"] == ["/srv/web"]


@pytest.mark.parametrize(
    ("one", "said", "reason"),
    [
        ({}, cluster([session()]), "it still has a session, stale with mds.a (client.4137 10.77.0.11:0/2284328471): "),
        ({}, cluster(None), "not every MDS could be asked"),
        ({}, None, "not every MDS could be asked"),
        ({"fsid": OTHER}, cluster([]), f"it is a client of another cluster ({OTHER})"),
        ({"fsid": None}, cluster([]), "not every MDS could be asked"),
        ({"candidates": [], "client": None}, cluster([]), "its kernel does not say which client it is"),
        (
            {"candidates": ["client.4137", "client.5"], "client": None},
            cluster([session(5)]),
            "it still has a session, ",
        ),
    ],
)
def test_nothing_is_taken_away_that_is_not_proven_dead(
    one: dict[str, Any], said: dict[str, Any] | None, reason: str
) -> None:
    found = plan([client("stuck", **one)], "pi3", said)
    (given,) = decided(found)["refused"]
    assert given.startswith(reason)
    assert found["recover"] == []
    assert "recover" in decided(plan([client("stuck", **one)], "pi3", said, accept_data_loss=True))


def test_fence_of_the_host_stops_everything() -> None:
    """A new instance would be shut out as well."""
    found = plan(
        [client("blocklisted")], "pi3", cluster([], [entry("10.77.0.0/24", fence=True)]), accept_data_loss=True
    )
    assert found["fences"] == [{"address": "10.77.0.0/24", "until": "2026-11-21T14:24:22Z"}]
    assert "the blocklist has 10.77.0.0/24 until 2026-11-21T14:24:22Z, which shuts out" in decided(found)["refused"][0]
    elsewhere = {**entry("10.78.0.0/24", fence=True), "hosts": ["pi9"]}
    assert "recover" in decided(plan([client("blocklisted")], "pi3", cluster([], [elsewhere])))


def test_healthy_is_left_alone_and_what_is_mounted_nowhere_only_named() -> None:
    gone = client("blocklisted", 9, device=None, mounts=[])
    found = plan([client("healthy"), gone], "pi3", cluster([]))
    assert list(decided(found)) == ["lingering"]


def test_client_that_starts_again_by_itself_gets_time() -> None:
    assert plan([client("blocklisted", recover_session=True)], "pi3", None)["waiting"] == ["0:46"]
    assert plan([client("blocklisted")], "pi3", None)["waiting"] == []


AFTER = [client("healthy", 5000, address="10.77.0.11:0/77")]


def test_entry_of_an_instance_that_is_no_more_is_lifted() -> None:
    said = cluster([session(5000, "10.77.0.11:0/77", "open")], [entry(), entry("10.77.0.12:0/5")])
    recovered = plan([client("blocklisted")], "pi3", said)["recover"]
    assert lift(recovered, AFTER, said) == {"lift": [ADDRESS], "keep": [], "same": []}


@pytest.mark.parametrize(
    ("before", "after", "said", "reason"),
    [
        (
            client("blocklisted"),
            [*AFTER, client("blocklisted", device=None)],
            cluster([], [entry()]),
            "the instance lives on",
        ),
        (client("blocklisted"), AFTER, cluster(None, [entry()]), "not every MDS could be asked"),
        (client("blocklisted"), AFTER, cluster([session()], [entry()]), "an MDS still has a session of it"),
        (client("rejected", address=None), AFTER, cluster([], [entry()]), "its address is not known"),
    ],
)
def test_entry_that_may_still_be_needed_is_kept(
    before: dict[str, Any], after: list[dict[str, Any]], said: dict[str, Any], reason: str
) -> None:
    found = lift([before], after, said)
    assert found["lift"] == []
    assert found["keep"][0]["reason"].startswith(reason)


@pytest.mark.parametrize(
    "said",
    [None, cluster([], []), cluster([], [entry("10.77.0.11:0/1")]), cluster([], [entry(fence=True)])],
)
def test_other_entries_are_never_touched(said: dict[str, Any] | None) -> None:
    assert lift([client("blocklisted")], AFTER, said) == {"lift": [], "keep": [], "same": []}
    elsewhere = client("blocklisted", fsid=OTHER)
    assert lift([elsewhere], AFTER, cluster([], [entry()]))["lift"] == []


def test_mount_that_got_the_dead_client_again_is_named() -> None:
    assert lift([client("blocklisted")], [client("blocklisted")], None)["same"] == ["/srv/web"]
    assert lift([client("blocklisted")], [client("healthy")], None)["same"] == []
    assert lift([client("blocklisted")], AFTER, None)["same"] == []


POD = {
    "metadata": {
        "namespace": "web",
        "name": "shop-1",
        "uid": "6d1f",
        "ownerReferences": [{"kind": "ReplicaSet", "controller": True}],
    }
}
STATIC = {
    "metadata": {
        "namespace": "kube-system",
        "name": "etcd-pi3",
        "uid": "aaaa",
        "annotations": {"kubernetes.io/config.hash": "b4d3"},
        "ownerReferences": [{"kind": "Node", "controller": True}],
    }
}


def test_pods_and_their_directories() -> None:
    assert kubelet_pods({"kind": "List", "items": [POD, STATIC]}) == [
        {"namespace": "kube-system", "name": "etcd-pi3", "controller": "Node", "directory": "b4d3"},
        {"namespace": "web", "name": "shop-1", "controller": "ReplicaSet", "directory": "6d1f"},
    ]


def test_pods_that_use_a_mount() -> None:
    paths = ["/srv/web", "/var/lib/kubelet/pods/6d1f/volumes/kubernetes.io~csi/pvc-1/mount"]
    assert [pod["name"] for pod in kubelet_pods({"kind": "PodList", "items": [POD, STATIC]}, paths)] == ["shop-1"]


@pytest.mark.parametrize("answer", ["", None, {"kind": "Status", "message": "Unauthorized"}, {"kind": "List"}])
def test_answer_that_is_no_list_of_pods(answer: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="kubelet_pods: expected"):
        kubelet_pods(answer)


def test_addresses_of_hosts_each_once() -> None:
    listed = {"pi3": [{"ip": "10.0.0.3"}, {"ip": "10.0.0.3"}, {"ip": None}], "pi2": [{"ip": "fd00::2"}], "pi1": []}
    assert FILTERS["cephfs_recovery_addresses"](listed) == [
        {"name": "pi2", "address": "fd00::2"},
        {"name": "pi3", "address": "10.0.0.3"},
    ]


def outcome(**more: Any) -> dict[str, Any]:
    mounts = [{"path": "/srv/web", "state": "blocklisted"}]
    said = {
        "before": {"mounts": mounts, "affected": ["/srv/web"], "kernel": "6.1.0", "clients": []},
        "waited": None,
        "after": {"mounts": [{"path": "/srv/web", "state": "healthy"}]},
        "plan": plan([client("blocklisted")], "pi3", None),
        "lifting": {"lift": [ADDRESS], "keep": []},
        "lifted": True,
        "orphans": [],
        "trouble": [],
        "check_mode": False,
        "reboot": "reboot it",
        **more,
    }
    found: dict[str, Any] = FILTERS["cephfs_recovery_result"](said, "pi3")
    return found


def test_healed() -> None:
    found = outcome()
    assert (found["state"], found["remedies"], found["lifted"]) == ("healed", [], [ADDRESS])
    assert (found["after"][0]["state"], found["recovered"][0]["paths"]) == ("healthy", ["/srv/web"])
    assert outcome(lifted=False)["lifted"] == []


def test_check_mode_promises_and_names_no_chores() -> None:
    assert outcome(check_mode=True, after=None, lifting=None)["state"] == "would_be_healed"


def test_reboot_is_the_last_resort_only() -> None:
    found = outcome(trouble=["New mounts work: /srv/web still does not work"], lifting=None)
    assert (found["state"], found["remedies"][-1]) == ("failed", "last resort: reboot it")
    assert not any("reboot" in remedy for remedy in outcome()["remedies"])


def test_what_was_left_alone_is_left_to_do() -> None:
    found = outcome(plan=plan([client("stuck")], "pi3", cluster([session()])), after=None, lifting=None)
    assert found["state"] == "not_healed"
    assert found["remedies"][0].startswith("/srv/web: it still has a session")


@pytest.mark.parametrize(
    ("path", "by_hand"), [("/srv/x", ["/srv/x"]), ("/var/lib/kubelet/pods/6d1f/volumes/x/mount", [])]
)
def test_mount_without_a_unit_is_mounted_by_hand_or_by_the_kubelet(path: str, by_hand: list[str]) -> None:
    dead = client("blocklisted", mounts=[{"path": path, "unit": None}])
    found = outcome(plan=plan([dead], "pi3", None))
    assert found["by_hand"] == by_hand
    assert found["state"] == ("not_healed" if by_hand else "healed")


def test_what_came_back_by_itself() -> None:
    waited = {"mounts": [{"path": "/srv/web", "state": "healthy"}]}
    found = outcome(waited=waited, after=None, lifting=None, plan=plan([client("healthy")], "pi3", None))
    assert (found["state"], found["came_back"]) == ("healed", ["/srv/web"])


def test_nothing_was_wrong() -> None:
    healthy = {"mounts": [{"path": "/srv/web", "state": "healthy"}], "affected": [], "kernel": "6.1.0", "clients": []}
    assert outcome(before=healthy, after=None, plan=plan([], "pi3", None), lifting=None)["state"] == "healthy"


def test_who_held_the_dead_client_is_named_when_the_new_mount_does_not_get_through() -> None:
    held = client("blocklisted", holders=[{"pid": 812, "name": "nginx", "by": "file"}])
    found = outcome(trouble=["Mounts that systemd can make are there: failed"], plan=plan([held], "pi3", None))
    assert "end nginx (812), which held the former client; then: systemctl start srv-web.mount" in found["remedies"]
