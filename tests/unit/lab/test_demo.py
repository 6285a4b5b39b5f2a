# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The summary of the demonstration."""

from __future__ import annotations

from lab.api import Lab
from lab.demo import Seen, Stages, summary

FIRST: Stages = [("map", 8.5), ("ready", None)]
SECOND: Stages = [("shutdown", 99.1), ("unmapped", 99.9), ("map", 9.25), ("ready", 30.0)]


def test_summary_shows_stages_ceph_and_what_to_try() -> None:
    before = Seen(["client.4207 10.77.0.11:0/1"], ["10.77.0.11:0/1"], [])
    after = Seen(["client.4215 10.77.0.11:0/2"], ["10.77.0.11:0/2"], ["10.77.0.11:0/1"])
    lines = summary(Lab("mine"), (FIRST, SECOND), (before, after), 90).splitlines()
    assert "  map              8.50       9.25" in lines
    assert "  ready               ?      30.00" in lines
    assert "Going down in between: shutdown at 99.10, unmapped at 99.90" in lines
    assert (
        "  after the reboot:  lock owner client.4215 10.77.0.11:0/2; watcher 10.77.0.11:0/2; blocklist 10.77.0.11:0/1"
        in lines
    )
    assert "  lab/lab --name mine ssh udoo1" in lines
    assert lines[-1] == "All of this took 1.5 minutes."


def test_nothing_is_called_none() -> None:
    assert str(Seen([], [], [])) == "lock owner none; watcher none; blocklist none"
