# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the programs of a build, one after the other, and keep a log of what they say."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._root_filesystem import BuildError, last_lines


class Programs:
    """Runs programs. Each has ``timeout_seconds``, and what it writes to stderr goes to the log at once."""

    def __init__(self, log: BinaryIO, timeout_seconds: int) -> None:
        self._log = log
        self._timeout_seconds = timeout_seconds

    def run(self, argv: Sequence[str], name: str = "", prefix: Sequence[str] = ()) -> str:
        """Run a program and return its stdout. Raises BuildError with ``name`` and with the end of what it said.

        ``prefix`` is the argv of a program that runs the other one.
        """
        name = name or argv[0]
        for program in (argv[0], *prefix[:1]):
            if not shutil.which(program):
                raise BuildError(f"{program}: not found on the builder; install it")
        self._log.write(f"# {time.strftime('%H:%M:%S')} {name}\n".encode())
        start = self._log.tell()
        # run_command needs an AnsibleModule and has no time limit.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [*prefix, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            stdout = process.communicate(timeout=self._timeout_seconds)[0]
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            said = last_lines(self._logged_since(start))
            raise BuildError(f"{name} did not end within {self._timeout_seconds} s:\n{said}") from error
        if process.returncode:
            said = last_lines(self._logged_since(start) or stdout)
            raise BuildError(f"{name} ended with status {process.returncode}:\n{said}")
        return stdout

    def _logged_since(self, start: int) -> str:
        self._log.seek(start)
        return self._log.read().decode(errors="replace")


@contextmanager
def programs(log: Path, timeout_seconds: int) -> Iterator[Programs]:
    """Start an empty log. It is not for everybody, because the URI of a package mirror may hold a password."""
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as file:
        yield Programs(file, timeout_seconds)
