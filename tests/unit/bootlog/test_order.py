# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in order, whatever the network did to them, and whether a kernel has begun anew."""

from __future__ import annotations

import pytest
from bootlog.netconsole import Message
from bootlog.order import DOUBT_SECONDS, DOUBTED, EARLY, REMEMBERED_SECONDS, WINDOW, WINDOW_SECONDS, Order, Ordered

BEGAN = 1_000_000.0  # when the kernel of these messages began
ONE, OTHER = (f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "12")


def say(seq: int, uptime: float | None = None, text: str = "") -> Message:
    return Message(6, seq, seq / 10 if uptime is None else uptime, text or f"message {seq}", None)


class Listener:
    """An order, what was known of the boot, and what came out."""

    def __init__(self, *, known: bool = True) -> None:
        self.known = known
        self.uptimes: dict[int, float] = {}
        self.heard: list[int | str] = []
        self.asked = 0
        self.order = Order(self._uptimes)

    def _uptimes(self) -> dict[int, float]:
        self.asked += 1
        return dict(self.uptimes) if self.known else {}

    def add(self, *messages: Message, at: float | None = None) -> None:
        for message in messages:
            self.take(self.order.add(BEGAN + (message.uptime or 0.0) if at is None else at, message))

    def take(self, ordered: list[Ordered]) -> None:
        for each in ordered:
            if each.anew:
                self.heard.append("anew")
                self.uptimes = {}
            if each.lost:
                self.heard.append(f"{each.lost} lost")
            assert each.message.seq is not None
            self.heard.append(each.message.seq)
            self.uptimes[each.message.seq] = each.message.uptime or 0.0


def test_messages_pass_in_their_order() -> None:
    listener = Listener()
    listener.add(*map(say, range(5)))
    assert listener.heard == [0, 1, 2, 3, 4]


def test_first_message_may_have_any_number() -> None:
    listener = Listener()
    listener.add(say(712), say(713))
    assert listener.heard == [712, 713]


def test_messages_that_overtook_others_are_put_behind_them() -> None:
    listener = Listener()
    listener.add(*map(say, (0, 3, 2, 1, 4)))
    assert listener.heard == [0, 1, 2, 3, 4]


def test_missing_messages_are_counted_after_a_while() -> None:
    listener = Listener()
    listener.add(say(0), say(3), at=5.0)
    assert listener.heard == [0]
    listener.take(listener.order.expire(5.0 + WINDOW_SECONDS))
    assert listener.heard == [0, "2 lost", 3]


def test_no_more_messages_wait_than_the_window_has() -> None:
    listener = Listener()
    listener.add(say(0), *(say(2 + number) for number in range(WINDOW + 1)), at=5.0)
    assert listener.heard == [0, "1 lost", *range(2, WINDOW + 3)]


def test_repeated_datagram_is_dropped() -> None:
    listener = Listener()
    listener.add(*map(say, (0, 1, 2, 1, 3, 4, 4, 5)))
    assert listener.heard == [0, 1, 2, 3, 4, 5]
    assert listener.order.repeated == 2


def test_repetition_of_the_whole_buffer_is_dropped_and_what_follows_is_heard() -> None:
    """The kernel says all of it again when a target is made by module parameter."""
    listener = Listener()
    listener.add(*map(say, range(700)))
    now = BEGAN + 80.0
    listener.add(*map(say, range(700)), at=now)
    listener.add(say(700, 80.0), say(701, 80.1), at=now)
    assert listener.heard == list(range(702))
    assert listener.order.repeated == 700


def test_repetition_on_a_host_that_has_run_for_long_is_seen_by_its_late_messages() -> None:
    """They show that the kernel was running when the last message came."""
    listener = Listener(known=False)
    listener.add(say(0, 0.0), say(1, 1.0), say(2, 90_000.0))
    listener.add(say(1, 1.0), say(2, 90_000.0), at=BEGAN + 90_010.0)
    assert listener.heard == [0, 1, 2]


def test_kernel_that_begins_anew_is_known_by_other_times() -> None:
    listener = Listener()
    listener.add(*map(say, range(50)))
    again = [say(seq, seq / 9) for seq in range(20)]
    listener.add(*again, at=BEGAN + 100.0)
    assert listener.heard == [*range(50), "anew", *range(20)]


def test_messages_without_a_time_do_not_tell() -> None:
    """The first messages of any kernel carry 0.000000; the decision comes with those that have a time."""
    listener = Listener()
    listener.add(*(say(seq, 0.0 if seq < 30 else seq / 10) for seq in range(50)))
    listener.add(*(say(seq, 0.0 if seq < 30 else seq / 9) for seq in range(29)), at=BEGAN + 100.0)
    assert listener.heard == list(range(50))
    listener.add(say(29, 0.0), say(30, 30 / 9), at=BEGAN + 100.0)
    assert listener.heard == [*range(50), "anew", *range(31)]


def test_boot_id_decides_at_once() -> None:
    listener = Listener(known=False)
    listener.order.boot_id = ONE
    listener.add(*map(say, range(10)))
    listener.add(say(0, 0.0), say(1, 0.0, f"diskless: stage=kernel host=a boot={OTHER}"), at=BEGAN + 100.0)
    assert listener.heard == [*range(10), "anew", 0, 1]


def test_short_boot_is_followed_by_another() -> None:
    """A kernel that panics early and is restarted numbers its messages beyond those of the first."""
    listener = Listener()
    listener.add(*map(say, range(5)))
    listener.add(*(say(seq, seq / 7) for seq in range(9)), at=BEGAN + 60.0)
    assert listener.heard == [0, 1, 2, 3, 4, "anew", *range(9)]


def test_doubt_ends_by_itself() -> None:
    """Two messages that nothing is known of: a kernel has said that it runs for a few seconds."""
    listener = Listener(known=False)
    listener.add(*map(say, range(100)))
    listener.add(say(0, 0.0), say(1, 0.0), at=BEGAN + 100.0)
    listener.take(listener.order.expire(BEGAN + 100.0 + DOUBT_SECONDS))
    assert listener.heard == [*range(100), "anew", 0, 1]


def zero_until_thirty(divisor: int) -> list[Message]:
    return [say(seq, 0.0 if seq < 30 else seq / divisor) for seq in range(50)]


def test_repetition_by_a_host_that_is_slow_is_dropped() -> None:
    """So slow that nothing has come in time but messages without one; they agree with what was heard."""
    listener = Listener()
    listener.add(*zero_until_thirty(10))
    again = zero_until_thirty(10)
    for begin, end, at in ((0, 10, 100.0), (10, 20, 101.0), (20, 50, 110.0)):
        listener.add(*again[begin:end], at=BEGAN + at)
        listener.take(listener.order.expire(BEGAN + at + DOUBT_SECONDS - 0.1))
        assert listener.order.held
        listener.take(listener.order.expire(BEGAN + at + DOUBT_SECONDS))
    assert listener.heard == list(range(50))
    assert listener.order.repeated == 50


def test_kernel_that_begins_anew_slowly_is_known_by_its_first_other_time() -> None:
    """What came before that agreed with the former kernel's messages, and is dropped."""
    listener = Listener()
    listener.add(*zero_until_thirty(10))
    again = zero_until_thirty(9)
    listener.add(*again[:20], at=BEGAN + 100.0)
    listener.take(listener.order.expire(BEGAN + 100.0 + DOUBT_SECONDS))
    assert listener.heard == list(range(50))
    listener.add(*again[20:], at=BEGAN + 102.0)
    assert listener.heard == [*range(50), "anew", *range(30, 50)]


def test_old_message_alone_is_no_new_boot() -> None:
    listener = Listener(known=False)
    listener.add(say(0, 0.0), say(1, 0.1))
    listener.add(say(1, EARLY + 1), at=BEGAN + 100.0)
    listener.take(listener.order.expire(BEGAN + 110.0))
    assert listener.heard == [0, 1]


def test_missing_messages_of_a_new_kernel_are_counted() -> None:
    listener = Listener()
    listener.add(*map(say, range(50)))
    listener.add(*(say(seq, seq / 9) for seq in (0, 1, 2, 3, 4, 9, 10, 11, 12)), at=BEGAN + 100.0)
    assert listener.heard == [*range(50), "anew", 0, 1, 2, 3, 4, "4 lost", 9, 10, 11, 12]


def test_end_takes_all_that_is_held() -> None:
    listener = Listener()
    listener.add(say(0), say(2), say(5), at=5.0)
    listener.take(listener.order.finish())
    assert listener.heard == [0, "1 lost", 2, "2 lost", 5]
    assert not listener.order.held


def test_datagram_that_the_network_has_doubled_costs_no_reading() -> None:
    """By its time it is of the kernel that was just heard."""
    listener = Listener()
    for seq in range(40, 70):
        listener.add(say(seq), say(seq))
    assert listener.heard == list(range(40, 70))
    assert listener.asked == 0


def test_doubled_datagrams_of_a_kernel_that_has_just_begun_are_known_too() -> None:
    """Here the time does not tell."""
    listener = Listener()
    for seq in range(20):
        listener.add(say(seq, 0.1 + seq / 1000), say(seq, 0.1 + seq / 1000), at=BEGAN + 5.0 + seq / 100)
    listener.add(say(20, 0.2), at=BEGAN + 5.3)
    assert listener.heard == list(range(21))


def test_what_was_written_is_read_once_and_soon_forgotten() -> None:
    listener = Listener()
    listener.add(*map(say, range(50)))
    for repetition in range(10):
        listener.add(*map(say, range(30)), at=BEGAN + 100.0 + repetition / 10)
    assert listener.asked == 1
    assert listener.heard == list(range(50))
    listener.take(listener.order.expire(BEGAN + 101.0 + DOUBT_SECONDS))
    assert listener.order.busy
    listener.take(listener.order.expire(BEGAN + 101.0 + REMEMBERED_SECONDS))
    assert listener.order._uptimes is None


@pytest.mark.parametrize("length", [1, 900])
def test_no_more_is_held_than_stated(length: int) -> None:
    """A host that says old numbers for ever, with large texts or small ones."""
    listener = Listener(known=False)
    listener.add(say(10**6, 5.0))
    for number in range(5000):
        listener.add(say(number % 7, 0.0, "x" * length), at=BEGAN + 5.0)
        assert len(listener.order._doubtful) <= DOUBTED
        assert sum(len(message.text) for _time, message in listener.order._doubtful) <= 130 * 1024
