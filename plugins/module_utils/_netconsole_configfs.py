# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netconsole's directory in configfs: read targets, carry out steps."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Iterable

from ._netconsole_plan import Step
from ._netconsole_target import SINCE, USERDATA, Target, lacking

CONFIGFS = "/sys/kernel/config"
# What the kernel means when it refuses to enable a target.
REFUSALS = {
    errno.EBUSY: "its device is part of a bridge, bond or team: name that one",
    errno.ENODEV: "there is no such device",
    errno.EDESTADDRREQ: "its device has no address of this family",
    errno.EOPNOTSUPP: "its device cannot send from within the kernel (no netpoll)",
}


class NetconsoleError(Exception):
    """The kernel cannot do it; the text says what and why."""


class NetconsoleDirectory:
    """The targets below ``root``, which a test may put anywhere."""

    def __init__(self, root: str = CONFIGFS) -> None:
        self._configfs = Path(root)
        self._root = self._configfs / "netconsole"

    def missing(self) -> str | None:
        """Return why there is no such directory, or None."""
        if self._root.is_dir():
            return None
        if not self._configfs.is_dir():
            return (
                f"there is no {self._configfs}: this is a container, or a kernel without configfs; netconsole belongs "
                "to the kernel, so run this on the machine itself"
            )
        return (
            f"there is no {self._root}: load the module ('modprobe netconsole'); if that does not help, mount configfs "
            f"('mount -t configfs none {self._configfs}'); a kernel built without NETCONSOLE_DYNAMIC never has it"
        )

    def read(self) -> dict[str, Target]:
        """Return the targets by name. Those that came with a module parameter are not among them."""
        return {path.name: self._target(path) for path in sorted(self._root.iterdir()) if path.is_dir()}

    def target(self, name: str) -> Target | None:
        """Return one target."""
        path = self._root / name
        return self._target(path) if path.is_dir() else None

    def apply(self, steps: Iterable[Step]) -> None:
        """Carry out the steps; raises NetconsoleError at the first that the kernel refuses."""
        for step in steps:
            try:
                self._carry_out(step)
            except OSError as error:
                raise NetconsoleError(_refused(self._root / step.path, step, error)) from error

    def _carry_out(self, step: Step) -> None:
        path = self._root / step.path
        if step.action == "mkdir":
            path.mkdir()
        elif step.action == "rmdir":
            path.rmdir()
        else:
            # Not created: in configfs a file that is not there is a feature that is not there.
            with path.open("r+", encoding="utf-8") as file:
                file.write(step.text)

    def _target(self, path: Path) -> Target:
        files = {file.name: _content(file) for file in path.iterdir() if file.is_file()}
        userdata = path / USERDATA
        if userdata.is_dir():
            files[USERDATA] = ""
            for entry in userdata.iterdir():
                value = entry / "value" if entry.is_dir() else entry
                files[str(value.relative_to(path))] = _content(value)
        return Target.parse(path.name, files)


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _refused(path: Path, step: Step, error: OSError) -> str:
    words = step.path.split("/")
    feature = f"sysdata {words[-1][: -len('_enabled')]}" if words[-1].endswith("_enabled") else words[-1]
    if USERDATA in words and feature not in SINCE:
        feature = USERDATA
    if error.errno == errno.ENOENT and feature in SINCE:
        return f"{words[0]}: {lacking(feature)}"
    if words[-1] == "enabled" and step.text == "1":
        why = REFUSALS.get(error.errno or 0, f"{error.strerror}; the kernel log says more")
        return f"{words[0]}: the kernel does not enable this target: {why}"
    what = f"write {step.text!r} to {path}" if step.action == "write" else f"{step.action} {path}"
    return f"{words[0]}: cannot {what}: {error.strerror}"
