# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""osd_blocklist without a cluster: what it asks of Ceph, and how often."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.modules import osd_blocklist, osd_blocklist_info

FIXTURES = Path(__file__).parents[3] / "fixtures" / "16"
UNTIL = "2106-02-07T06:28:15.000000+0000"


class Cluster:
    """Stands in for a cluster of Ceph 16 with its Python bindings: holds the blocklist and counts processes."""

    def __init__(self, *addresses: str, deaf: bool = False, refused: str = "") -> None:
        self.entries = dict.fromkeys(addresses, UNTIL)
        self.deaf = deaf
        self.refused = refused
        self.processes = 0
        self.changes: list[list[str]] = []

    def __call__(self, start: Start) -> Finished:
        self.processes += 1
        quoted = re.findall(r"REQUEST = json\.loads\((.*)\)\n", start.stdin)[0]
        request = json.loads(ast.literal_eval(quoted))
        if isinstance(request, list):
            return Finished(0, '["10.0.0.4"]', "")
        return Finished(0, json.dumps([self.answer(command["args"]) for command in request["commands"]]), "")

    def answer(self, args: list[str]) -> dict[str, Any]:
        if " ".join(args[:2]) == self.refused:
            return {"rc": 13, "stdout": "", "stderr": "Error EACCES: access denied"}
        if "dump" not in args:
            self.changes.append(args)
            if not self.deaf:
                self.entries = {**self.entries, args[3]: UNTIL}
                if args[2] == "rm":
                    del self.entries[args[3]]
            return {"rc": 0, "stdout": "", "stderr": ""}
        answer = json.loads((FIXTURES / f"blocklist_{args[0]}_dump.json").read_text(encoding="utf-8"))
        answer.update({"blocklist": self.entries, "range_blocklist": {}} if args[0] == "osd" else {})
        return {"rc": 0, "stdout": json.dumps(answer), "stderr": ""}


def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cluster: Cluster,
    module: Any = osd_blocklist,
    **args: Any,
) -> dict[str, Any]:
    monkeypatch.setattr(CephClient, "from_params", lambda _params: CephClient(run=cluster))
    with patch_module_args(args), pytest.raises(SystemExit):
        module.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_thousand_entries_cost_a_handful_of_processes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [{"address": f"10.1.{number // 256}.{number % 256}"} for number in range(1000)]
    cluster = Cluster()
    assert run(monkeypatch, capsys, cluster, entries=entries)["changed"] is True
    # Read, the cluster's daemons, the own address, add, read again.
    assert (cluster.processes, len(cluster.changes)) == (5, 1000)
    cluster.processes = 0
    assert run(monkeypatch, capsys, cluster, entries=entries)["changed"] is False
    assert cluster.processes == 1


def test_check_mode_changes_nothing_and_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster("10.0.0.1:0/5")
    args = {"entries": [{"address": "10.0.0.1", "state": "absent"}, {"address": "10.0.0.2:0/1"}]}
    announced = run(monkeypatch, capsys, cluster, **args, _ansible_check_mode=True)
    assert cluster.changes == []
    done = run(monkeypatch, capsys, cluster, **args)
    assert len(cluster.changes) == 2
    keys = ("changed", "diff", "added", "removed", "renewed")
    assert [announced[key] for key in keys] == [done[key] for key in keys]
    assert UNTIL[:4] not in str(done["diff"])


def test_own_address_is_not_blocked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = Cluster()
    result = run(monkeypatch, capsys, cluster, address="10.0.0.0/24")
    assert result["msg"].startswith("10.0.0.0/24 covers the host of this task's commands (10.0.0.4): the cluster would")
    assert cluster.changes == []


def test_client_instance_needs_no_right_to_read_the_daemons(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(refused="fs dump")
    assert run(monkeypatch, capsys, cluster, address="10.0.0.9:0/1")["changed"] is True
    assert "Error EACCES: access denied" in run(monkeypatch, capsys, cluster, address="10.0.0.9")["msg"]


def test_what_ceph_took_and_does_not_show_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(monkeypatch, capsys, Cluster(deaf=True), address="10.0.0.9:0/1")
    assert (result["failed"], result["msg"]) == (
        True,
        "Ceph took the commands, but of the blocklist afterwards: 10.0.0.9:0/1 is not listed",
    )


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({}, "nothing is named: give address or entries, or all=true with state=absent to remove every one"),
        ({"all": True}, "all=true removes every entry: it needs state=absent"),
        (
            {"all": True, "state": "absent", "address": "10.0.0.1"},
            "all=true removes every entry: address and entries have no place beside it",
        ),
        (
            {"entries": [{"address": "pi3"}, {"address": "10.0.0.1", "expire": "0"}]},
            "'pi3' is no IP address: expected 10.0.0.1 (all of a host), 10.0.0.1:0/123 (one client instance) or "
            "10.0.0.0/24 (a range); Ceph's blocklist knows no host names; '10.0.0.1': expire and min_remaining: '0': "
            "expected one second to 1576800000 s (50 years)",
        ),
    ],
)
def test_task_that_cannot_be_meant_asks_nothing_of_ceph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: dict[str, Any], problem: str
) -> None:
    cluster = Cluster("10.0.0.1:0/5")
    assert run(monkeypatch, capsys, cluster, **args)["msg"] == problem
    assert cluster.processes == 0


def test_info_without_daemons_needs_no_right_to_read_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster("10.0.0.1:0/5", refused="fs dump")
    result = run(monkeypatch, capsys, cluster, osd_blocklist_info, daemons=False)
    assert [entry["address"] for entry in result["entries"]] == ["10.0.0.1:0/5"]
    assert run(monkeypatch, capsys, cluster, osd_blocklist_info)["failed"] is True
