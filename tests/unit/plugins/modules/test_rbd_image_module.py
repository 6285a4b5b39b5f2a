# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image: how its options become what is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, parse_snapshot_name
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image_plan import WantedImage
from ansible_collections.diskless.ceph.plugins.modules.rbd_image import wanted_image

PARAMS: dict[str, Any] = {
    "name": "i",
    "pool": "p",
    "namespace": "",
    "size": None,
    "features": None,
    "source": None,
    "parent": None,
    "renamed_from": None,
    "allow_shrink": False,
    "state": "present",
    "data_pool": None,
    "metadata": None,
}


def test_options_left_out_mean_do_not_care() -> None:
    assert wanted_image(PARAMS) == WantedImage(ImageName("p", "", "i"))


def test_all_options() -> None:
    given = {"namespace": "n", "size": "1KiB", "features": ["layering"], "parent": "p/g@s", "allow_shrink": True}
    name, parent = ImageName("p", "n", "i"), parse_snapshot_name("p/g@s")
    assert wanted_image({**PARAMS, **given}) == WantedImage(
        name, size=1024, features=("layering",), parent=parent, allow_shrink=True
    )


def test_former_name_is_in_the_same_namespace() -> None:
    found = wanted_image({**PARAMS, "namespace": "n", "renamed_from": "j"})
    assert found == WantedImage(ImageName("p", "n", "i"), renamed_from=ImageName("p", "n", "j"))
    assert found.reads() == [ImageName("p", "n", "i"), ImageName("p", "n", "j")]


@pytest.mark.parametrize(("option", "value"), [("size", "8GB"), ("parent", "g@s")])
def test_malformed_option_is_refused(option: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{value}.*expected"):
        wanted_image({**PARAMS, option: value})


def test_image_without_a_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="image i: pool has to be given, for this image or for all"):
        wanted_image({**PARAMS, "pool": None})


def test_metadata_is_text_and_null_stays_null() -> None:
    given = {"metadata": {"flag": True, "number": 5, "gone": None}}
    assert wanted_image({**PARAMS, **given}).metadata == {"flag": "true", "number": "5", "gone": None}


def test_size_of_the_source_is_known_beforehand(tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.write_bytes(bytes(1000))
    assert wanted_image({**PARAMS, "source": str(source)}).source_size == 1000
    assert wanted_image({**PARAMS, "source": str(tmp_path)}).source_size is None
