# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of images: through the bindings and through ``rbd``, from recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, Finished, Start
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    Image,
    ImageName,
    Lock,
    Parent,
    Snapshot,
    SnapshotName,
    Watcher,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_reader import (
    list_images,
    parse_default_features,
    parse_rbd,
    read_default_features,
    read_rbd,
)

from .conftest import RELEASES

GOLDEN = ImageName("diskless", "", "golden")
ROOT = ImageName("diskless", "pi1", "root")
CHILD, ORPHAN = ImageName("diskless", "whole", "child"), ImageName("diskless", "whole", "orphan")
ANSWERS = {
    "osd pool ls": "rbd_pools",
    "namespace ls diskless": "rbd_namespaces",
    "ls diskless/whole": "rbd_ls",
    "info diskless/whole/child": "rbd_info",
    "snap ls diskless/whole/child": "rbd_snap_ls",
    "status diskless/whole/child": "rbd_status",
    "image-meta ls diskless/whole/child": "rbd_image_meta_ls",
    "lock ls diskless/whole/child": "rbd_lock_ls",
    "info diskless/whole/parent": "rbd_parent_info",
    "info diskless/whole/orphan": "rbd_orphan_info",
    "image-meta ls diskless/whole/orphan": "rbd_no_image_meta",
    "trash ls --all diskless/whole": "rbd_trash_ls",
    "config pool ls diskless": "rbd_config_pool_ls",
}
Recorded = Callable[..., Any]


class Tools:
    """Stands in for ``ceph`` and ``rbd``: says what was recorded."""

    def __init__(self, recorded: Recorded, release: str, **other: Any) -> None:
        self.recorded = recorded
        self.release = release
        self.other = {"status diskless/whole/orphan": {"watchers": []}, "lock ls diskless/whole/orphan": [], **other}

    def __call__(self, start: Start) -> Finished:
        after_options = start.argv[start.argv.index("30") + 1 :]
        words = " ".join(after_options).replace(" --format json", "").replace(" -f json", "")
        if words == "lock ls diskless/whole/child" and "--format" not in start.argv:
            return Finished(0, self.recorded("rbd_lock_ls_text", self.release), "")
        if words in self.other:
            return Finished(0, json.dumps(self.other[words]), "")
        if words not in ANSWERS:
            failure = self.recorded("failures", self.release)["no_image"]
            return Finished(failure["rc"], "", failure["stderr"])
        answer = self.recorded(ANSWERS[words], self.release)
        return Finished(0, answer if isinstance(answer, str) else json.dumps(answer), "")


def tools(recorded: Recorded, release: str, **other: Any) -> CephClient:
    return CephClient(bindings="never", run=Tools(recorded, release, **other))


@pytest.mark.parametrize("release", RELEASES)
def test_images_as_the_bindings_tell_them(recorded: Recorded, release: str) -> None:
    state = parse_rbd(recorded("bulk_read", release))
    assert state.namespaces == {"diskless": frozenset({"pi1"}), "absent": None}
    assert "diskless" in state.pools
    assert set(state.images) == {GOLDEN, ImageName("diskless", "", "odd"), ROOT}
    golden, root = state.images[GOLDEN], state.images[ROOT]
    assert golden.parent is None
    assert golden.snapshot("root") == Snapshot("root", 8 << 20, protected=True)
    assert golden.snapshot("other") is None
    assert root.parent == Parent(SnapshotName(GOLDEN, "root"), golden.image_id)
    assert (root.size, root.data_pool, root.metadata, root.lock, root.flags) == (8 << 20, None, {}, None, ())
    assert root.features == ("layering", "exclusive-lock", "object-map", "fast-diff", "operations")


@pytest.mark.parametrize("release", RELEASES)
def test_image_as_the_command_line_tells_it(recorded: Recorded, release: str) -> None:
    wanted = [CHILD, ImageName("diskless", "whole", "absent"), ImageName("diskless", "never", "x")]
    state = read_rbd(tools(recorded, release), [*wanted, ImageName("never", "", "x")])
    (locker,) = recorded("rbd_lock_ls", release)
    assert state.images == {
        CHILD: Image(
            name=CHILD,
            image_id=recorded("rbd_info", release)["id"],
            size=8 << 20,
            features=("layering", "exclusive-lock", "object-map", "fast-diff", "data-pool", "operations"),
            flags=("object map invalid", "fast diff invalid"),
            data_pool="whole-data",
            metadata={"suite": "bookworm, the stable one"},
            parent=Parent(
                SnapshotName(ImageName("diskless", "whole", "parent"), "root"),
                recorded("rbd_parent_info", release)["id"],
            ),
            snapshots=(Snapshot("first", 8 << 20, protected=True), Snapshot("second", 8 << 20, protected=False)),
            watchers=(),
            lock=Lock(locker["locker"], locker["address"], "my own lock", exclusive=False),
        )
    }
    assert state.namespaces["never"] is None
    assert "whole" in (state.namespaces["diskless"] or ())
    assert state.pools >= {"diskless", "whole-data"}


@pytest.mark.parametrize("release", RELEASES)
def test_parent_in_the_trash_has_its_id_from_there(recorded: Recorded, release: str) -> None:
    image = read_rbd(tools(recorded, release), [ORPHAN]).images[ORPHAN]
    (trashed,) = recorded("rbd_trash_ls", release)
    assert image.parent is not None
    assert (image.parent.snapshot.image.image, image.parent.image_id) == ("old", trashed["id"])
    assert image.metadata == {}


@pytest.mark.parametrize("release", RELEASES)
def test_watcher_and_the_lock_that_it_took_by_itself(recorded: Recorded, release: str) -> None:
    words = {
        "status diskless/whole/child": recorded("rbd_lock_live_status", release),
        "lock ls diskless/whole/child": recorded("rbd_lock_live", release),
    }
    (watcher,) = words["status diskless/whole/child"]["watchers"]
    image = read_rbd(tools(recorded, release, **words), [CHILD]).images[CHILD]
    assert image.watchers == (Watcher(watcher["address"], f"client.{watcher['client']}"),)
    assert image.lock is not None
    assert (image.lock.automatic, image.lock.exclusive) == (True, True)


@pytest.mark.parametrize("release", RELEASES)
def test_names_of_all_images(recorded: Recorded, release: str) -> None:
    places = {f"ls diskless/{name['name']}": ["other"] for name in recorded("rbd_namespaces", release)}
    del places["ls diskless/whole"]
    client = tools(recorded, release, **{**places, "ls diskless": ["golden"]})
    whole = [ImageName("diskless", "whole", name) for name in ("child", "orphan", "parent")]
    assert list_images(client, "diskless", "whole") == whole
    assert {GOLDEN, *whole} <= set(list_images(client, "diskless"))
    assert list_images(client, "diskless", "") == [GOLDEN]
    assert list_images(client, "diskless", "never") == []
    assert list_images(client, "never") == []


@pytest.mark.parametrize("release", RELEASES)
def test_default_features_of_a_pool(recorded: Recorded, release: str) -> None:
    expected = ("layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten")
    assert read_default_features(tools(recorded, release), ["diskless"]) == {"diskless": expected}


@pytest.mark.parametrize("value", ["5", "layering,exclusive-lock", "exclusive-lock, layering"])
def test_default_features_are_a_bit_mask_or_names(value: str) -> None:
    assert parse_default_features(value) == ("layering", "exclusive-lock")


class Bindings:
    """Stands in for a client with bindings: notes what it is asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[Any] = []

    def either(self, with_bindings: Callable[[], Any], _without: Callable[[], Any]) -> Any:
        return with_bindings()

    def python_json(self, _script: str, request: Any, **_other: Any) -> Any:
        self.requests.append(request)
        return self.answer


def test_images_are_asked_for_once_and_in_order(recorded: Recorded) -> None:
    client = Bindings(recorded("bulk_read"))
    read_rbd(client, [ROOT, GOLDEN, ROOT])  # type: ignore[arg-type]
    assert client.requests == [[["diskless", "", "golden"], ["diskless", "pi1", "root"]]]


def test_many_thousand_images_are_read_in_batches(recorded: Recorded) -> None:
    client = Bindings(recorded("bulk_read"))
    state = read_rbd(client, [ImageName("diskless", "", f"i{number}") for number in range(2500)])  # type: ignore[arg-type]
    assert [len(request) for request in client.requests] == [1000, 1000, 500]
    assert len(state.images) == 3


def test_pools_are_known_even_if_no_image_is_asked_for(recorded: Recorded) -> None:
    assert "diskless" in read_rbd(Bindings(recorded("bulk_read")), []).pools  # type: ignore[arg-type]
