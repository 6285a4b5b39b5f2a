# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_lock: how its options become what is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_lock_plan import WantedBreak
from ansible_collections.diskless.ceph.plugins.modules.rbd_lock import expire_seconds, wanted_breaks

PARAMS: dict[str, Any] = {"image": None, "images": None, "pool": "p", "namespace": "", "owner": None}
ITEM: dict[str, Any] = {"pool": None, "namespace": None, "owner": None}


def test_one_image() -> None:
    assert wanted_breaks({**PARAMS, "image": "i", "owner": "client.1"}) == [
        WantedBreak(ImageName("p", "", "i"), "client.1")
    ]


def test_what_an_image_does_not_say_the_module_says() -> None:
    items = [{**ITEM, "image": "i"}, {**ITEM, "image": "j", "pool": "q", "namespace": "n", "owner": "client.2"}]
    assert wanted_breaks({**PARAMS, "images": items, "owner": "client.1"}) == [
        WantedBreak(ImageName("p", "", "i"), "client.1"),
        WantedBreak(ImageName("q", "n", "j"), "client.2"),
    ]


def test_everything_wrong_is_told_together() -> None:
    items = [{**ITEM, "image": image, "owner": owner} for image, owner in (("i", "pi"), ("j", None), ("j", None))]
    with pytest.raises(ValueError, match=r"^image p/i: owner 'pi': .*; image p/j is named more than once$"):
        wanted_breaks({**PARAMS, "images": items})


@pytest.mark.parametrize(("text", "seconds"), [("60", 60), ("1h", 3600), ("1h30m", 5400)])
def test_expiry(text: str, seconds: int) -> None:
    assert expire_seconds(text) == seconds


@pytest.mark.parametrize("text", ["59", "0", "-1", "soon", ""])
def test_expiry_that_keeps_nobody_out(text: str) -> None:
    with pytest.raises(ValueError, match=r"^blocklist_expire"):
        expire_seconds(text)
