# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory that behaves as the kernel's: a new target has its files at once, those recorded from real kernels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_configfs import NetconsoleDirectory
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_plan import Step

FIXTURES = Path(__file__).parents[3] / "fixtures" / "netconsole"


class FakeConfigfs(NetconsoleDirectory):
    """configfs of the recorded kernel below ``root``."""

    def __init__(self, root: Path, kernel: str) -> None:
        super().__init__(str(root))
        (root / "netconsole").mkdir(exist_ok=True)
        self.files = json.loads((FIXTURES / f"configfs-{kernel}.json").read_text(encoding="utf-8"))["files"]
        self.done: list[Step] = []
        self.refuse_enabling: OSError | None = None

    def _carry_out(self, step: Step) -> None:
        self.done.append(step)
        path = self._root / step.path
        if step.action == "rmdir":
            shutil.rmtree(path)
            return
        refusal = self.refuse_enabling
        if refusal is not None and step.path.endswith("/enabled") and step.text == "1":
            raise refusal  # pylint: disable=raising-bad-type  # which does not see that it is not None
        if step.action == "write" and path.exists():
            # The kernel shows what was written, with a newline; nothing of what was there before.
            path.write_text(step.text + "\n", encoding="utf-8")
            return
        super()._carry_out(step)
        if step.path.count("/") == 0:
            self._populate(path)
        elif "/userdata/" in step.path:
            (path / "value").write_text("\n", encoding="utf-8")

    def _populate(self, path: Path) -> None:
        for name, content in self.files.items():
            place = path / name
            if name == "userdata":
                place.mkdir()
            else:
                place.write_text(content, encoding="utf-8")
