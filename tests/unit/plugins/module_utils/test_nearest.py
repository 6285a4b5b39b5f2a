# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that resemble a wrong one."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._nearest import nearest


def test_resembling_names_are_offered_and_others_not() -> None:
    assert nearest("disk-less", ["diskless", "cephfs_data", "diskless2"]) == "; did you mean diskless, diskless2?"
    assert nearest("x", ["diskless"]) == ""
