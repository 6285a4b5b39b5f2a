# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_tree_version_info as Ansible runs it, on a boot tree of files. It asks no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.module_run import ModuleFailed, ModuleRun

pytestmark = pytest.mark.once(reason="it asks no cluster")


def test_current_and_kept_kernels_are_told(tmp_path: Path) -> None:
    for place, kernel in (("udoo1", "vmlinuz-2"), ("udoo1/kept/before", "vmlinuz-1")):
        (tmp_path / "boot" / place).mkdir(parents=True)
        (tmp_path / "boot" / place / "kernel.cfg").write_text(f"set kernel={kernel}\nset initrd=initrd.img-1\n")
    found = ModuleRun([])("boot_tree_version_info", hosts=["udoo1", "udoo2"], root=str(tmp_path))["hosts"]
    before = {"kernel": "vmlinuz-1", "files": ["kernel.cfg"], "current": False}
    assert found == {
        "udoo1": {"kernel": "vmlinuz-2", "files": ["kernel.cfg"], "versions": {"before": before}},
        "udoo2": None,
    }


def test_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleFailed, match=r"'\.\./x'; expected names of hosts"):
        ModuleRun([])("boot_tree_version_info", hosts=["../x"], root=str(tmp_path))
