# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from ``ceph mon dump``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Monitor, parse_mon_dump

from tests.unit.plugins.module_utils.conftest import RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_recorded_cluster(recorded: Callable[..., Any], release: str) -> None:
    answer = recorded("mon_dump", release)
    cluster = parse_mon_dump(answer)
    assert (cluster.fsid, cluster.release) == (answer["fsid"], int(release))
    assert cluster.monitors == (Monitor("a", "127.0.0.1:6789", "127.0.0.1:3300"),)


def test_monitors_are_sorted_and_may_lack_a_protocol() -> None:
    mons = [
        {"name": "b", "public_addrs": {"addrvec": [{"type": "v1", "addr": "10.0.0.2:6789"}]}},
        {"name": "a", "public_addrs": {"addrvec": [{"type": "v2", "addr": "[fd77::1]:3300"}]}},
    ]
    cluster = parse_mon_dump({"fsid": "f", "min_mon_release": 14, "mons": mons})
    assert [monitor.as_dict() for monitor in cluster.monitors] == [
        {"name": "a", "v1": None, "v2": "[fd77::1]:3300"},
        {"name": "b", "v1": "10.0.0.2:6789", "v2": None},
    ]


@pytest.mark.parametrize(("answer", "release"), [({}, r"Mimic \(13\) or older"), ({"min_mon_release": 12}, "12")])
def test_release_that_is_too_old_is_refused(answer: dict[str, Any], release: str) -> None:
    with pytest.raises(ValueError, match=f"^the monitors of cluster f are at release {release}: this collection needs"):
        parse_mon_dump({"fsid": "f", "mons": [], **answer})
