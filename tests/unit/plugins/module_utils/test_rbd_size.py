# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GiB", 8 << 30), ("8G", 8 << 30), ("8 gib", 8 << 30), ("1536M", 1536 << 20), ("1000", 1000), ("2TiB", 2 << 40)],
)
def test_units_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["8GB", "8.5G", "-1", "", "G", "8GiBs"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected bytes or a string such as 32GiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"), [(8 << 30, "8GiB"), (1536 << 20, "1536MiB"), (1000, "1000 bytes"), (0, "0 bytes")]
)
def test_size_is_shown_in_the_largest_unit_that_divides_it(size: int, text: str) -> None:
    assert format_size(size) == text
