# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is understood of datagrams. These are made after the kernel's documentation; for real ones see test_recorded."""

from __future__ import annotations

import pytest
from bootlog.netconsole import MAX_TOTAL, Fragment, Message, parse
from hypothesis import given
from hypothesis import strategies as st

# Pieces of which datagrams consist, so that many of the generated ones are nearly right.
PIECES = st.sampled_from(
    [
        *b"6|,|;|-|c|\n| KEY=|ncfrag=|0/31|/|6.6.8|[|] |<6>|12.345678|\\x|\\x0a|\\x1b|\\xff|-1|\0".split(b"|"),
        *(b"diskless: stage=kernel", b"9" * 30, "\u202e".encode()),
    ]
)
DATAGRAMS = st.one_of(st.binary(max_size=200), st.lists(st.one_of(PIECES, st.binary(max_size=4))).map(b"".join))


def message(datagram: bytes) -> Message:
    parsed = parse(datagram)
    assert isinstance(parsed, Message)
    return parsed


def test_extended_message_of_kernel_6_1() -> None:
    said = message(b"6,416,1758426,-;netpoll: netconsole: local port 6665\n")
    assert said == Message(6, 416, 1.758426, "netpoll: netconsole: local port 6665", None)


def test_level_is_the_lower_part_of_the_syslog_priority() -> None:
    """What a program writes to /dev/kmsg has facility 1 (user)."""
    assert message(b"13,5,1000000,-;diskless: stage=root").level == 5


@pytest.mark.parametrize("flag", ["-", "c", "+"])
def test_continued_lines_are_messages_of_their_own(flag: str) -> None:
    assert message(f"4,167,0,{flag};[0 1".encode()).text == "[0 1"


def test_release_of_kernel_6_6_in_front() -> None:
    """With ``r``: ``6.4.0,6,444,501151268,-;netconsole: network logging started`` is the documentation's example."""
    said = message(b"6.4.0,6,444,501151268,-;netconsole: network logging started\n")
    assert (said.release, said.level, said.seq, said.uptime) == ("6.4.0", 6, 444, 501.151268)


def test_caller_is_no_part_of_the_text() -> None:
    """CONFIG_PRINTK_CALLER adds it to the header."""
    assert message(b"6,1,2000000,-,caller=T1;text").text == "text"
    assert message(b"6.6.8,6,1,2000000,-,caller=C0;text").release == "6.6.8"


def test_dictionary_userdata_and_sysdata_become_fields() -> None:
    """Userdata of kernel 6.9 looks like the dictionary of a device."""
    said = message(b"12,607,22085407756,-;hello\n SUBSYSTEM=usb\n DEVICE=c189:0\n foo=bar=1\n\n")
    assert said.text == "hello"
    assert said.fields == {"SUBSYSTEM": "usb", "DEVICE": "c189:0", "foo": "bar=1"}


def test_escapes_become_text_again() -> None:
    r"""The kernel writes UTF-8 byte by byte, and a backslash as ``\x5c``."""
    assert message(rb"6,1,1,-;\xc3\xbc C:\x5cx \x22".replace(b"\\x22", b'"')).text == 'ü C:\\x "'


def test_lines_of_one_message_stay_apart() -> None:
    assert message(rb"6,1,1,-;one\x0atwo").text == "one\ntwo"


@pytest.mark.parametrize(
    ("escaped", "shown"),
    [
        (rb"\x1b[31mred", r"\x1b[31mred"),
        (rb"bell\x07", r"bell\x07"),
        (rb"\xc2\x9b1m", r"\x9b1m"),  # CSI in one character
        (rb"\xe2\x80\xaereversed", r"\u202ereversed"),
        (rb"\xff\xfe", r"\xff\xfe"),  # no UTF-8
        (rb"\x0done", r"\x0done"),
        (rb"a\x09b", "a b"),
        (rb"end\x0a", "end"),
    ],
)
def test_nothing_reaches_a_terminal_that_would_control_it(escaped: bytes, shown: str) -> None:
    assert message(b"6,1,1,-;" + escaped).text == shown


def test_fragment() -> None:
    """The documentation's example."""
    assert parse(b"6,416,1758426,-,ncfrag=0/31;the first chunk,") == Fragment(
        6, 416, 1.758426, None, 0, 31, b"the first chunk,"
    )
    assert parse(b"6.4.0,14,416,1758426,-,ncfrag=16/31; the 2nd chunk.") == Fragment(
        6, 416, 1.758426, "6.4.0", 16, 31, b" the 2nd chunk."
    )


@pytest.mark.parametrize("where", ["0/0", "31/31", "20/31", f"0/{MAX_TOTAL + 1}", "9999999/1", "a/b", "-1/31"])
def test_fragment_that_cannot_be_is_text(where: str) -> None:
    """Offset and length are what a sender likes to write."""
    assert isinstance(parse(f"6,416,1,-,ncfrag={where};the first chunk,".encode()), Message)


@pytest.mark.parametrize(
    ("datagram", "level", "uptime", "text"),
    [
        (b"[    5.123456] usb 1-1: new device\n", None, 5.123456, "usb 1-1: new device"),
        (b"<4>[12345.000001] careful\n", 4, 12345.000001, "careful"),
        (b"[    0.500000][    T1] with caller\n", None, 0.5, "with caller"),
        (b"[    1.000000] one\n[    1.000000] two\n", None, 1.0, "one\ntwo"),
        (b"no stamp\n", None, None, "no stamp"),
        (b"  2.24 RPi: BOOTLOADER release\r\n", None, None, "  2.24 RPi: BOOTLOADER release"),
        (b"", None, None, ""),
    ],
)  # fmt: skip
def test_plain_message(datagram: bytes, level: int | None, uptime: float | None, text: str) -> None:
    assert message(datagram) == Message(level, None, uptime, text, None)


@pytest.mark.parametrize(
    "datagram",
    [b"6,1;x", b"a,b,c,-;x", b"-6,1,1,-;x", b"6,-1,1,-;x", b"6,1,-1,-;x", b"6," + b"9" * 25 + b",1,-;x", b"6,1,1,x;x"],
)
def test_header_that_is_none_is_text(datagram: bytes) -> None:
    assert message(datagram) == Message(None, None, None, datagram.decode(), None)


@given(DATAGRAMS)
def test_anything_is_understood_as_something_printable(datagram: bytes) -> None:
    said = parse(datagram)
    if isinstance(said, Fragment):
        assert said.offset + len(said.body) <= said.total <= MAX_TOTAL
    else:
        assert said.text.replace("\n", "").isprintable()
        assert said.seq is None or 0 <= said.seq < 2**63
        said.text.encode()
