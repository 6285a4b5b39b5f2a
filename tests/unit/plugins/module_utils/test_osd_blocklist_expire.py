# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an entry lasts."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_expire import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3600), ("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("1d 2H", 93600), ("2w", 1209600)],
)
def test_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "soon", "-1", "1.5h", "30m1h", "1h 5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected seconds or a duration such as 90s, 1h or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "0h", "9999w", "99999999999"])
def test_no_time_and_eternity_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected one second to 1576800000 s"):
        parse_duration(text)
