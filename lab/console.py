# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and use a host's serial console."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError
from lab.patience import patience, wait_until

ESCAPE = b"\x1d"  # Ctrl-]
STAGE = re.compile(r"(?:\[ *(?P<seconds>[0-9.]+)\] )?diskless: stage=(?P<stage>\w+)")


def text(log: Path, since: int = 0) -> str:
    """Return what the console said from the byte ``since`` on."""
    try:
        with log.open("rb") as handle:
            handle.seek(since)
            return handle.read().decode("utf-8", "replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def size(log: Path) -> int:
    """Return the length of the log in bytes: the ``since`` of what comes next."""
    return log.stat().st_size if log.exists() else 0


def wait_for(log: Path, pattern: str, timeout: float, since: int = 0) -> re.Match[str]:
    """Wait until the console has said something that matches, and return the match.

    :param pattern: a regular expression; ``^`` and ``$`` match at every line.
    :param timeout: seconds, times the patience.
    :raises LabError: with the last lines of the console.
    """
    wanted = re.compile(pattern, re.MULTILINE)
    found: list[re.Match[str]] = []

    def seen() -> bool:
        match = wanted.search(text(log, since))
        found.extend([match] if match else [])
        return match is not None

    if not wait_until(seen, timeout, interval=0.5):
        last = "\n".join(text(log, since).splitlines()[-25:])
        raise LabError(f"{log}: no {pattern!r} within {timeout * patience():.0f} s; the console ends with:\n{last}")
    return found[0]


def stages(said: str) -> list[tuple[str, float | None]]:
    """Return the boot stages in a console's text, each with the seconds since its kernel started, where it says so."""
    return [(found["stage"], float(found["seconds"]) if found["seconds"] else None) for found in STAGE.finditer(said)]


def last_stage(log: Path) -> str | None:
    """Return the boot stage that the host reported last."""
    found = stages(text(log))
    return found[-1][0] if found else None


def attach(path: Path, name: str) -> None:
    """Connect the terminal to a console until Ctrl-] or the host's end."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError as error:
            raise LabError(f"{name}: no console ({error}); is it on?") from error
        print(f"Console of {name}; leave it with Ctrl-]", flush=True)
        with _raw_terminal():
            _copy(connection)
    print()


def _copy(connection: socket.socket) -> None:
    sources = [connection, sys.stdin]
    while True:
        readable, _, _ = select.select(sources, [], [])
        if connection in readable:
            data = connection.recv(4096)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if sys.stdin in readable:
            data = os.read(sys.stdin.fileno(), 4096)
            if ESCAPE in data:
                return
            if data:
                connection.sendall(data)
            else:
                sources.remove(sys.stdin)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
