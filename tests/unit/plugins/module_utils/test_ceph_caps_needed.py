# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which caps a refused command asks for."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_caps_needed import caps_needed


@pytest.mark.parametrize(
    ("command", "caps"),
    [
        ("ceph osd blocklist add 10.0.0.1", "mon 'allow r, allow command \"osd blocklist\"'"),
        ("ceph osd pool ls detail", "mon 'allow r, allow command \"osd pool ls\"'"),
        ("ceph tell mds.a client ls", "mon 'allow r' mds 'allow *'"),
        ("rbd ls p", "mon 'profile rbd' osd 'profile rbd'"),
    ],
)
def test_caps_of_a_command(command: str, caps: str) -> None:
    assert caps_needed(command.split()) == caps
