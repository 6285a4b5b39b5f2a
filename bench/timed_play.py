# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a play takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

# The play needs no inventory.
QUIET = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False"}


def seconds(tasks: Sequence[dict[str, Any]]) -> float:
    """Run a play with these tasks and return how long the whole command took. One that fails ends the benchmark."""
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": list(tasks)}]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(play, file)
        file.flush()
        began = time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", file.name],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=QUIET,
        )
        took = time.monotonic() - began
    if done.returncode:
        sys.exit(done.stdout)
    return took
