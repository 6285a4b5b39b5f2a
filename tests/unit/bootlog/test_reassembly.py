# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of several datagrams."""

from __future__ import annotations

import itertools

import pytest
from bootlog.netconsole import MAX_TOTAL, Fragment, parse
from bootlog.reassembly import MAX_MESSAGES, SECONDS, Reassembly
from hypothesis import given
from hypothesis import strategies as st

BODY = b"the first chunk, the 2nd chunk, and the third.\n KEY=value\n"


def fragment(offset: int, end: int, seq: int = 416, body: bytes = BODY) -> Fragment:
    parsed = parse(b"6,%d,1758426,-,ncfrag=%d/%d;" % (seq, offset, len(body)) + body[offset:end])
    assert isinstance(parsed, Fragment)
    return parsed


PARTS = (fragment(0, 16), fragment(16, 31), fragment(31, len(BODY)))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_fragments_make_a_message_in_any_order(order: tuple[int, ...]) -> None:
    reassembly = Reassembly()
    done = [message for number in order for message in reassembly.add(PARTS[number], 0.0)]
    assert [message.text for message in done] == ["the first chunk, the 2nd chunk, and the third."]
    assert done[0].fields == {"KEY": "value"}
    assert not reassembly


def test_escape_may_be_cut_in_two() -> None:
    body = rb"caf\xc3\xa9"
    reassembly = Reassembly()
    assert reassembly.add(fragment(0, 5, body=body), 0.0) == []
    assert reassembly.add(fragment(5, len(body), body=body), 0.0)[0].text == "café"


def test_fragment_that_arrives_twice_does_no_harm() -> None:
    reassembly = Reassembly()
    for part in (PARTS[0], PARTS[0], PARTS[0], PARTS[1]):
        assert reassembly.add(part, 0.0) == []
    assert reassembly.add(PARTS[2], 0.0)[0].text.endswith("the third.")


def test_message_with_a_missing_part_says_so_after_a_while() -> None:
    reassembly = Reassembly()
    reassembly.add(PARTS[0], 10.0)
    reassembly.add(PARTS[2], 10.0)
    assert reassembly.expire(10.0 + SECONDS / 2) == []
    assert reassembly.expire(10.0 + SECONDS)[0].text == "the first chunk,[15 bytes lost] and the third."
    assert not reassembly


def test_same_number_of_another_kernel_is_another_message() -> None:
    reassembly = Reassembly()
    reassembly.add(PARTS[0], 0.0)
    other = PARTS[0]._replace(uptime=9.0)
    assert reassembly.add(other, 0.0)[0].uptime == PARTS[0].uptime


def test_no_more_is_held_than_stated() -> None:
    """Whatever is sent, at most MAX_MESSAGES wait, and none is larger than MAX_TOTAL."""
    reassembly = Reassembly()
    body = b"x" * MAX_TOTAL
    for seq in range(100):
        for offset in range(0, 2000):
            reassembly.add(fragment(offset, offset + 900, seq, body), 0.0)
    held = reassembly._incomplete.values()
    assert len(held) <= MAX_MESSAGES
    assert sum(len(part) for each in held for part in each.parts.values()) <= MAX_MESSAGES * MAX_TOTAL


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.binary(min_size=1, max_size=40)), max_size=40))
def test_any_fragments_come_to_an_end(parts: list[tuple[int, int, bytes]]) -> None:
    reassembly = Reassembly()
    for seq, offset, body in parts:
        reassembly.add(Fragment(6, seq, 1.0, None, offset, 80, body), 0.0)
    reassembly.expire(SECONDS)
    assert not reassembly
