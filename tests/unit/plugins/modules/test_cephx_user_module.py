# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephx_user without a cluster: what it asks of Ceph, and what it never returns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.modules import cephx_user

KEY = "AQCFKABrRsI8KBAA5GDynI0PROa8vPykAad8cA=="


class Cluster:
    """Stands in for the cluster: holds one user, or none."""

    def __init__(self, caps: dict[str, str] | None) -> None:
        self.caps = caps
        self.changes: list[tuple[str, ...]] = []

    def __call__(self, start: Start) -> Finished:
        words = start.argv[start.argv.index("auth") + 1 :]
        if words[0] != "get":
            self.changes.append(words)
            self.caps = None if words[0] == "rm" else dict(zip(words[2::2], words[3::2], strict=True))
        elif self.caps is None:
            return Finished(2, "", "Error ENOENT: failed to find client.x in keyring\n")
        return Finished(0, json.dumps([{"entity": "client.x", "key": KEY, "caps": self.caps}]), "")


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: Cluster, **args: Any
) -> dict[str, Any]:
    monkeypatch.setattr(CephClient, "from_params", lambda _params: CephClient(run=cluster))
    with patch_module_args({"name": "client.x", **args}), pytest.raises(SystemExit):
        cephx_user.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize(
    ("found", "args", "changes"),
    [
        (None, {"caps": {"mon": "allow r"}}, [("get-or-create", "client.x", "mon", "allow r")]),
        ({"mon": "allow r"}, {"caps": {"mon": "allow  r"}}, []),
        ({"mon": "allow r"}, {"caps": {"osd": "b", "mon": "a"}}, [("caps", "client.x", "mon", "a", "osd", "b")]),
        ({"mon": "allow r"}, {"state": "absent"}, [("rm", "client.x")]),
        (None, {"state": "absent"}, []),
    ],
)
def test_changes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: dict[str, str] | None,
    args: dict[str, Any],
    changes: list[tuple[str, ...]],
) -> None:
    cluster, checked = Cluster(found), Cluster(found)
    announced = run(monkeypatch, capsys, checked, **args, _ansible_check_mode=True)
    done = run(monkeypatch, capsys, cluster, **args)
    assert cluster.changes == changes
    assert checked.changes == []
    assert announced["changed"] is done["changed"] is bool(changes)
    assert announced["diff"] == done["diff"]
    assert KEY not in str(done)


def test_key_is_returned_when_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    args = {"caps": {"mon": "allow r"}, "return_key": True}
    assert run(monkeypatch, capsys, Cluster(None), **args)["key"] == KEY
    assert run(monkeypatch, capsys, Cluster(None), **args, _ansible_check_mode=True)["key"] is None
    assert "key" not in run(monkeypatch, capsys, Cluster({}), state="absent", return_key=True)


def test_failure_is_not_taken_for_an_absent_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_start: Start) -> Finished:
        return Finished(13, "", "Error EACCES: access denied")

    result = run(monkeypatch, capsys, refuse, caps={"mon": "allow r"})  # type: ignore[arg-type]
    assert result["failed"] is True
    assert result["msg"].endswith("auth get client.x -f json: failed with rc 13: Error EACCES: access denied")
