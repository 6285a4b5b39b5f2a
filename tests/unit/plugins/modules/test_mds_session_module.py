# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mds_session without a cluster: what it asks of the MDS, and that it believes none of their answers."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.modules import mds_session

FIXTURES = Path(__file__).parents[3] / "fixtures" / "16"
RECORDED = {
    "fs dump": "sessions_fs_dump",
    "mgr dump": "blocklist_mgr_dump",
    "mon dump": "blocklist_mon_dump",
    "osd dump": "blocklist_osd_dump",
}


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


class Cluster:
    """Stands in for a cluster of Ceph 16 with its Python bindings; its MDS may need time, or for ever, to evict."""

    def __init__(self, answers_before_gone: int = 0) -> None:
        self.sessions = recorded("sessions_client_ls")
        self.answers_before_gone = answers_before_gone
        self.evictions: list[str] = []

    def __call__(self, start: Start) -> Finished:
        quoted = re.findall(r"REQUEST = json\.loads\((.*)\)\n", start.stdin)[0]
        commands = json.loads(ast.literal_eval(quoted))["commands"]
        return Finished(
            0, json.dumps([{"rc": 0, "stdout": self.answer(c["args"]), "stderr": ""} for c in commands]), ""
        )

    def answer(self, args: list[str]) -> str:
        words = " ".join(args[:2])
        if words in RECORDED:
            return json.dumps(recorded(RECORDED[words]))
        if args[2:4] == ["config", "get"]:
            return json.dumps({args[4]: "true"})
        if args[2:4] == ["client", "evict"]:
            self.evictions += args[4:]
            return ""
        if self.evictions:
            self.answers_before_gone -= 1
        return json.dumps(
            [
                session
                for session in self.sessions
                if self.answers_before_gone >= 0 or f"id={session['id']}" not in self.evictions
            ]
        )


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cluster: Cluster, **args: Any
) -> dict[str, Any]:
    monkeypatch.setattr(mds_session, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(CephClient, "from_params", lambda _params: CephClient(run=cluster))
    with patch_module_args(args), pytest.raises(SystemExit):
        mds_session.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


CLIENT = next(s for s in recorded("sessions_client_ls") if s["client_metadata"]["entity_id"] == "web1")


def test_waits_until_the_session_is_gone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster(answers_before_gone=3)
    result = run(monkeypatch, capsys, cluster, entities=["client.web1"], force=True)
    assert (result["changed"], result["clients"][0]["evicted"]) == (True, True)
    assert cluster.evictions == [f"id={CLIENT['id']}"]


def test_mds_that_does_not_evict_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(answers_before_gone=1000)
    result = run(monkeypatch, capsys, cluster, entities=["client.web1"], force=True)
    assert result["failed"]
    assert result["msg"].startswith(f"{CLIENT['inst']} (client.web1 on ceph) still has a session with rank 0 of cephfs")


def test_evicts_by_id_and_spares_the_manager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an id the MDS would evict everybody."""
    cluster = Cluster()
    run(monkeypatch, capsys, cluster, hostnames=["ceph"], force=True)
    assert sorted(cluster.evictions) == sorted(
        f"id={session['id']}" for session in cluster.sessions if session["client_metadata"]["entity_id"] != "a"
    )


@pytest.mark.parametrize(
    "args",
    [
        {"force": True},
        {"client_ids": [], "force": True},
        {"addresses": ["0.0.0.0/0"], "force": True},
        {"hostnames": ["ceph"]},
        {"entities": ["client.absent"], "force": True},
    ],
)
def test_evicts_nobody_when_refused_or_unmatched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: dict[str, Any]
) -> None:
    cluster = Cluster()
    run(monkeypatch, capsys, cluster, **args)
    assert cluster.evictions == []


def test_check_mode_evicts_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster()
    result = run(monkeypatch, capsys, cluster, hostnames=["ceph"], force=True, _ansible_check_mode=True)
    assert (result["changed"], len(result["clients"]), cluster.evictions) == (True, 2, [])
