# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""What one netconsole datagram says: the kernel's extended and plain formats, and a bootloader's text.

Source: Documentation/networking/netconsole.rst, Documentation/ABI/testing/dev-kmsg, drivers/net/netconsole.c and
kernel/printk/printk.c of the kernel:

* extended (kernel 4.4): ``level,seq,timestamp,flag[,more];text\n``, then lines `` KEY=value\n``. The first number is
  the syslog priority, facility * 8 + level; the timestamp is in microseconds; the flag is ``-``, ``c`` for a
  continued line, and ``+`` in old kernels. More may be ``caller=T1`` (CONFIG_PRINTK_CALLER) and
  ``ncfrag=offset/total`` for a part of a message that does not fit in 1,000 bytes.
* release (6.6): the same behind ``6.6.8-amd64,``.
* userdata (6.9), sysdata (6.15) come as further `` key=value`` lines.
* plain: what the console shows, ``[    1.234567] text``, with or without ``<level>`` in front. It is cut in pieces of
  1,000 bytes which nothing marks as such.

Anything else is text: nothing that arrives is an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .text import decode

MAX_TOTAL = 16 * 1024  # bytes of a message in fragments: at most 8 KiB of text and 4 KiB of userdata in any kernel

_FLAGS = frozenset((b"-", b"c", b"+"))
_MAX_NUMBER = 2**63 - 1  # what SQLite holds
_PLAIN = re.compile(rb"(?:<(\d{1,4})>)?(\[ *(\d{1,9}\.\d{6})\](?:\[ *[TC]\d{1,10}\])? ?)?")
_RELEASE = re.compile(rb"[\x21-\x7e]{1,64}")
_FRAGMENT = re.compile(rb"ncfrag=(\d{1,6})/(\d{1,6})")


class Message(NamedTuple):
    """A message of a kernel or a bootloader."""

    level: int | None  # 0 (emergency) to 7 (debug)
    seq: int | None  # the kernel's number of the message; only in the extended format
    uptime: float | None  # seconds since the kernel began
    text: str  # printable, except for line feeds between its lines
    release: str | None  # of the kernel, where the sender prepends it
    dictionary: bytes = b""  # its lines, as they came

    @property
    def fields(self) -> dict[str, str]:
        """Return what the dictionary says: SUBSYSTEM, DEVICE, userdata, sysdata."""
        return _fields(self.dictionary)


class Fragment(NamedTuple):
    """A part of a message."""

    level: int
    seq: int
    uptime: float
    release: str | None
    offset: int  # of this part in the body, bytes
    total: int  # length of the body, bytes
    body: bytes


def parse(datagram: bytes) -> Message | Fragment:
    """Return what a datagram says. Never raises."""
    head, _semicolon, body = datagram.partition(b";")
    numbers = head.split(b",", 7)
    try:
        if numbers[3] in _FLAGS:
            release = None
            more = numbers[4:]
        elif numbers[4] in _FLAGS and _RELEASE.fullmatch(numbers[0]):
            release = numbers[0].decode("ascii")
            more = numbers[5:]
            numbers = numbers[1:]
        else:
            return _plain(datagram)
        priority = int(numbers[0])
        seq = int(numbers[1])
        microseconds = int(numbers[2])
    except (IndexError, ValueError):
        return _plain(datagram)
    if not (priority >= 0 and 0 <= seq <= _MAX_NUMBER and 0 <= microseconds <= _MAX_NUMBER):
        return _plain(datagram)
    if more:
        match = _FRAGMENT.fullmatch(more[-1])
        if match is not None:
            offset = int(match[1])
            total = int(match[2])
            if not (body and offset + len(body) <= total <= MAX_TOTAL):
                return _plain(datagram)
            return Fragment(priority & 7, seq, microseconds / 1e6, release, offset, total, body)
    raw, _line_feed, dictionary = body.partition(b"\n")
    return Message(priority & 7, seq, microseconds / 1e6, decode(raw), release, dictionary)


def message(level: int, seq: int, uptime: float, release: str | None, body: bytes) -> Message:
    """Return the message with this body: the text, and behind the first line feed its dictionary."""
    raw, _line_feed, dictionary = body.partition(b"\n")
    return Message(level, seq, uptime, decode(raw), release, dictionary)


def _fields(dictionary: bytes) -> dict[str, str]:
    fields = {}
    for line in dictionary.split(b"\n"):
        key, equals, value = line.partition(b"=")
        if equals:
            fields[decode(key).strip()] = decode(value)
    return fields


def _plain(datagram: bytes) -> Message:
    match = _PLAIN.match(datagram)
    if match is None:  # both of its parts may be missing, so there always is one
        return Message(None, None, None, decode(datagram), None)
    level, stamp, uptime = match.groups()
    raw = datagram[match.end() :].replace(b"\0", b"")
    if stamp is not None:  # the kernel repeats it on each line of a message
        raw = raw.replace(b"\n" + stamp, b"\n")
    return Message(
        None if level is None else int(level) & 7,
        None,
        None if uptime is None else float(uptime),
        decode(raw),
        None,
    )
