# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A writer on a diskless host whose file shows whether anything is lost that it was told is on the disk."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.diskless_host import DisklessHost

LOG = "/root/log"
# Every line has a checksum of all lines before it. How many there are, up to the first that is not right.
_READ = f"""
import hashlib
digest, number, size = hashlib.sha256(), 0, 0
for line in open("{LOG}", "rb"):
    if line != b"%d %s\\n" % (number + 1, digest.hexdigest().encode()):
        break
    digest.update(line)
    number, size = number + 1, size + len(line)
"""
# Goes on where the last one ended. A line is in the file, with fsync, before it is told.
_WRITE = f"""
import os, time
open("{LOG}", "a").close()
{_READ}
os.truncate("{LOG}", size)
file = os.open("{LOG}", os.O_WRONLY | os.O_APPEND)
while True:
    number += 1
    line = b"%d %s\\n" % (number, digest.hexdigest().encode())
    os.write(file, line)
    os.fsync(file)
    digest.update(line)
    print(number, flush=True)
    time.sleep(0.05)
"""


@dataclass
class Writer:
    """The writer at work. ``told`` is the number of the last line that it is known to have told."""

    process: subprocess.Popen[str]
    told: int = 0

    def acknowledged(self) -> int:
        """End its connection, and return the number of the last line that was told."""
        self.process.kill()
        assert self.process.stdout is not None
        self.told = int([str(self.told), *re.findall(r"^\d+$", self.process.stdout.read(), re.MULTILINE)][-1])
        return self.told


@contextmanager
def writing(host: DisklessHost) -> Iterator[Writer]:
    """Run the writer on the host; it has written when this begins."""
    command = [*host.lab.ssh_argv(host.name), f"python3 -c '{_WRITE}'"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        writer = Writer(process)
        try:
            assert process.stdout is not None
            for _line in range(20):
                writer.told = int(process.stdout.readline())
            yield writer
        finally:
            process.kill()


def intact_lines(host: DisklessHost) -> int:
    """Return how many lines the file has, up to the first that is lost or damaged."""
    return int(host.ssh(f"python3 -c '{_READ}\nprint(number)'"))
