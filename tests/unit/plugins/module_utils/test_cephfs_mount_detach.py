# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is detached, in which order, and when that is refused."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _cephfs_mount_detach
from ansible_collections.diskless.ceph.plugins.module_utils._bounded_child import BoundedChild, Report, wait_for
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_client import Client
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mount_detach import dead, detach, in_order, refusals
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_mountinfo import parse_mountinfo

from .cephfs_fixture import FSID, clients, mounts

LINE = "{0} 27 0:46 / {1} rw - ceph 10.0.0.1:/web rw,name=a\n"


def test_deepest_first_and_of_two_at_one_place_the_one_on_top() -> None:
    listed = parse_mountinfo(
        LINE.format(1, "/srv") + LINE.format(2, "/srv/web") + LINE.format(3, "/srv") + LINE.format(4, "/srv/web/in")
    )
    assert [mount.mount_id for mount in in_order(listed)] == [4, 2, 3, 1]


@pytest.mark.parametrize("name", ["6.1/blocklisted", "5.10/rejected"])
def test_client_that_is_thrown_out_is_dead(name: str) -> None:
    assert dead(clients(name))
    assert refusals(mounts(name), {"0:46": tuple(clients(name))}) == []


@pytest.mark.parametrize("name", ["6.1/healthy", "5.10/healthy", "6.1/stuck"])
def test_client_that_may_come_back_is_not_detached(name: str) -> None:
    (problem,) = refusals(mounts(name), {"0:46": tuple(clients(name))})
    assert "is not known to be blocklisted or rejected" in problem
    assert "force=true" in problem


def test_client_that_nobody_knows_or_that_may_be_another_is_not_dead() -> None:
    assert not dead([])
    alive = Client("client.2", f"{FSID}.client2", FSID, sessions=((0, "open"),), blocklisted=False)
    assert not dead([*clients("6.1/blocklisted"), alive])


def test_where_the_way_sticks_it_is_tried_from_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []

    def noting(children: list[BoundedChild], seconds: float) -> list[Report]:
        reports.extend(wait_for(children, seconds))
        return reports[-1:]

    def unmount(path: str) -> None:
        if path == "/srv/web/in":
            time.sleep(600)
        raise OSError(1, "said by the test", path)

    monkeypatch.setattr(_cephfs_mount_detach, "wait_for", noting)
    monkeypatch.setattr(_cephfs_mount_detach, "unmount", unmount)
    listed = parse_mountinfo(LINE.format(1, "/srv") + LINE.format(2, "/srv/web/in"))
    detach(f"0:{os.getpid()}", in_order(listed), 1)
    assert [
        (report.ended, [said[0] for report_said in [report.said] for said in report_said]) for report in reports
    ] == [
        (False, []),
        (False, ["/srv"]),
    ]
