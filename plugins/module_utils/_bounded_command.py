# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a program that may never end, for example because the root file system or D-Bus no longer answers."""

from __future__ import annotations

import os
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_call import CallFailed, NoAnswer, bounded

SECONDS = 10


def output(module: AnsibleModule, program: str, words: Sequence[str], rcs: Sequence[int] = (0,)) -> str | None:
    """Return what a program prints; None, and a warning, when it fails or does not end within 10 s.

    There is no warning when the machine does not have the program.
    rcs: the exit statuses that are no failure.
    """

    def run() -> list[Any] | None:
        path = module.get_bin_path(program)  # in the child as well: PATH may lead through a dead mount
        if path is None:
            return None
        return list(module.run_command([path, *words], environ_update={"LC_ALL": "C"}, handle_exceptions=False))

    try:
        ran = bounded(run, SECONDS, f"{program[:7]}-{os.getpid()}")
    except (CallFailed, NoAnswer) as error:
        module.warn(f"{program} {' '.join(words)}: {error}")
        return None
    if ran is None:
        return None
    rc, stdout, stderr = ran
    if rc not in rcs:
        module.warn(f"{program} {' '.join(words)}: exit status {rc}: {stderr.strip()}")
        return None
    return str(stdout)
