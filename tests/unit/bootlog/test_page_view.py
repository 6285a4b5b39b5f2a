# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A view changes when people would see something else, and at no other time."""

from __future__ import annotations

from pathlib import Path

import pytest
from bootlog.page.database import Database, Fleet
from bootlog.page.view import View, view

from tests.unit.bootlog.filled_store import Store, path_to

NOW = 1760000000.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for number, name in enumerate(("udoo1", "udoo2"), 1):
        store.host(name, number)
        store.boot(name, NOW - 500, path_to("ready", NOW - 500))
    return store


def fleet(store: Store) -> Fleet:
    found = Database(store.database).read()
    assert found is not None
    return found


def changed(now: View, before: View) -> list[str]:
    return [shown.host.name for shown in now.since(before.version)]


def test_time_alone_changes_nothing_for_hosts_that_have_settled(store: Store) -> None:
    before = view(fleet(store), NOW, NOW, None)
    assert view(fleet(store), NOW + 3600, NOW, before).version == before.version


def test_time_alone_makes_a_host_late(store: Store) -> None:
    store.boot("udoo2", NOW, path_to("dhcp", NOW))
    before = view(fleet(store), NOW, NOW, None)
    after = view(fleet(store), NOW + 61, NOW, before)
    assert changed(after, before) == ["udoo2"]
    assert after.hosts[0].state == "late"


def test_only_the_host_that_said_something_has_changed(store: Store) -> None:
    before = view(fleet(store), NOW, NOW, None)
    store.say("udoo1", "hello", NOW)
    assert changed(view(fleet(store), NOW, NOW, before), before) == ["udoo1"]


def test_host_that_left_the_inventory_is_named_to_all_viewers(store: Store) -> None:
    before = view(fleet(store), NOW, NOW, None)
    store.connection.execute("DELETE FROM host WHERE name = 'udoo1'")
    after = view(fleet(store), NOW, NOW, before)
    assert after.version > before.version
    assert view(fleet(store), NOW, NOW, after).gone == after.gone == ("udoo1",)


def test_versions_of_a_new_process_are_higher_than_those_of_the_old_one(store: Store) -> None:
    before = view(fleet(store), NOW, NOW, None)
    for second in range(3):
        store.say("udoo1", f"line {second}", NOW)
        before = view(fleet(store), NOW + second, NOW, before)
    assert view(fleet(store), NOW + 3, NOW, None).version > before.version
