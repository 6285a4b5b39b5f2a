# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which client serves which superblock."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_match import match
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import parse_mountinfo

from .cephfs_fixture import FSID, clients, mounts

OTHER = "11111111-7c5e-4f0e-8a56-0e8d3c1f2b11"
WEB, DATA = (
    parse_mountinfo(
        f"61 27 0:{minor} / /srv/{name} rw - ceph 10.77.0.2:6789,10.77.0.4:/{name} rw,name=web1,secret=<hidden>"
    )[0]
    for minor, name in ((46, "web"), (47, "data"))
)


def named(number: int, **more: object) -> Client:
    made = Client(
        f"client.{number}", f"{FSID}.client{number}", FSID, user="web1", monitors=frozenset({"10.77.0.2:6789"})
    )
    return replace(made, **more)  # type: ignore[arg-type]


def names(found: dict[str, tuple[Client, ...]]) -> dict[str, list[str]]:
    return {device: [client.client for client in possible] for device, possible in found.items()}


def test_one_of_each() -> None:
    assert names(match(mounts("5.10/healthy"), clients("5.10/healthy"), {})) == {"0:46": ["client.4137"]}


def test_what_a_mount_that_works_says_leaves_one_for_the_other() -> None:
    found = match([WEB, DATA], [named(1), named(2)], {"0:47": "client.1"})
    assert names(found) == {"0:46": ["client.2"], "0:47": ["client.1"]}


def test_alike_and_nothing_said_is_not_guessed() -> None:
    both = ["client.1", "client.2"]
    assert names(match([WEB, DATA], [named(1), named(2)], {})) == {"0:46": both, "0:47": both}


def test_other_user_and_other_monitors_and_other_cluster() -> None:
    there = [
        named(1, user="web2"),
        named(2, monitors=frozenset({"10.9.9.9:6789"})),
        named(3, monitors=frozenset({"10.77.0.4:6789", "10.77.0.5:6789"})),
    ]
    assert names(match([WEB], there, {})) == {"0:46": ["client.3"]}
    (newer,) = parse_mountinfo(f"61 27 0:46 / /srv rw - ceph web1@{OTHER}.cephfs=/ rw,mon_addr=10.77.0.2:6789")
    assert names(match([newer], there, {})) == {"0:46": []}


def test_two_that_both_can_only_be_the_same_one_both_keep_it() -> None:
    assert names(match([WEB, DATA], [named(1)], {})) == {"0:46": ["client.1"], "0:47": ["client.1"]}


def test_several_mounts_of_one_superblock_are_one() -> None:
    assert names(match(mounts("6.1/stuck"), clients("6.1/stuck"), {})) == {"0:46": ["client.4201"]}
