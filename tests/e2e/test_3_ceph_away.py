# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ceph goes away in the middle of a shutdown."""

from __future__ import annotations

import time

from lab.api import Lab
from lab.patience import patience
from tests.e2e.diskless_host import BOOT, DisklessHost

SHUTDOWN_TIMEOUT = 60  # diskless_shutdown_timeout in the lab's inventory
FIRMWARE = r"SeaBIOS|iPXE"


def test_host_goes_down_within_the_bound_when_ceph_is_away(lab: Lab, host: DisklessHost) -> None:
    """A host that hangs in shutdown is worse than a stale lock."""
    since = host.now()
    try:
        host.request("reboot")
        host.wait_stage("shutdown", since)
        lab.cut("ceph")
        cut = time.monotonic()
        lab.wait_for(host.name, FIRMWARE, SHUTDOWN_TIMEOUT + 30, since)
        assert time.monotonic() - cut < (SHUTDOWN_TIMEOUT + 20) * patience()
    finally:
        lab.join("ceph")
    host.wait_stage("ready", since, BOOT * 2)
