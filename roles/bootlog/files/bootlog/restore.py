# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the receiver goes on after a restart: what the store had, and what the files have beyond that.

The files are written several times a second, the store once. So after a kill the last second of each boot is read again
from its file.
"""

from __future__ import annotations

from .boots import Boot
from .files import LogFiles
from .line import Line
from .netconsole import Message
from .store import Kept, Store


def restore(store: Store, files: LogFiles, host: str) -> tuple[Kept, float]:
    """Return what is known of a host, and when its last line came."""
    kept = store.load(host)
    boot = kept.boot
    last = kept.last
    if boot is None:
        return kept, last[0] if last else 0.0
    lost = kept.lost
    known_until = last[0] if last else 0.0
    for line in files.recover(host, boot.number):
        # Lines carry six decimals of what the store has exactly.
        if line.time <= known_until + 1e-6:
            continue
        _replay(boot, line)
        lost += line.lost
        last = (line.time, line.level, line.text)
    return Kept(boot, kept.received, lost, last), last[0] if last else 0.0


def _replay(boot: Boot, line: Line) -> None:
    boot.lines += 1
    boot.lost += line.lost
    if line.seq is not None:
        boot.last_seq = line.seq
    observed = None
    if line.source == "netconsole":
        if boot.heard is None and (line.seq is not None or line.uptime is not None):
            boot.heard = line.time
            boot.first_seq = line.seq
        observed = boot.observe(line.time, Message(line.level, line.seq, line.uptime, line.text, None), line.text)
    if line.stage is not None and observed != line.stage:
        boot.reach(line.stage, line.time, line.uptime, line.text)
