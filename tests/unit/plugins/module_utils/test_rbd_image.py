# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: names, and what the bulk read tells of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    ImageName,
    Parent,
    Snapshot,
    SnapshotName,
    Watcher,
    parse_image,
    parse_snapshot_name,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import parse_rbd, read_rbd

GOLDEN = ImageName("diskless", "", "golden")
ROOT = ImageName("diskless", "pi1", "root")


@pytest.mark.parametrize("text", ["diskless/golden@root", "diskless/ns/golden@root"])
def test_snapshot_name_is_read_and_written_alike(text: str) -> None:
    assert str(parse_snapshot_name(text)) == text


@pytest.mark.parametrize("text", ["golden@root", "diskless/golden", "a/b/c/d@e", "a/b@", "a//b@c", ""])
def test_malformed_snapshot_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected pool/image@snapshot or pool/namespace/image@snapshot"):
        parse_snapshot_name(text)


def test_recorded_images(recorded: Callable[[str], Any]) -> None:
    answer = recorded("bulk_read")
    state = parse_rbd(answer)
    assert state.namespaces == {"diskless": frozenset({"pi1"}), "absent": None}
    assert set(state.images) == {GOLDEN, ImageName("diskless", "", "odd"), ROOT}
    golden, root = state.images[GOLDEN], state.images[ROOT]
    assert golden.parent is None
    assert golden.snapshot("root") == Snapshot("root", 8 << 20, protected=True)
    assert golden.snapshot("other") is None
    assert root.parent == Parent(SnapshotName(GOLDEN, "root"), golden.image_id)
    assert root.size == 8 << 20
    assert root.features == ("layering", "exclusive-lock", "object-map", "fast-diff", "operations")


def test_watcher_is_named_by_address_and_client(recorded: Callable[[str], Any]) -> None:
    answer = recorded("bulk_read")["images"][0]
    image = parse_image({**answer, "watchers": [{"address": "10.0.0.13:0/123", "client": "client.4170"}]})
    assert image.watchers == (Watcher("10.0.0.13:0/123", "client.4170"),)
    assert str(image.watchers[0]) == "10.0.0.13:0/123 (client.4170)"


def test_images_are_asked_for_once_and_in_order(recorded: Callable[[str], Any]) -> None:
    requests = []

    class Client:
        def python_json(self, _script: str, request: Any) -> Any:
            requests.append(request)
            return recorded("bulk_read")

    read_rbd(Client(), [ROOT, GOLDEN, ROOT])  # type: ignore[arg-type]
    assert requests == [[["diskless", "", "golden"], ["diskless", "pi1", "root"]]]
