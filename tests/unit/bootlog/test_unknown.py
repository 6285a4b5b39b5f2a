# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders that are no known host."""

from __future__ import annotations

from bootlog.hosts import source_keys
from bootlog.store import Sender
from bootlog.unknown import MAX_SENDERS, MAX_TEXT, UnknownSenders

from tests.unit.bootlog.one_host import NOW

STRANGER = source_keys("10.9.9.9")[0]


def test_stranger_is_noted_with_its_address() -> None:
    unknown = UnknownSenders(10, {})
    unknown.receive(NOW, STRANGER, b"13,5,1000000,-;diskless: stage=ready host=udoo1 boot=x")
    (line,) = unknown.lines
    assert (line.host, line.boot, line.sender, line.stage) == (None, None, "10.9.9.9", None)
    assert unknown.senders["10.9.9.9"] == Sender(NOW, NOW, 1, "diskless: stage=ready host=udoo1 boot=x")


def test_flood_is_cut_to_the_rate() -> None:
    unknown = UnknownSenders(10, {})
    for number in range(10000):
        unknown.receive(NOW + number / 1000, STRANGER, b"flood")
    assert 100 <= len(unknown.lines) <= 111


def test_rate_of_zero_keeps_nothing() -> None:
    unknown = UnknownSenders(0, {})
    unknown.receive(NOW, STRANGER, b"x")
    assert unknown.lines == []


def test_no_more_is_kept_than_stated() -> None:
    """Sources are easily forged: one datagram from each of many."""
    unknown = UnknownSenders(10**6, {})
    for number in range(5000):
        unknown.receive(NOW + number, bytes([10, 9, number >> 8, number & 255]), b"\xff" * 2000)
    assert len(unknown.senders) == MAX_SENDERS
    assert all(len(sender.last_text) <= MAX_TEXT for sender in unknown.senders.values())
    assert "10.9.19.135" in unknown.senders


def test_fragment_is_shown_as_it_is() -> None:
    unknown = UnknownSenders(10, {})
    unknown.receive(NOW, STRANGER, b"6,1,1,-,ncfrag=4/9;part\x1b")
    assert unknown.lines[0].text == r"part\x1b"
