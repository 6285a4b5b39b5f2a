# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When keys are due."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_rotation import parse_age, parse_moment

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


@pytest.mark.parametrize(("text", "seconds"), [("12h", 43200), ("90d", 7776000), (" 8 w ", 4838400)])
def test_ages(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "0d", "-1d", "1m", "90 days"])
def test_bad_age(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_age(text)
    assert str(caught.value) == f"key_max_age {text!r} is not a number with h, d or w, such as 90d"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-18", 1794960000),
        ("2026-11-18T08:00Z", 1794988800),
        ("2026-11-18 08:00", 1794988800),
        ("2026-11-18T09:00:00+01:00", 1794988800),
    ],
)
def test_moments(text: str, seconds: int) -> None:
    assert parse_moment(text, NOW) == seconds


def test_bad_moment() -> None:
    with pytest.raises(ValueError, match="key_not_before 'last week' is neither a date nor a date and time"):
        parse_moment("last week", NOW)
    with pytest.raises(ValueError, match="is in the future: every run would replace the keys again"):
        parse_moment("2026-11-19", NOW)
