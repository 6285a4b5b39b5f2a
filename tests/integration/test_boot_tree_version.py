# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_tree_version as Ansible runs it, on a boot tree of files. It asks no cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = [
    pytest.mark.once(reason="it asks no cluster"),
    pytest.mark.skipif(os.geteuid() != 0, reason="boot trees belong to root"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The boot tree of udoo1."""
    tree = tmp_path / "boot" / "udoo1"
    tree.mkdir(parents=True)
    boots(tree, 1)
    return tree


def boots(tree: Path, version: int) -> None:
    """Put a kernel there as its package does."""
    config = f"set kernel=vmlinuz-{version}\nset initrd=initrd.img-{version}\n"
    for name, text in ((f"vmlinuz-{version}", "kernel"), (f"initrd.img-{version}", "initrd"), ("kernel.cfg", config)):
        (tree / "new").write_text(text)
        (tree / "new").rename(tree / name)


def test_kernel_of_a_snapshot_comes_back(tree: Path, tmp_path: Path) -> None:
    module = ModuleRun([])
    given: dict[str, Any] = {"hosts": ["udoo1"], "root": str(tmp_path)}
    module.converge("boot_tree_version", name="before", **given)
    boots(tree, 2)
    (tree / "vmlinuz-1").unlink()
    applied = module.converge("boot_tree_version", name="before", state="restored", keep_as="after", **given)
    assert applied["hosts"] == {"udoo1": {"kernel": "vmlinuz-1", "versions": ["after", "before"]}}
    assert {path.name for path in tree.iterdir()} == {"kernel.cfg", "vmlinuz-1", "initrd.img-1", "kept"}
    module.converge("boot_tree_version", name="after", state="absent", **given)
    with pytest.raises(ModuleFailed, match="its boot tree has no version after"):
        module("boot_tree_version", name="after", state="restored", **given)
