# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait on the log host until a host goes on: wait_for_stage.py HOST TOKEN SECONDS.

Prints JSON as soon as the boot log says something else than what TOKEN stands for, or after so many seconds:
``token``, for the next call, and ``host``, what the boot log knows of it, without its former boots. Ends with 2 if the
boot log does not answer.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time

PAUSE = 2.0
ANSWER_SECONDS = 30
NO_ANSWER = 2  # diskless-status means the same


def token(host: dict[str, object]) -> str:
    """Return what is the same as long as the host stands where it stands."""
    trouble = host["trouble"]
    reason = trouble["reason"] if isinstance(trouble, dict) else None
    where = json.dumps([host["boot"], host["boot_id"], host["state"], host["stage"], reason])
    return hashlib.sha256(where.encode()).hexdigest()[:16]


def main(name: str, known: str, seconds: str) -> int:
    """Wait and print; return the exit status."""
    deadline = time.monotonic() + float(seconds)
    while True:
        command = ["diskless-status", "--json", "--host", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)
        if done.returncode >= NO_ANSWER:
            print(done.stderr.strip(), file=sys.stderr)
            return NO_ANSWER
        host = json.loads(done.stdout)
        host.pop("boots", None)
        if token(host) != known or time.monotonic() >= deadline:
            print(json.dumps({"token": token(host), "host": host}))
            return 0
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
