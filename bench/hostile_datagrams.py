# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams as nobody should send them: real ones, changed at random, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

_ID = b"0f2d3c51-6a7b-4c8d-9e0f-112233445566"
_REAL = (
    b"6,%d,%d,-;usb 1-1: New USB device found, idVendor=1d6b\n SUBSYSTEM=usb\n DEVICE=c189:0\n",
    b"6.6.8-amd64,13,%d,%d,-,caller=T1;diskless: stage=kernel host=a boot=" + _ID + b" release=6.6.8\n",
    b"13,%d,%d,-;diskless: stage=failed host=a boot=" + _ID + b' step=map reason=auth text="Ceph refuses"\n',
    b'12,%d,%d,c;diskless: retry step=map attempt=1 wait=2 error="why" reason=auth\n',
    b"4,%d,%d,+;\\x1b[31mred \\xc3\\xa4 \\x0anext line\n",
    b"6,%d,%d,-,ncfrag=0/31;the first chunk,",
    b"6,%d,%d,-,ncfrag=16/31; the 2nd chunk.",
    b"0,%d,%d,-;Kernel panic - not syncing: Attempted to kill init!\n",
    b"6,%d,%d,-;" + b"long " * 190,
    b"<4>[%5d.%06d] plain\n[    5.000000] more\n",
    b"  2.24 RPi: BOOTLOADER release %d %d\r\n",
)
_BITS = (
    b",",
    b";",
    b"\n",
    b"\\x",
    b"\0",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"9" * 25,
    b"-",
    b"ncfrag=999999/999999",
    b'"',
    b"=",
    b" boot=",
)


def hostile_datagrams(seed: int) -> Iterator[bytes]:
    """Give them, without an end. Equal seeds give equal datagrams."""
    often, sometimes, seldom = 0.7, 0.1, 0.05
    choice = random.Random(seed)  # noqa: S311  # nothing is to be kept secret
    seq = 0
    microseconds = 0
    while True:
        kind = choice.random()
        if kind < seldom:  # another kernel, or a repetition of an old message
            seq = choice.randrange(0, seq + 1)
            microseconds = choice.randrange(0, microseconds + 1)
        elif kind < sometimes:
            seq += choice.randrange(0, 10 ** choice.randrange(1, 19))
            seq %= 2**63
        else:
            seq += 1
            microseconds += choice.randrange(0, 10**6)
        datagram = choice.choice(_REAL) % (seq, microseconds)
        for _change in range(choice.choice((0, 0, 0, 1, 1, 2, 8))):
            place = choice.randrange(len(datagram) + 1)
            cut = choice.choice((0, 0, 1, 5, 100))
            bit = choice.choice(_BITS) if choice.random() < often else choice.randbytes(choice.randrange(1, 9))
            datagram = datagram[:place] + bit + datagram[place + cut :]
        yield datagram[:2048]
