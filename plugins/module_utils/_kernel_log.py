# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a kernel log, from the journal, from dmesg, or from a file of any common format. No I/O."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Iterable, Mapping

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MICRO = 1_000_000
# dmesg and printk.time: [   12.345678] or, with the caller, [   12.345678][  T123]
_UPTIME = re.compile(r"\[\s*(\d+\.\d+)\](?:\[\s*[TC]\d+\])?\s?")
# extended netconsole and /dev/kmsg: level,sequence,microseconds,flags;
_KMSG = re.compile(r"\d+,\d+,(\d+),[^;]*;")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_CTIME = re.compile(r"\[?[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4})\]?")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d+) (\d\d):(\d\d):(\d\d) ")
_AGE = re.compile(r"(\d+)\s*([smhd])")
_AGE_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class KernelLine:
    """One line: ``time`` in seconds since the epoch, ``uptime`` in seconds since boot; None where unknown."""

    text: str
    time: float | None = None
    uptime: float | None = None
    boot: str | None = None


def parse_journal(text: str) -> list[KernelLine]:
    """Parse ``journalctl -k -o json``: one object a line."""
    return [_journal_line(json.loads(line)) for line in text.splitlines() if line.startswith("{")]


def parse_dmesg(text: str, boot_time: float) -> list[KernelLine]:
    """Parse plain ``dmesg`` of a kernel that booted at ``boot_time`` (seconds since the epoch)."""
    found = []
    for line in text.splitlines():
        match = _UPTIME.search(line)
        uptime = float(match.group(1)) if match else None
        message = line[match.end() :] if match else line
        found.append(KernelLine(message, None if uptime is None else boot_time + uptime, uptime))
    return found


def parse_file(text: str, now: datetime) -> list[KernelLine]:
    """Parse a log file: dmesg, syslog, netconsole, or a journal exported as JSON.

    Times without a zone are taken as those of ``now``, which has one; syslog's times, which have no year, as the
    last that was not later than ``now``.
    """
    return [_file_line(line, now) for line in text.splitlines()]


def parse_since(text: str, now: datetime) -> float:
    """Return the time that a task names, an ISO 8601 time or an age such as 2h; raises ValueError."""
    age = _AGE.fullmatch(text.strip())
    if age:
        return (now - timedelta(**{_AGE_UNITS[age.group(2)]: int(age.group(1))})).timestamp()
    match = _ISO.fullmatch(text.strip())
    if not match:
        raise ValueError(f"since {text!r}: expected a time such as 2026-11-21T08:30:00Z, or an age such as 90m, 2h, 3d")
    return _iso_time(match.group(0), now)


def lines_since(lines: Iterable[KernelLine], earliest: float) -> list[KernelLine]:
    """Return the lines that are not older; those of unknown time stay."""
    return [line for line in lines if line.time is None or line.time >= earliest]


def _journal_line(entry: Mapping[str, Any]) -> KernelLine:
    message = entry.get("MESSAGE") or ""
    if isinstance(message, list):  # how the journal writes what is not valid UTF-8
        message = bytes(message).decode(errors="replace")
    time = int(entry["__REALTIME_TIMESTAMP"]) / _MICRO
    uptime = int(entry["__MONOTONIC_TIMESTAMP"]) / _MICRO
    source = entry.get("_SOURCE_MONOTONIC_TIMESTAMP")
    if source is not None:
        # The journal starts late in the boot: the kernel's own time says when it really happened.
        time, uptime = time - uptime + int(source) / _MICRO, int(source) / _MICRO
    return KernelLine(message, time, uptime, entry.get("_BOOT_ID"))


def _file_line(line: str, now: datetime) -> KernelLine:
    if line.startswith("{"):
        try:
            return _journal_line(json.loads(line))
        except (ValueError, KeyError):
            return KernelLine(line)
    uptime = _UPTIME.search(line)
    kmsg = None if uptime else _KMSG.search(line)
    seconds = float(uptime.group(1)) if uptime else int(kmsg.group(1)) / _MICRO if kmsg else None
    return KernelLine(line, _wall_time(line, now), seconds)


def _wall_time(line: str, now: datetime) -> float | None:
    try:
        iso = _ISO.search(line)
        if iso:
            return _iso_time(iso.group(0), now)
        ctime = _CTIME.search(line)
        if ctime:
            month, day, hour, minute, second, year = ctime.groups()
            return _local(now, int(year), month, day, hour, minute, second).timestamp()
        syslog = _SYSLOG.match(line)
        if syslog:
            this_year = _local(now, now.year, *syslog.groups())
            # A day of grace: the other machine's clock or zone may be ahead.
            late = this_year > now + timedelta(days=1)
            return (_local(now, now.year - 1, *syslog.groups()) if late else this_year).timestamp()
    except ValueError:  # looks like a time and is none
        return None
    return None


def _local(now: datetime, year: int, *month_to_second: str) -> datetime:
    month = _MONTHS.index(month_to_second[0]) + 1
    day, hour, minute, second = (int(word) for word in month_to_second[1:])
    return datetime(year, month, day, hour, minute, second, tzinfo=now.tzinfo)


def _iso_time(text: str, now: datetime) -> float:
    plain = re.sub(r"[.,]\d+", "", text).replace(" ", "T").replace("Z", "+0000")
    fraction = re.search(r"[.,](\d+)", text)
    zone = re.search(r"([+-]\d\d):?(\d\d)$", plain)
    time = datetime.strptime(plain[: len("2026-11-21T08:30:00")], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=now.tzinfo)
    if zone:
        hours, minutes = int(zone.group(1)), int(zone.group(1)[0] + zone.group(2))
        time = time.replace(tzinfo=timezone(timedelta(hours=hours, minutes=minutes)))
    return time.timestamp() + (float("0." + fraction.group(1)) if fraction else 0.0)
