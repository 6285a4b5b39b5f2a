# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of an image: who owns it, whether that client is alive, and what blocks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist import parse_blocklist
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock, Watcher
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock import (
    describe_image,
    lock_cookie,
    owner_alive,
    owns,
    parse_owner,
)

from tests.unit.plugins.module_utils.conftest import RELEASES

Recorded = Callable[..., Any]
NAME = ImageName("p", "", "i")
AUTOMATIC = Lock("client.4137", "10.0.0.1:0/123", "auto 42", exclusive=True)
BY_HAND = Lock("client.4137", "10.0.0.1:0/123", "backup", exclusive=True)
OWNER = Watcher("10.0.0.1:0/123", "client.4137")
OTHER = Watcher("10.0.0.2:0/9", "client.9")


def image(lock: Lock | None, *watchers: Watcher) -> Image:
    return Image(NAME, "1", 1, (), watchers=watchers, lock=lock)


def recorded_image(recorded: Recorded, release: str, name: str) -> Image:
    """An image as ``rbd lock ls`` and ``rbd status`` of a real cluster described it."""
    (locker,) = recorded(f"rbd_lock_{name}", release)
    watchers = recorded(f"rbd_lock_{name}_status", release)["watchers"]
    lock = Lock(locker["locker"], locker["address"], locker["id"], exclusive=True)
    return image(lock, *(Watcher(watcher["address"], f"client.{watcher['client']}") for watcher in watchers))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("name", "alive"), [("live", True), ("dead", False), ("hand", None)])
def test_owner_is_told_alive_dead_or_unknown(recorded: Recorded, release: str, name: str, alive: bool | None) -> None:
    assert owner_alive(recorded_image(recorded, release, name)) is alive


@pytest.mark.parametrize("release", RELEASES)
def test_blocklisted_owner_is_told_with_the_entry(recorded: Recorded, release: str) -> None:
    blocklist = parse_blocklist(recorded("rbd_lock_osd_dump", release))
    (entry,) = blocklist.entries
    dead, live = (
        describe_image(recorded_image(recorded, release, name), blocklist, entry.until)["lock"]
        for name in ("dead", "live")
    )
    assert dead["owner_blocklisted"] is True
    assert dead["blocklisted_by"] == [{"address": dead["address"], "kind": "client", "seconds_left": 0}]
    assert (live["owner_blocklisted"], live["blocklisted_by"]) == (False, [])


@pytest.mark.parametrize("release", RELEASES)
def test_cookie_is_that_of_the_watch(recorded: Recorded, release: str) -> None:
    lock = recorded_image(recorded, release, "live").lock
    assert lock is not None
    assert lock_cookie(lock) == recorded("rbd_lock_live_status", release)["watchers"][0]["cookie"]
    assert lock_cookie(BY_HAND) is None


@pytest.mark.parametrize(
    ("found", "alive"),
    [
        (image(None, OTHER), None),
        (image(AUTOMATIC, OTHER), False),
        (image(AUTOMATIC, OTHER, OWNER), True),
        (image(BY_HAND, OTHER), None),
        (image(BY_HAND, OWNER), True),
    ],
)
def test_only_the_owner_counts_not_whoever_watches(found: Image, alive: bool | None) -> None:
    assert owner_alive(found) is alive


@pytest.mark.parametrize("owner", ["client.4137", "10.0.0.1:0/123", "v1:10.0.0.1:0/123"])
def test_owner_by_client_or_instance(owner: str) -> None:
    assert owns(parse_owner(owner), AUTOMATIC)


@pytest.mark.parametrize("owner", ["client.413", "10.0.0.1:0/1234", "[fd00::1]:0/123"])
def test_other_owner(owner: str) -> None:
    assert not owns(parse_owner(owner), AUTOMATIC)


@pytest.mark.parametrize("owner", ["", "pi3", "client.admin", "10.0.0.1", "10.0.0.1:0/0", "10.0.0.0/24"])
def test_what_is_no_single_client_is_no_owner(owner: str) -> None:
    with pytest.raises(ValueError, match=r"expected a client such as client\.4137 or a client instance"):
        parse_owner(owner)


def test_image_without_lock() -> None:
    described = describe_image(image(None, OTHER), parse_blocklist({}), datetime.now(UTC))
    assert described["lock"] is None
    assert described["watchers"] == [{"client": "client.9", "address": "10.0.0.2:0/9"}]
