# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run until stopped; the targets stay, so that the end of a shutdown is heard as well.

Usage: python3 -m diskless_netconsole [--check FILE]. The latter only says what is wrong in a configuration.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from ._netconsole_configfs import NetconsoleDirectory, NetconsoleError
from .follower import Follower
from .log_hosts import log_hosts
from .parameter import adopt, reload_if_hidden

# RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE of linux/rtnetlink.h
GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
CHECK_SECONDS = 30
# One change of a network card is many events.
SETTLE_SECONDS = 0.3
PROGRAM_SECONDS = 30


def run(argv: Sequence[str]) -> tuple[int, str, str]:
    """Run a program."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, "", f"{argv[0]}: {error}"
    return done.returncode, done.stdout, done.stderr


def changes() -> socket.socket:
    """Return a socket that can be read when a link, an address or a route has changed."""
    events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    events.bind((0, GROUPS))
    return events


def wait(events: socket.socket, seconds: float) -> None:
    """Return when something has changed and settled, or after ``seconds``."""
    readable = select.select([events], [], [], seconds)[0]
    if not readable:
        return
    time.sleep(SETTLE_SECONDS)
    # ENOBUFS, when there were more than fit, is an OSError like the end of what there is.
    with contextlib.suppress(OSError):
        while events.recv(65536):
            pass


def say(line: str) -> None:
    """Write a line to the journal."""
    print(line, flush=True)


def follow(wanted: list[str], directory: NetconsoleDirectory) -> None:
    """Follow the links, for good; raises NetconsoleError. Without log hosts, only remove their targets."""
    with changes() as events:
        adopted = adopt(directory) if wanted else []
        if wanted and not adopted and reload_if_hidden(directory, run):
            say("loaded netconsole again: its targets of early boot could not be changed")
        follower = Follower(wanted, directory, run, os.uname().release, say)
        while True:
            follower.follow(adopted)
            if not wanted:
                return
            wait(events, CHECK_SECONDS)


def main(arguments: Sequence[str]) -> int:
    """Return 0 when there is nothing to do, 1 when it cannot be done."""
    directory = NetconsoleDirectory()
    try:
        if arguments:
            log_hosts(config=arguments[-1])
            return 0
        wanted = log_hosts()
        if wanted and directory.missing():
            run(["modprobe", "netconsole"])
        missing = directory.missing()
        if missing:
            say(missing if wanted else "no log hosts: nothing to do")
            return 1 if wanted else 0
        follow(wanted, directory)
    except (OSError, ValueError, NetconsoleError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
