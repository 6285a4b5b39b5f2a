# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image features and the kernels that map them."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import (
    feature_bits,
    feature_names,
    feature_problems,
    parse_kernel,
    selectable,
    unmappable,
)

DEFAULT = ("layering", "exclusive-lock", "object-map", "fast-diff")


def test_bits_and_names_are_two_forms_of_the_same() -> None:
    assert feature_names(285) == (*DEFAULT, "operations")
    assert feature_bits(feature_names(285)) == 285
    assert feature_names(1 << 40) == ("bit-40",)


def test_only_what_a_user_chooses_is_compared() -> None:
    assert selectable(["operations", "fast-diff", "layering", "data-pool"]) == ("layering", "fast-diff")


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        (["layering", "object-map", "fast-diff"], "feature object-map needs exclusive-lock"),
        (["exclusive-lock", "object-map"], "feature object-map brings fast-diff with it: ask for both"),
        (["exclusive-lock", "fast-diff"], "feature fast-diff needs object-map"),
        (["journaling"], "feature journaling needs exclusive-lock"),
        (["operations"], "feature 'operations' cannot be asked for; choose from layering, "),
    ],
)
def test_features_that_build_on_a_missing_one(features: list[str], problem: str) -> None:
    (found,) = feature_problems(features)
    assert found.startswith(problem)


def test_default_features_are_fine() -> None:
    assert feature_problems(DEFAULT) == []


@pytest.mark.parametrize(
    ("feature", "last_without", "first"),
    [
        ("layering", "3.9", "3.10"),
        ("exclusive-lock", "4.8", "4.9"),
        ("data-pool", "4.10", "4.11"),
        ("operations", "4.15", "4.16"),
        ("striping", "4.16", "4.17"),
        ("deep-flatten", "5.0", "5.1"),
        ("object-map", "5.2", "5.3"),
        ("fast-diff", "5.2", "5.3"),
    ],
)
def test_first_kernel_of_a_feature(feature: str, last_without: str, first: str) -> None:
    assert unmappable([feature], last_without) == [f"{feature} needs kernel {first}"]
    assert unmappable([feature], first) == []


def test_no_kernel_maps_journaling() -> None:
    assert unmappable(["journaling", "bit-40"], "99.0") == ["no kernel maps journaling", "no kernel maps bit-40"]


def test_kernel_versions() -> None:
    assert parse_kernel("6.1") == (6, 1)
    assert parse_kernel("6.12.48+deb13-amd64") == (6, 12)
    for text in ("6", "six.one", ""):
        with pytest.raises(ValueError, match=r"expected a version such as 6\.1"):
            parse_kernel(text)
