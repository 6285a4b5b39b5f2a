# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that changed with Pacific."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect


@pytest.mark.parametrize(
    ("release", "word"), [(14, "blacklist"), (15, "blacklist"), (16, "blocklist"), (20, "blocklist")]
)
def test_word_of_a_release(release: int, word: str) -> None:
    assert Dialect(release).word == word


@pytest.mark.parametrize(
    "given", ["mds_session_blacklist_on_evict", "mds session blocklist on evict", "mds-session_blocklist-on_evict"]
)
def test_option_is_spelled_as_the_cluster_does(given: str) -> None:
    assert Dialect(14).option(given) == "mds_session_blacklist_on_evict"
    assert Dialect(16).option(given) == "mds_session_blocklist_on_evict"


def test_other_spelling_is_that_of_the_other_generation() -> None:
    assert Dialect(14).other("mds_blacklist_interval") == "mds_blocklist_interval"
    assert Dialect(18).other("mds_blocklist_interval") == "mds_blacklist_interval"
    assert Dialect(18).other("mds_reconnect_timeout") is None
