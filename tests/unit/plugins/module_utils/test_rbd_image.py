# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: how they, their snapshots, watchers and locks are named."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Lock,
    Watcher,
    parse_snapshot_name,
)


@pytest.mark.parametrize("text", ["diskless/golden@root", "diskless/ns/golden@root"])
def test_snapshot_name_is_read_and_written_alike(text: str) -> None:
    assert str(parse_snapshot_name(text)) == text


@pytest.mark.parametrize("text", ["golden@root", "diskless/golden", "a/b/c/d@e", "a/b@", "a//b@c", ""])
def test_malformed_snapshot_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected pool/image@snapshot or pool/namespace/image@snapshot"):
        parse_snapshot_name(text)


@pytest.mark.parametrize(
    ("lock_id", "automatic"), [("auto 139887151959440", True), ("mine", False), ("automatic", False)]
)
def test_lock_that_a_client_took_by_itself(lock_id: str, automatic: bool) -> None:
    lock = Lock("client.4137", "10.0.0.13:0/123", lock_id, exclusive=True)
    assert lock.automatic is automatic
    assert str(lock) == f"10.0.0.13:0/123 (client.4137, lock '{lock_id}')"


def test_watcher_is_named_by_address_and_client() -> None:
    assert str(Watcher("10.0.0.13:0/123", "client.4170")) == "10.0.0.13:0/123 (client.4170)"
