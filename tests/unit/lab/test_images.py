# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recipes and the keys of what is built from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.images import Recipe, recipe

RECIPE = Recipe("ceph-16", "bookworm", ("ceph-mon",), (), ("true",))


@pytest.mark.parametrize(
    "change",
    [{"suite": "trixie"}, {"packages": ("ceph-mon", "fuse3")}, {"setup": ("true",)}, {"customize": ()}],
)
def test_every_input_changes_the_key(change: dict[str, object]) -> None:
    assert replace(RECIPE, **change).key != RECIPE.key  # type: ignore[arg-type]


def test_key_is_part_of_the_image_name() -> None:
    assert RECIPE.image == f"localhost/diskless-lab/ceph-16:{RECIPE.key}"


@pytest.mark.parametrize(
    ("release", "suite", "fuse"),
    [("14", "bullseye", "fuse"), ("16", "bookworm", "fuse3"), ("18", "trixie", "fuse3"), ("20", "sid", "fuse3")],
)
def test_each_ceph_release_comes_from_its_suite(release: str, suite: str, fuse: str) -> None:
    found = recipe("ceph", release)
    assert (found.name, found.suite, found.packages[-1]) == (f"ceph-{release}", suite, fuse)
    assert "ceph-osd" in found.packages


def test_unknown_release_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(LabError, match=r"^no ceph release '15'; there are 14, 16, 18, 20$"):
        recipe("ceph", "15")


def test_recipe_becomes_a_command_that_names_no_mirror() -> None:
    command = RECIPE.command(Path("/tmp/image.tar"))  # noqa: S108 # only a word here
    assert command[0] == "mmdebstrap"
    assert "--include=ceph-mon" in command
    assert "--customize-hook=true" in command
    assert command[-2:] == ["bookworm", "/tmp/image.tar"]  # noqa: S108
