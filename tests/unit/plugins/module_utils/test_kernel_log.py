# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a kernel log, in every format that is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_log import (
    KernelLine,
    lines_since,
    parse_dmesg,
    parse_file,
    parse_journal,
    parse_since,
)

CET = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=CET)
HALF_PAST_EIGHT = datetime(2026, 11, 21, 8, 30, 0, tzinfo=UTC).timestamp()


def test_journal_gives_the_time_at_which_the_kernel_wrote() -> None:
    (line,) = parse_journal(
        '{"MESSAGE":"ceph: mds0 hung","_BOOT_ID":"b1","__REALTIME_TIMESTAMP":"1000000000","__MONOTONIC_TIMESTAMP":'
        '"90000000","_SOURCE_MONOTONIC_TIMESTAMP":"50000000"}\n'
    )
    assert line == KernelLine("ceph: mds0 hung", time=960.0, uptime=50.0, boot="b1")


def test_journal_with_bytes_that_are_no_text_and_without_the_time_of_the_kernel() -> None:
    (line,) = parse_journal(
        '{"MESSAGE":[104,105,255],"__REALTIME_TIMESTAMP":"5000000","__MONOTONIC_TIMESTAMP":"2000000"}'
    )
    assert line == KernelLine("hi\N{REPLACEMENT CHARACTER}", time=5.0, uptime=2.0)


@pytest.mark.parametrize("prefix", ["[   12.500000] ", "<6>[   12.500000] ", "[   12.500000][  T123] "])
def test_dmesg_counts_from_the_boot(prefix: str) -> None:
    assert parse_dmesg(f"{prefix}ceph: x\n", boot_time=100.0) == [KernelLine("ceph: x", time=112.5, uptime=12.5)]


def test_dmesg_without_times() -> None:
    assert parse_dmesg("ceph: x", boot_time=100.0) == [KernelLine("ceph: x")]


@pytest.mark.parametrize(
    ("line", "time", "uptime"),
    [
        ("[ 3601.120128] ceph: mds0 hung", None, 3601.120128),
        ("<6>[ 3601.120128] ceph: mds0 hung", None, 3601.120128),
        ("6,1417,3601120128,-;ceph: mds0 hung", None, 3601.120128),
        ("2026-11-21T08:30:00.500000+00:00 pi3 kernel: [ 12.5] ceph: mds0 hung", HALF_PAST_EIGHT + 0.5, 12.5),
        ("2026-11-21T09:30:00,250000+01:00 ceph: mds0 hung", HALF_PAST_EIGHT + 0.25, None),
        ("2026-11-21T08:30:00Z pi3 6,1417,3601120128,-;ceph: mds0 hung", HALF_PAST_EIGHT, 3601.120128),
        ("2026-11-21T05:00:00-0330 pi3 kernel: ceph: mds0 hung", HALF_PAST_EIGHT, None),
        ("2026-11-21 09:30:00 pi3 kernel: ceph: mds0 hung", HALF_PAST_EIGHT, None),
        ("Nov 21 09:30:00 pi3 kernel: [ 3601.120128] ceph: mds0 hung", HALF_PAST_EIGHT, 3601.120128),
        ("[Sat Nov 21 09:30:00 2026] ceph: mds0 hung", HALF_PAST_EIGHT, None),
        ("2026-99-21T08:30:00Z ceph: mds0 hung", None, None),
        ("Xyz 21 09:30:00 pi3 kernel: ceph: mds0 hung", None, None),
        ("{broken", None, None),
        (" ", None, None),
    ],
)
def test_formats_of_a_log_file(line: str, time: float | None, uptime: float | None) -> None:
    (found,) = parse_file(line, NOW)
    assert (found.time, found.uptime) == (time, uptime)


def test_syslog_line_from_before_new_year_is_of_last_year() -> None:
    (line,) = parse_file("Dec 31 23:00:00 pi3 kernel: x", NOW)
    assert line.time == datetime(2025, 12, 31, 23, 0, 0, tzinfo=CET).timestamp()


def test_exported_journal_is_a_log_file_too() -> None:
    (line,) = parse_file('{"MESSAGE":"x","__REALTIME_TIMESTAMP":"5000000","__MONOTONIC_TIMESTAMP":"2000000"}', NOW)
    assert line == KernelLine("x", time=5.0, uptime=2.0)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-21T08:30:00Z", HALF_PAST_EIGHT),
        ("2026-11-21 09:30:00", HALF_PAST_EIGHT),
        ("90m", NOW.timestamp() - 5400),
        ("3d", NOW.timestamp() - 3 * 86400),
    ],
)
def test_since_is_a_time_or_an_age(text: str, time: float) -> None:
    assert parse_since(text, NOW) == time


@pytest.mark.parametrize("text", ["yesterday", "2w", "2026-11-21", ""])
def test_since_that_is_neither(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as 2026-11-21T08:30:00Z, or an age such as 90m, 2h, 3d"):
        parse_since(text, NOW)


def test_older_lines_go_and_lines_without_a_time_stay() -> None:
    old, new, unknown = KernelLine("old", time=1.0), KernelLine("new", time=2.0), KernelLine("unknown")
    assert lines_since([old, new, unknown], 2.0) == [new, unknown]
