# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session policy as Ceph's own commands show it."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host


def test_clients_have_time_to_come_back(host: Host) -> None:
    mdsmap = json.loads(host.check_output("ceph --format json fs get cephfs"))["mdsmap"]
    assert (mdsmap["session_timeout"], mdsmap["session_autoclose"]) == (60, 900)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("mds_session_blocklist_on_timeout", "false"),
        ("mds_session_blocklist_on_evict", "true"),
        ("mds_reconnect_timeout", "90.000000"),
    ],
)
def test_mds_works_with_the_policy(host: Host, option: str, value: str) -> None:
    assert json.loads(host.check_output(f"ceph tell mds.a config get {option}")) == {option: value}
