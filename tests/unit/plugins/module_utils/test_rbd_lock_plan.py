# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a lock is broken, and when not."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock, Watcher
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_fence import OwnerFence
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_plan import (
    LockPlan,
    WantedBreak,
    refusal,
    repetitions,
)

NAME = ImageName("p", "n", "i")
LOCK = Lock("client.4137", "10.0.0.1:0/123", "auto 42", exclusive=True)
DEAD = Image(NAME, "1", 1, (), lock=LOCK)
LIVE = Image(NAME, "1", 1, (), lock=LOCK, watchers=(Watcher("10.0.0.1:0/123", "client.4137"),))
WAITED_FOR = Image(NAME, "1", 1, (), lock=LOCK, watchers=(Watcher("10.0.0.2:0/9", "client.9"),))
FREE = Image(NAME, "1", 1, ())
BY_HAND = Image(NAME, "1", 1, (), lock=Lock("client.4137", "10.0.0.1:0/123", "backup", exclusive=True))
SHARED = Image(NAME, "1", 1, (), lock=Lock("client.4137", "10.0.0.1:0/123", "one", exclusive=False))
WHOLE_HOST = Image(NAME, "1", 1, (), lock=Lock("client.4137", "10.0.0.1:0/0", "auto 42", exclusive=True))


@pytest.mark.parametrize("owner", [None, "client.4137", "10.0.0.1:0/123"])
@pytest.mark.parametrize("image", [DEAD, WAITED_FOR, FREE])
def test_dead_owner_loses_its_lock(image: Image, owner: str | None) -> None:
    assert refusal(WantedBreak(NAME, owner), image, force=False) is None


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (LIVE, "image p/n/i is locked by client.4137, instance 10.0.0.1:0/123, which is alive: it watches the image;"),
        (BY_HAND, "with lock 'backup', which was set by hand (rbd lock add): nothing tells whether somebody relies"),
    ],
)
def test_owner_that_may_be_alive_loses_it_by_force_alone(image: Image, reason: str) -> None:
    assert reason in (refusal(WantedBreak(NAME), image, force=False) or "")
    assert refusal(WantedBreak(NAME), image, force=True) is None


@pytest.mark.parametrize(
    ("image", "owner", "reason"),
    [
        (DEAD, "client.4", "is locked by client.4137, instance 10.0.0.1:0/123, and not by client.4: that one has lost"),
        (LIVE, "10.0.0.9:0/1", "and not by 10.0.0.9:0/1: that one has lost it since"),
        (SHARED, None, "it is a shared lock, set by hand; remove it with rbd lock remove"),
        (WHOLE_HOST, None, "which is a whole host: to block that would cut off every client there"),
    ],
)
def test_what_no_force_allows(image: Image, owner: str | None, reason: str) -> None:
    assert reason in (refusal(WantedBreak(NAME, owner), image, force=True) or "")


def test_plan_tells_the_steps_and_the_difference() -> None:
    plan = LockPlan(NAME, LOCK, OwnerFence("10.0.0.1:0/123", 3600, in_force=False, add=True, renew=False))
    assert plan.actions == (
        "blocklist 10.0.0.1:0/123 for 3600 s",
        "break lock 'auto 42' of client.4137 on image p/n/i",
    )
    lock = {"owner": "client.4137", "address": "10.0.0.1:0/123", "lock_id": "auto 42"}
    assert plan.before == {"lock": lock, "owner_blocklisted": False}
    assert plan.after == {"lock": None, "owner_blocklisted": True}


def test_image_is_named_once() -> None:
    other = WantedBreak(ImageName("p", "", "i"))
    assert repetitions([WantedBreak(NAME), other, WantedBreak(NAME, "client.1")]) == [
        "image p/n/i is named more than once"
    ]
