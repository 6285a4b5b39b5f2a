# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that take one item by their own options, or many in a list."""

from __future__ import annotations

from typing import Any, Iterable, Mapping


def bulk_items(params: Mapping[str, Any], single: str, many: str, inherited: Iterable[str]) -> list[dict[str, Any]]:
    """Return the items that a task describes.

    With option ``single`` that is one item, made of the module's own options. With option ``many`` it is a list, and
    what an item does not say (None) the module's own option of that name says, for those named in ``inherited``.
    """
    own = {name: params[name] for name in inherited}
    if params[single] is not None:
        return [{single: params[single], **own}]
    return [
        {**own, **{name: value for name, value in item.items() if value is not None or name not in own}}
        for item in params[many]
    ]
