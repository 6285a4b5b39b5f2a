# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shutdown and reboot: what is left behind in Ceph, and what the next boot makes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.api import Lab
from tests.e2e.diskless_host import DisklessHost
from tests.integration.module_run import ModuleRun

BREAKING = "breaking header lock"  # the kernel's words when it takes a lock from a dead owner
REBOOTS = 1 if os.environ.get("SHORT") else 10  # in a row; make test is short


@pytest.fixture
def clean_host(lab: Lab, host: DisklessHost) -> DisklessHost:
    """The host, with no blocklist entry from what earlier tests did to it."""
    for entry in host.blocklist():
        lab.cluster.run("ceph", "osd", "blocklist", "rm", entry)
    return host


def assert_nothing_left(host: DisklessHost) -> None:
    assert host.locks() == []
    assert host.watchers() == []
    assert host.blocklist() == []


def test_poweroff_leaves_no_lock_no_watcher_no_blocklist_entry(clean_host: DisklessHost) -> None:
    """The machine is off, and Ceph has forgotten it."""
    since = clean_host.power_off()
    assert clean_host.stages(since) == ["shutdown", "unmapped"]
    assert_nothing_left(clean_host)
    since = clean_host.boot()
    assert BREAKING not in clean_host.console(since)


def test_reboots_in_a_row_break_no_lock_and_blocklist_nobody(clean_host: DisklessHost) -> None:
    """Each boot finds the image free, which only an orderly unmap leaves it."""
    identities = set()
    for _ in range(REBOOTS):
        since = clean_host.reboot()
        assert clean_host.stages(since)[:2] == ["shutdown", "unmapped"]
        assert BREAKING not in clean_host.console(since)
        assert clean_host.blocklist() == []
        assert len(clean_host.locks()) == 1
        identities.add(clean_host.ssh("cat /proc/sys/kernel/random/boot_id"))
    assert len(identities) == REBOOTS


@pytest.mark.full
def test_without_the_exitrd_the_lock_stays_and_the_next_boot_breaks_it(lab: Lab, clean_host: DisklessHost) -> None:
    """The failure that the exitrd cures; it proves that the tests above can fail."""
    lab.site("-e", '{"diskless_exitrd": false}', capture=True)
    try:
        clean_host.reboot()  # the last one with an exitrd; from now on the host has none
        since = clean_host.power_off()
        assert "unmapped" not in clean_host.stages(since)
        assert len(clean_host.locks()) == 1
        since = clean_host.boot()
        assert BREAKING in clean_host.console(since)
        assert len(clean_host.blocklist()) == 1
    finally:
        lab.site(capture=True)
        lab.power("off", clean_host.name)


def test_after_a_power_cut_the_next_boot_breaks_the_dead_lock_by_itself(
    lab: Lab, clean_host: DisklessHost, tmp_path: Path
) -> None:
    """It waits until Ceph is sure that the former owner is gone, blocklists it, and comes up."""
    (former,) = clean_host.locks()
    lab.power("off", clean_host.name)
    assert clean_host.locks() == [former]
    since = clean_host.boot()
    assert BREAKING in clean_host.console(since)
    assert clean_host.blocklist() == [former["address"]]
    (owner,) = clean_host.locks()
    assert owner["address"] != former["address"]

    # What the host's own kernel says of it is understood.
    log = tmp_path / "dmesg"
    log.write_text(clean_host.ssh("dmesg"), encoding="utf-8")
    (finding,) = ModuleRun([])("kernel_log_info", path=str(log))["findings"]
    assert (finding["incident"], finding["recovered"]) == ("lock_broken", False)
