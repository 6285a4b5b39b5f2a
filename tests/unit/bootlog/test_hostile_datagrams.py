# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent from the address of a known host: nothing ends, nothing grows, and lines stay lines."""

from __future__ import annotations

import itertools
import json
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.hostile_datagrams import hostile_datagrams
from tests.unit.bootlog.one_host import NOW, OneHost

HELD = 600 * 1024  # bytes: what hostlog says of order and reassembly, and some of Python's own


def lines_of(host: OneHost) -> int:
    """Take the lines as a flush does; return how many there were."""
    host.log.flush()
    count = 0
    for _host, _boot, lines in host.batch.chunks:
        for line in lines:
            count += 1
            assert line.endswith("}\n")
            assert line.count("\n") == 1
            assert json.loads(line)["text"].isprintable()
    for each in (host.batch.chunks, host.batch.lines, host.batch.spoke, host.batch.ended):
        each.clear()
    return count


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.binary(max_size=30), st.floats(0, 3)), max_size=60),
    st.booleans(),
)
def test_any_numbers_and_times(said: list[tuple[int, int, bytes, float]], extended: bool) -> None:
    """Numbers and times that go back and forth are reboots, repetitions and losses, in any mixture."""
    host = OneHost()
    time = NOW
    for seq, uptime, text, passed in said:
        time += passed
        datagram = (b"5,%d,%d000000,-;" if extended else b"<5>[%d.%06d] ") % (seq, uptime) + text
        host.log.receive(time, datagram)
        host.log.expire(time)
    host.log.finish()
    lines_of(host)
    assert not host.log.order.held or host.log.order._repetition is not None
    for boot in host.boots:
        assert boot.stage_times() == sorted(boot.stage_times())


def test_memory_of_a_hostile_host_is_bounded() -> None:
    host = OneHost()
    host.batch.collect = False
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        for number, datagram in enumerate(itertools.islice(hostile_datagrams(1), 12_000)):
            host.log.receive(NOW + number / 1000, datagram)
            if number % 1000 == 0:
                lines_of(host)
                del host.boots[:-1]
                host._lines.clear()
                assert tracemalloc.get_traced_memory()[0] - begun < HELD
    finally:
        tracemalloc.stop()


def test_one_datagram_makes_a_line_of_limited_length() -> None:
    """Ten bytes of JSON for each byte are the most, where every character has to be shown by its number."""
    host = OneHost()
    for datagram in (b"\xff" * 2048, b"\x1b" * 2048, "\u202e".encode() * 680, b'"' * 2048):
        host.log.receive(NOW, datagram)
        host.log.flush()
        assert all(len(line) < 10 * 2048 + 500 for _host, _boot, lines in host.batch.chunks for line in lines)
