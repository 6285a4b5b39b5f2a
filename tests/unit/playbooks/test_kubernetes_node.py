# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/tasks/kubernetes_node.yml: kubernetes.core as it is, against a server that speaks the API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SERVER = Path(__file__).with_name("kubernetes_api.py")


@dataclass(frozen=True)
class Cluster:
    """A server with one node, udoo1, and what runs on it."""

    url: str
    directory: Path

    def state(self, **changes: Any) -> dict[str, Any]:
        """What it is, after some changes."""
        file = self.directory / "cluster.json"
        state: dict[str, Any] = {**json.loads(file.read_text(encoding="utf-8")), **changes}
        file.write_text(json.dumps(state), encoding="utf-8")
        return state

    def play(self, *wanted: str, node: str = "udoo1") -> subprocess.CompletedProcess[str]:
        """Run the tasks for each of these, one after the other."""
        (self.directory / "kubeconfig").write_text(
            json.dumps(
                {
                    **{"apiVersion": "v1", "kind": "Config", "current-context": "test"},
                    "clusters": [{"name": "test", "cluster": {"server": self.url}}],
                    "users": [{"name": "test", "user": {"token": "x"}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                }
            ),
            encoding="utf-8",
        )
        access = {
            "node": node,
            "kubeconfig": str(self.directory / "kubeconfig"),
            "drain": {"wait_timeout": 1, "wait_sleep": 1},
        }
        tasks = [
            {
                "ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/kubernetes_node.yml"),
                "vars": {"kubernetes_node_wanted": each},
            }
            for each in wanted
        ]
        play = {
            "hosts": "all",
            "gather_facts": False,
            "vars": {"diskless_kubernetes": access, "kubernetes_node_delay": 1, "kubernetes_node_tries": 2},
            "tasks": tasks,
        }
        (self.directory / "play.json").write_text(json.dumps([play]), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "udoo1,", "play.json"]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose node has a pod of a deployment and one of a daemon set."""
    state = {
        "nodes": {"udoo1": {"unschedulable": False}},
        "pods": {"web": {"node": "udoo1"}, "logger": {"node": "udoo1", "owner": "DaemonSet"}, "far": {"node": "udoo2"}},
        "done": [],
    }
    (tmp_path / "cluster.json").write_text(json.dumps(state), encoding="utf-8")
    words = [sys.executable, str(SERVER), str(tmp_path / "cluster.json")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield Cluster(f"http://127.0.0.1:{server.stdout.readline().strip()}", tmp_path)
        finally:
            server.kill()


def test_node_is_drained_and_open_again(cluster: Cluster) -> None:
    done = cluster.play("found", "drained", "schedulable")
    assert done.returncode == 0, done.stdout
    assert cluster.state()["done"] == ["cordon udoo1", "evict web", "uncordon udoo1"]
    assert sorted(cluster.state()["pods"]) == ["far", "logger"]


def test_node_that_somebody_has_cordoned_stays_so(cluster: Cluster) -> None:
    cluster.state(nodes={"udoo1": {"unschedulable": True}})
    done = cluster.play("found", "drained", "schedulable")
    assert done.returncode == 0, done.stdout
    assert cluster.state()["done"] == ["evict web"]


def test_disruption_budget_is_waited_for(cluster: Cluster) -> None:
    cluster.state(pods={"web": {"node": "udoo1", "guarded": 1}})
    done = cluster.play("found", "drained")
    assert done.returncode == 0, done.stdout
    assert cluster.state()["done"] == ["cordon udoo1", "evict web", "evict web"]


@pytest.mark.full
def test_pod_that_does_not_end_is_a_failure(cluster: Cluster) -> None:
    """kubernetes.core only warns of it."""
    cluster.state(pods={"web": {"node": "udoo1", "stay": True}})
    done = cluster.play("found", "drained")
    assert done.returncode != 0
    assert "pods were still running" in done.stderr


def test_node_that_does_not_exist_is_a_failure(cluster: Cluster) -> None:
    assert cluster.play("found", node="udoo9").returncode != 0
