# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One item, or many that inherit from the module's own options."""

from __future__ import annotations

from ansible_collections.diskless.ceph.plugins.module_utils._bulk_items import bulk_items


def test_single_item_is_made_of_the_options() -> None:
    params = {"name": "a", "images": None, "pool": "p", "size": None}
    assert bulk_items(params, "name", "images", ("pool", "size")) == [{"name": "a", "pool": "p", "size": None}]


def test_item_says_what_differs_from_the_options() -> None:
    params = {"name": None, "pool": "p", "size": 1, "images": [{"name": "a", "pool": None, "size": 2, "own": None}]}
    assert bulk_items(params, "name", "images", ("pool", "size")) == [
        {"name": "a", "pool": "p", "size": 2, "own": None}
    ]
