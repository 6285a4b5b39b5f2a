# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an image that does not exist."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_missing import missing_image
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import RbdState

STATE = RbdState({"diskless": frozenset({"pi1", "pi2"}), "disless": None}, {}, frozenset({"diskless", "cephfs_data"}))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (ImageName("disless", "", "root"), "image disless/root: pool disless does not exist; did you mean diskless?"),
        (
            ImageName("diskless", "pi3", "root"),
            "image diskless/pi3/root: namespace pi3 does not exist; did you mean pi2, pi1?",
        ),
        (ImageName("diskless", "pi1", "roto"), "image diskless/pi1/roto does not exist; did you mean root?"),
        (ImageName("diskless", "", "xyz"), "image diskless/xyz does not exist"),
    ],
)
def test_the_part_that_is_missing_is_named(name: ImageName, problem: str) -> None:
    assert missing_image(name, STATE, ["root", "golden"]) == problem
