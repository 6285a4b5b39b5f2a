# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens to a host: what it was told is on its disk stays there; its root image has one owner at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.checksum_log import Writer, intact_lines, writing
from tests.e2e.diskless_host import DisklessHost

pytestmark = pytest.mark.full


class Owners(threading.Thread):
    """Who owns the lock of a root image, looked at all the time.

    An owner may go in two ways: it has given the lock back, or it is in the blocklist by the time that another has it.
    """

    def __init__(self, host: DisklessHost) -> None:
        """Begin to look as soon as started."""
        super().__init__(daemon=True)
        self._host, self._over = host, threading.Event()
        self.seen: list[str] = []  # addresses of owners, in order
        self.looks = 0
        self.problems: list[str] = []

    def run(self) -> None:
        """Look until it is over."""
        last = ""
        while not self._over.wait(1):
            owners = [lock["address"] for lock in self._host.locks()]
            self.looks += 1
            if len(owners) > 1:
                self.problems.append(f"owned by {owners} at once")
            now = owners[0] if owners else ""
            if last and now and now != last and last not in self._host.blocklist():
                self.problems.append(f"{now} has it while {last} may write")
            if now and now not in self.seen:
                self.seen.append(now)
            last = now

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join(timeout=60)
        assert not self.is_alive()


@contextmanager
def watched(host: DisklessHost) -> Iterator[Owners]:
    """Look at the owners of a host's root image meanwhile."""
    owners = Owners(host)
    owners.start()
    try:
        yield owners
    finally:
        owners.stop()


def recover(host: DisklessHost) -> None:
    # It is switched off even if somebody could log in.
    words = ("--limit", host.name, "-e", "recover_host_power_off=always")
    host.lab.site(*words, playbook="playbooks/recover_host.yml", capture=True)


def power_cut_and_boot(host: DisklessHost, writer: Writer) -> int:
    """It takes the lock of its dead former self by itself."""
    host.lab.power("off", host.name)
    told = writer.acknowledged()
    host.boot()
    return told


def power_cut_and_recovery(host: DisklessHost, writer: Writer) -> int:
    host.lab.power("off", host.name)
    told = writer.acknowledged()
    recover(host)
    return told


def orderly_reboot(host: DisklessHost, writer: Writer) -> int:
    """The writer is at work until it is stopped."""
    words = ("--limit", host.name, "-e", "reboot_timeout=300")
    host.lab.site(*words, playbook="playbooks/reboot.yml", capture=True)
    return writer.acknowledged()


def fence_and_recovery(host: DisklessHost, writer: Writer) -> int:
    """Ceph refuses its writes while it runs on, and nobody tells it."""
    (owner,) = host.locks()
    host.lab.cluster.run("ceph", "osd", "blocklist", "add", owner["address"], "86400")
    time.sleep(10)  # in which it is not told that anything was written
    told = writer.acknowledged()
    recover(host)
    return told


def test_nothing_acknowledged_is_lost_and_nobody_shares_the_image(host: DisklessHost) -> None:
    """Through power cuts, a reboot, a fence and recoveries, one after the other, each while the host writes."""
    steps = (power_cut_and_boot, orderly_reboot, fence_and_recovery, power_cut_and_recovery)
    host.ssh("rm -f /root/log")
    with watched(host) as owners:
        for step in steps:
            with writing(host) as writer:
                told = step(host, writer)
            found = intact_lines(host)
            assert found >= told, f"{step.__name__}: of {told} lines {told - found} are lost"
    assert not owners.problems
    assert len(owners.seen) == len(steps) + 1
    assert owners.looks > 2 * len(steps)
