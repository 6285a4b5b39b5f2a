# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephx_user without a cluster: what it asks of Ceph, and what it never returns."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.modules import cephx_user

KEY = "AQCFKABrRsI8KBAA5GDynI0PROa8vPykAad8cA=="  # of 2026-11-10
READ = {"mon": "allow r"}
MON_DUMP = {"fsid": "f", "min_mon_release": 16, "mons": []}
CIPHERS = {
    "min_mon_release": 20,
    "auth_allowed_ciphers": [{"name": "aes256k", "value": 2}],
    "auth_preferred_cipher": {"name": "aes256k", "value": 2},
}


class Cluster:
    """Stands in for the cluster: holds some users by name."""

    def __init__(self, users: dict[str, dict[str, str]], **mon_dump: Any) -> None:
        self.users = {name: {"entity": name, "key": KEY, "caps": caps} for name, caps in users.items()}
        self.mon_dump = {**MON_DUMP, **mon_dump}
        self.changes: list[str] = []
        self.argv: list[str] = []

    def __call__(self, start: Start) -> Finished:
        self.argv += start.argv
        words = list(start.argv[start.argv.index("30") + 1 :])
        if words[1] == "get-or-create":
            return Finished(22, "", "Error EINVAL: key for client.admin exists but cap mon does not match\n")
        answers = {"auth ls": {"auth_dump": list(self.users.values())}, "mon dump": self.mon_dump, "osd pool": ["vms"]}
        answer = answers.get(" ".join(words[:2]))
        if answer is None:
            self.changes.append(" ".join(words))
            for name, key in re.findall(r"\[(.*)\]\n\tkey = (.*)\n", start.stdin):
                self.users[name] = {"entity": name, "key": key, "caps": {}}
        return Finished(0, json.dumps(answer), "")


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: Any, **args: Any
) -> dict[str, Any]:
    monkeypatch.setattr(CephClient, "from_params", lambda _params: CephClient(run=cluster, bindings="never"))
    with patch_module_args(args), pytest.raises(SystemExit):
        cephx_user.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize(
    ("found", "args", "changes"),
    [
        ({}, {"caps": READ}, ["auth import -i -"]),
        ({}, {"profile": "narrow_rbd", "pool": "vms"}, ["auth import -i -"]),
        ({"client.x": READ}, {"caps": {"mon": "allow  r"}}, []),
        ({"client.x": READ}, {}, []),
        ({"client.x": READ}, {"caps": {"osd": "allow r"}}, ["auth import -i -"]),
        ({"client.x": READ}, {"rotate": "always"}, ["auth import -i -"]),
        ({"client.x": READ}, {"key_not_before": "2026-11-01"}, []),
        ({"client.x": READ}, {"state": "absent"}, ["auth rm client.x"]),
        ({}, {"state": "absent"}, []),
    ],
)
def test_changes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: dict[str, dict[str, str]],
    args: dict[str, Any],
    changes: list[str],
) -> None:
    cluster, checked = Cluster(found), Cluster(found)
    announced = run(monkeypatch, capsys, checked, name="client.x", **args, _ansible_check_mode=True)
    done = run(monkeypatch, capsys, cluster, name="client.x", **args)
    assert cluster.changes == changes
    assert checked.changes == []
    assert announced["changed"] is done["changed"] is bool(changes)
    assert announced["diff"] == done["diff"]
    keys = [KEY, *(str(user["key"]) for user in cluster.users.values())]
    assert not [key for key in keys if key in str(done) or key in cluster.argv]


def test_thousand_users_cost_five_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster({})
    users = [{"name": f"client.{number}"} for number in range(1000)]
    result = run(monkeypatch, capsys, cluster, users=users, caps=READ)
    assert {user["action"] for user in result["users"]} == {"created"}
    assert cluster.argv.count("ceph") == 5
    assert cluster.changes == ["auth import -i -"]


def test_key_is_returned_when_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args: dict[str, Any] = {"name": "client.x", "return_key": True}
    found = Cluster({"client.x": READ})
    assert run(monkeypatch, capsys, found, **args)["key"] == KEY
    assert run(monkeypatch, capsys, found, **args, rotate="always", _ansible_check_mode=True)["key"] is None
    rotated = run(monkeypatch, capsys, found, **args, rotate="always")
    assert rotated["key"] == rotated["users"][0]["key"] == found.users["client.x"]["key"] != KEY
    assert run(monkeypatch, capsys, Cluster({}), **args, caps=READ, _ansible_check_mode=True)["key"] is None
    assert run(monkeypatch, capsys, Cluster({}), **args, state="absent")["key"] is None


def test_keys_are_of_a_type_that_the_cluster_lets_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = Cluster({}, **CIPHERS)
    assert run(monkeypatch, capsys, strict, name="client.x", caps=READ)["users"][0]["key_type"] == "aes256k"
    assert len(strict.users["client.x"]["key"]) == 60
    refused = run(monkeypatch, capsys, strict, name="client.x", caps=READ, key_type="aes")
    assert refused["msg"] == (
        "nothing was changed: client.x: the cluster does not let in keys of key_type aes, only aes256k; "
        "ceph mon set auth_allowed_ciphers aes,aes256k changes that"
    )


def test_problems_come_before_any_change(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster({})
    users = [{"name": "client.a"}, {"name": "client.b", "pool": "vm"}, {"name": "client.admin", "state": "absent"}]
    failed = run(monkeypatch, capsys, cluster, users=users, profile="narrow_rbd", pool="vms")
    assert failed["msg"] == (
        "nothing was changed: client.admin: this task runs as client.admin, which would lock itself out: "
        "run it as another user (ceph_name); client.b: pool vm does not exist; did you mean vms?"
    )
    assert cluster.changes == []


def test_failure_is_not_taken_for_an_absent_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_start: Start) -> Finished:
        return Finished(13, "", "Error EACCES: access denied")

    result = run(monkeypatch, capsys, refuse, name="client.x", caps=READ)
    assert result["failed"] is True
    assert "auth ls" in result["msg"]
    assert "EACCES: access denied" in result["msg"]
