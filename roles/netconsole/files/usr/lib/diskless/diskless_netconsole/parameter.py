# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that came with the module's parameter, as early boot makes them, and what to do about them."""

from __future__ import annotations

from pathlib import Path

from ._netconsole_configfs import NetconsoleDirectory
from ._netconsole_plan import Step
from ._netconsole_route import Run
from ._netconsole_target import Target

PREFIX = "cmdline"
MOST = 8
NOWHERE = ("0.0.0.0", "::")  # noqa: S104 # what a new target has


def adopt(directory: NetconsoleDirectory) -> list[Target]:
    """Return the targets of the parameter. Since Linux 6.7 a directory of the right name makes one visible."""
    found = []
    for number in range(MOST):
        name = f"{PREFIX}{number}"
        target = directory.target(name)
        if target is None:
            directory.apply([Step("mkdir", name)])
            target = directory.target(name)
        if target is None or target.settings.get("remote_ip") in NOWHERE:
            directory.apply([Step("rmdir", name)])
            break
        found.append(target)
    return found


def reload_if_hidden(directory: NetconsoleDirectory, run: Run, consoles: str = "/proc/consoles") -> bool:
    """Load the module again, without its parameter, where the parameter's targets are not to be seen.

    That is so before Linux 6.7: such a target can neither be changed nor taken away, and it stays silent when its
    network card has joined a bridge. What is said while the module is not there is sent afterwards.
    """
    if directory.read() or "netcon_ext" not in Path(consoles).read_text(encoding="ascii"):
        return False
    return not run(["modprobe", "-r", "netconsole"])[0] and not run(["modprobe", "netconsole"])[0]
