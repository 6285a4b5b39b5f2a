# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's monitor protocol: as much of it as a power button needs."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.patience import patience


def execute(path: Path, command: str, timeout: float = 10) -> Any:
    """Run one command on the monitor socket and return its answer.

    :raises LabError: when nobody answers, or QEMU refuses.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout * patience())
            connection.connect(str(path))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.readline()  # the greeting
                for word in ("qmp_capabilities", command):
                    stream.write(json.dumps({"execute": word}) + "\n")
                    stream.flush()
                    answer = _answer(stream)
                return answer
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: {command}: {error}") from error


def _answer(stream: Any) -> Any:
    for line in stream:
        message = json.loads(line)
        if "error" in message:
            raise LabError(f"QEMU: {message['error']['desc']}")
        if "return" in message:
            return message["return"]
    raise ValueError("QEMU hung up")
