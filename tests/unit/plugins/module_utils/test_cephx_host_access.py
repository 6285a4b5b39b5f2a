# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the caps of a user are enough for a host. What Ceph makes of them is tested on real clusters."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_access import (
    can_break_own_lock,
    kernel_words,
    missing_caps,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps, host_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import Profile, profile_caps
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Parent, parse_snapshot_name

PARENT = Parent(parse_snapshot_name("diskless/golden@root"), "104c")
HOST = HostCaps("10.77.0.11", "diskless", "pi1", PARENT)
OWN = host_caps(HOST, 16)
READS = "profile simple-rados-client network 10.77.0.11/32"
RELEASES = (14, 16, 18, 20)


def missing(mon: str, osd: str = "allow *") -> list[str]:
    return missing_caps({"mon": mon, "osd": osd}, HOST, "6.1", 16)


def can(mon: str, release: int = 16, kernel: str = "6.1") -> bool | None:
    return can_break_own_lock({"mon": mon}, "10.77.0.11", kernel, release)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("address", ["10.77.0.11", "fd77::11"])
@pytest.mark.parametrize("kernel", ["5.4", "6.1"])
def test_what_host_storage_writes_misses_nothing(release: int, address: str, kernel: str) -> None:
    host = HostCaps(address, "diskless", "pi1", PARENT)
    caps = host_caps(host, release)
    assert missing_caps(caps, host, kernel, release) == []
    assert can_break_own_lock(caps, address, kernel, release) is True


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "caps",
    [
        {"mon": "allow *", "osd": "allow *"},
        {"mon": "profile rbd", "osd": "profile rbd pool=diskless"},
        {"mon": "profile rbd network 10.77.0.0/24", "osd": "profile rbd"},
        {"mon": "allow r, allow service osd rw", "osd": "allow rwx pool=diskless"},
    ],
)
def test_wider_caps_miss_nothing(release: int, caps: dict[str, str]) -> None:
    assert missing_caps(caps, HOST, "5.4", release) == []
    assert can_break_own_lock(caps, HOST.address, "5.4", release) is True


@pytest.mark.parametrize("release", RELEASES)
def test_the_other_narrow_caps_of_the_collection(release: int) -> None:
    caps = profile_caps(Profile("narrow_rbd", "diskless"), release)
    assert missing_caps(caps, HOST, "5.4", release) == []
    assert can_break_own_lock(caps, HOST.address, "5.4", release) is True


@pytest.mark.parametrize("release", RELEASES)
def test_caps_for_another_address_miss_everything(release: int) -> None:
    """A host whose address was changed in the inventory, and whose user was not."""
    elsewhere = host_caps(HostCaps("10.77.0.12", "diskless", "pi1", PARENT), release)
    wanted = [service.partition(":")[0] for service in missing_caps(elsewhere, HOST, "6.1", release)]
    assert wanted == ["mon", "mon", "osd", "osd", "osd", "osd", "osd"]
    assert can_break_own_lock(elsewhere, HOST.address, "6.1", release) is False


def test_user_that_cannot_blocklist_itself() -> None:
    caps = {**OWN, "mon": READS}
    assert can_break_own_lock(caps, HOST.address, "6.1", 16) is False
    (grant,) = missing_caps(caps, HOST, "6.1", 16)
    assert grant.startswith('mon: allow command "osd blocklist" with blocklistop=add addr regex "^10[.]77[.]0[.]11:0/')


def test_user_without_any_caps() -> None:
    assert len(missing_caps({}, HOST, "6.1", 16)) == 7
    assert can_break_own_lock({}, HOST.address, "6.1", 16) is False


def test_user_that_cannot_read_the_parent() -> None:
    osd = "profile rbd pool=diskless namespace=pi1"
    assert missing("profile rbd", osd) == [
        'osd: allow class-read pool=diskless namespace="" object_prefix rbd_directory network 10.77.0.11/32',
        'osd: allow r class-read pool=diskless namespace="" object_prefix rbd_header.104c network 10.77.0.11/32',
        'osd: allow r class-read pool=diskless namespace="" object_prefix rbd_object_map.104c network 10.77.0.11/32',
        'osd: allow r pool=diskless namespace="" object_prefix rbd_data.104c. network 10.77.0.11/32',
    ]
    flat = HostCaps(HOST.address, HOST.pool, HOST.namespace, None)
    assert missing_caps({"mon": "profile rbd", "osd": osd}, flat, "6.1", 16) == []


def test_user_of_another_parent() -> None:
    """The host was moved to another golden image, and its user was not."""
    other = host_caps(HostCaps(HOST.address, "diskless", "pi1", Parent(PARENT.snapshot, "905d")), 16)
    assert len(missing(other["mon"], other["osd"])) == 3


@pytest.mark.parametrize(
    "mon",
    [
        "allow r",
        "allow *",
        "allow rw network 10.77.0.0/24",
        "profile rbd",
        'allow profile "fs-client"',
        "profile rbd-read-only",
        "allow command 'osd dump', profile simple-rados-client",
    ],
)
def test_maps_can_be_read(mon: str) -> None:
    assert f"mon: {READS}" not in missing(mon)


@pytest.mark.parametrize(
    "mon", ["", "allow w", "allow command 'osd dump'", "profile rdb", "allow r network 10.77.0.12/32"]
)
def test_maps_cannot_be_read(mon: str) -> None:
    assert f"mon: {READS}" in missing(mon)


def test_what_cannot_be_judged_is_not_missing() -> None:
    assert missing("profile rbd", "allow rwx tag rbd data=*") == []
    pattern = f"{READS}, allow command 'osd blocklist' with blocklistop=add addr regex '[[:digit:].]+:0/[[:digit:]]+'"
    assert missing(pattern) == []
    assert can(pattern) is None


@pytest.mark.parametrize(
    ("kernel", "release", "words"),
    [
        ("6.1", 14, ("blacklist",)),
        ("5.4", 14, ("blacklist",)),
        ("5.9", 16, ("blocklist", "blacklist")),
        ("5.10.0-30-amd64", 16, ("blocklist",)),
    ],
)
def test_in_which_words_a_kernel_asks(kernel: str, release: int, words: tuple[str, ...]) -> None:
    assert kernel_words(kernel, release) == words


def test_word_that_the_kernel_does_not_say_is_of_no_use() -> None:
    grant = "allow command 'osd {0}' with {0}op=add addr regex '^[^/]+:0/[0-9]+$'"
    new, former = (f"{READS}, {grant.format(word)}" for word in ("blocklist", "blacklist"))
    assert (can(new), can(former)) == (True, False)
    assert (can(new, kernel="5.4"), can(f"{new}, {former}", kernel="5.4")) == (False, True)
    assert (can(new, release=14), can(former, release=14)) == (False, True)
