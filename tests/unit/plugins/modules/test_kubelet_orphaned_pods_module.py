# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubelet_orphaned_pods, on a directory that looks like a kubelet's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.diskless.ceph.plugins.modules import kubelet_orphaned_pods


def run(capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    with patch_module_args(args), pytest.raises(SystemExit):
        kubelet_orphaned_pods.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    for pod in ("dead", "running"):
        (tmp_path / pod / "volumes/kubernetes.io~csi/pvc/mount").mkdir(parents=True)
    return tmp_path


def test_check_then_clean_then_nothing(capsys: pytest.CaptureFixture[str], pods: Path) -> None:
    args = {"directory": str(pods), "pods": ["running", ""]}
    volume = pods / "dead/volumes/kubernetes.io~csi/pvc"
    checked = run(capsys, **args, _ansible_check_mode=True)
    assert (checked["changed"], volume.exists()) == (True, True)
    result = run(capsys, **args)
    assert result["orphans"] == checked["orphans"]
    assert [orphan["uid"] for orphan in result["orphans"]] == ["dead"]
    assert result["diff"]["before"]["paths"] == [str(volume), f"{volume}/mount"]
    assert not volume.exists()
    assert (pods / "running/volumes/kubernetes.io~csi/pvc/mount").exists()
    assert run(capsys, **args)["changed"] is False


@pytest.mark.parametrize("listed", [[], ["", ""]])
def test_answer_without_any_pod_is_refused(capsys: pytest.CaptureFixture[str], pods: Path, listed: list[str]) -> None:
    result = run(capsys, directory=str(pods), pods=listed)
    assert result["failed"]
    assert "would be orphans" in result["msg"]
    assert (pods / "dead/volumes/kubernetes.io~csi/pvc/mount").exists()


def test_mount_below_is_seen_in_mountinfo(
    capsys: pytest.CaptureFixture[str], pods: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = pods / "dead/volumes/kubernetes.io~csi/pvc/mount"
    monkeypatch.setattr(kubelet_orphaned_pods, "mount_points", lambda: [str(point)])
    (orphan,) = run(capsys, directory=str(pods), pods=["running"])["orphans"]
    assert (orphan["steps"], orphan["reasons"]) == ([], [f"{point} is mounted"])
    assert point.exists()


def test_mount_points_of_this_machine() -> None:
    assert "/proc" in kubelet_orphaned_pods.mount_points()
