# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot trees of a fleet are read whatever single ones do, and also when none of them answers any more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _boot_tree_reader
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_evidence import (
    ExpectedTree,
    TftpUser,
    tree_evidence,
)
from ansible_collections.diskless.ceph.plugins.module_utils._boot_tree_reader import read_trees

TREES = [ExpectedTree(f"udoo{number}", "grub", {}) for number in range(1, 8)]
USER = TftpUser("dnsmasq", 500, 65534)


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    for tree in TREES:
        (tmp_path / tree.name).mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_boot_tree_reader, "BATCH", 3)
    monkeypatch.setattr(_boot_tree_reader, "BATCH_SECONDS", 0.5)


def _read(boot: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    warnings: list[str] = []
    return read_trees(str(boot), TREES, USER, warnings.append), warnings


def _behave(monkeypatch: pytest.MonkeyPatch, silent: set[str], broken: frozenset[str] = frozenset()) -> None:
    """Make some trees never answer, and others fail."""

    def evidence(boot: str, tree: ExpectedTree, user: TftpUser, seconds: float) -> tuple[dict[str, Any], bool]:
        if tree.name in silent:
            time.sleep(60)
        if tree.name in broken:
            raise OSError(5, "Input/output error")
        return tree_evidence(boot, tree, user, seconds)

    monkeypatch.setattr(_boot_tree_reader, "tree_evidence", evidence)


def test_all_are_read(boot: Path) -> None:
    found, warnings = _read(boot)
    assert (list(found), warnings) == ([tree.name for tree in TREES], [])
    assert all(evidence["exists"] for evidence in found.values())


def test_tree_that_does_not_answer_or_fails_costs_no_other_its_evidence(
    boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _behave(monkeypatch, {"udoo2", "udoo7"}, frozenset({"udoo5"}))
    found, warnings = _read(boot)
    assert list(found) == ["udoo1", "udoo3", "udoo4", "udoo6"]
    assert warnings == [
        f"boot tree {boot}/udoo2 does not answer",
        f"boot tree {boot}/udoo5 cannot be read: [Errno 5] Input/output error",
        f"boot tree {boot}/udoo7 does not answer",
    ]


def test_when_no_tree_answers_not_each_of_them_is_waited_for(boot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in CephFS without Ceph."""
    _behave(monkeypatch, {tree.name for tree in TREES})
    began = time.monotonic()
    found, warnings = _read(boot)
    assert found == {}
    assert warnings[-1] == "boot trees are left out, because others do not answer: udoo4, udoo5, udoo6, udoo7"
    assert time.monotonic() - began < 10


def test_initramfs_that_was_not_judged_is_named(boot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_boot_tree_reader, "tree_evidence", lambda *_: ({}, False))
    assert _read(boot)[1] == [
        "whether the initramfs is complete was not found out in time: " + ", ".join(tree.name for tree in TREES)
    ]
