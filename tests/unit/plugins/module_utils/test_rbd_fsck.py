# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an image may be checked, and what e2fsck says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_fsck import (
    Verdict,
    file_system_problem,
    map_words,
    users_problem,
    verdict,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import Image, ImageName, Lock, Watcher

IMAGE = Image(ImageName("p", "pi3", "root"), "1", 8 << 30, ("layering", "exclusive-lock"))
WATCHER = Watcher("10.0.0.13:0/123", "client.4170")


def test_image_that_somebody_watches_is_not_mapped() -> None:
    assert users_problem(replace(IMAGE, watchers=(WATCHER,))) == (
        "image p/pi3/root is in use, watched by 10.0.0.13:0/123 (client.4170): stop that client first"
    )


@pytest.mark.parametrize("lock_id", ["auto 1", "by hand"])
def test_image_with_a_lock_is_not_mapped_even_if_its_owner_is_dead(lock_id: str) -> None:
    """A mapping would take the lock, and blocklist its owner, without a word."""
    found = users_problem(replace(IMAGE, lock=Lock("client.1", "10.0.0.13:0/1", lock_id, True)))
    assert found is not None
    assert found.startswith(
        f"image p/pi3/root is locked by 10.0.0.13:0/1 (client.1, lock {lock_id!r}): break that lock"
    )


def test_free_image_may_be_mapped() -> None:
    assert users_problem(IMAGE) is None


def test_mapping_keeps_its_lock() -> None:
    assert " ".join(map_words(IMAGE, "krbd", "safe")) == "device map --device-type krbd --exclusive p/pi3/root"


def test_mapping_that_corrects_nothing_cannot_write() -> None:
    assert " ".join(map_words(IMAGE, "nbd", "none")) == "device map --device-type nbd --read-only p/pi3/root"


def test_image_without_the_feature_has_no_lock_to_keep() -> None:
    assert "--exclusive" not in map_words(replace(IMAGE, features=("layering",)), "krbd", "all")


@pytest.mark.parametrize(("found", "expected"), [("xfs", "holds xfs;"), ("", "holds nothing that blkid knows;")])
def test_other_file_systems_are_refused(found: str, expected: str) -> None:
    assert expected in (file_system_problem(IMAGE, found) or "")
    assert file_system_problem(IMAGE, "ext4") is None


@pytest.mark.parametrize(
    ("rc", "output", "repair", "expected"),
    [
        (0, "clean", "safe", Verdict(False, None)),
        (0, "/dev/rbd0: recovering journal", "safe", Verdict(True, None)),
        (0, "/dev/rbd0: recovering journal", "none", Verdict(False, None)),
        (1, "", "safe", Verdict(True, None)),
        (3, "", "all", Verdict(True, None)),
    ],
)
def test_clean_file_system(rc: int, output: str, repair: str, expected: Verdict) -> None:
    assert verdict(rc, output, repair, IMAGE, 60) == expected


@pytest.mark.parametrize(
    ("rc", "repair", "corrected", "words"),
    [
        (4, "none", False, "has errors: check it again with repair=safe"),
        (4, "safe", False, "has errors: it needs decisions"),
        (5, "all", True, "has errors: check it again; if that changes nothing, go back to a snapshot"),
        (8, "safe", False, "failed with rc 8"),
        (32, "safe", False, "failed with rc 32"),
        (124, "safe", False, "was ended after 60 s: raise timeout"),
        (137, "all", False, "was ended after 60 s: raise timeout"),
    ],
)
def test_file_system_that_is_not_clean(rc: int, repair: str, corrected: bool, words: str) -> None:
    found = verdict(rc, "", repair, IMAGE, 60)
    assert found.corrected is corrected
    assert words in (found.problem or "")
