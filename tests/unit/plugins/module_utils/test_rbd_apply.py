# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations: their words, and how many of them are done at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils import _rbd_operations as rbd
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CephClient,
    CephError,
    Finished,
    Start,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_apply import apply_operations
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_argv import rbd_argv
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_bulk_scripts import APPLY_SCRIPT
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import ImageName, Lock, parse_snapshot_name

IMAGE, SNAPSHOT = ImageName("p", "n", "i"), parse_snapshot_name("p/n/i@s")
LOCK = Lock("client.4137", "10.0.0.13:0/123", "auto 94", exclusive=True)
OPERATIONS = [
    (rbd.create_namespace("p", "n"), "create namespace p/n", "namespace create p/n"),
    (rbd.create_image(IMAGE, 5), "create image p/n/i", "create --size 5B p/n/i"),
    (
        rbd.create_image(IMAGE, 5, ["layering", "exclusive-lock"], "data"),
        "create image p/n/i",
        "create --image-feature layering,exclusive-lock --data-pool data --size 5B p/n/i",
    ),
    (
        rbd.clone_image(parse_snapshot_name("q/g@s"), IMAGE, ["layering"]),
        "clone image p/n/i",
        "clone --rbd-default-clone-format 2 --image-feature layering q/g@s p/n/i",
    ),
    (rbd.import_image("/raw", IMAGE), "import image p/n/i", "import --no-progress - p/n/i"),
    (rbd.resize_image(IMAGE, 5), "resize image p/n/i", "resize --no-progress --size 5B p/n/i"),
    (rbd.resize_image(IMAGE, 5, True), "resize image p/n/i", "resize --no-progress --allow-shrink --size 5B p/n/i"),
    (rbd.rename_image(IMAGE, replace(IMAGE, image="j")), "rename image p/n/i", "rename p/n/i p/n/j"),
    (rbd.remove_image(IMAGE), "remove image p/n/i", "rm --no-progress p/n/i"),
    (rbd.flatten_image(IMAGE), "flatten image p/n/i", "flatten --no-progress p/n/i"),
    (
        rbd.enable_features(IMAGE, ["object-map", "fast-diff"]),
        "enable features object-map, fast-diff of image p/n/i",
        "feature enable p/n/i object-map fast-diff",
    ),
    (
        rbd.disable_features(IMAGE, ["journaling"]),
        "disable features journaling of image p/n/i",
        "feature disable p/n/i journaling",
    ),
    (
        rbd.rebuild_object_map(IMAGE),
        "rebuild object map of image p/n/i",
        "object-map rebuild --no-progress p/n/i",
    ),
    (rbd.set_metadata(IMAGE, "k", "v w"), "set metadata k of image p/n/i", "image-meta set -- p/n/i k v w"),
    (rbd.remove_metadata(IMAGE, "k"), "remove metadata k of image p/n/i", "image-meta remove -- p/n/i k"),
    (rbd.create_snapshot(SNAPSHOT), "create snapshot p/n/i@s", "snap create p/n/i@s"),
    (rbd.protect_snapshot(SNAPSHOT), "protect snapshot p/n/i@s", "snap protect p/n/i@s"),
    (rbd.unprotect_snapshot(SNAPSHOT), "unprotect snapshot p/n/i@s", "snap unprotect p/n/i@s"),
    (rbd.remove_snapshot(SNAPSHOT), "remove snapshot p/n/i@s", "snap rm --no-progress p/n/i@s"),
    (rbd.rollback_snapshot(SNAPSHOT), "rollback snapshot p/n/i@s", "snap rollback --no-progress p/n/i@s"),
    (rbd.remove_lock(IMAGE, LOCK), "remove lock auto 94 of image p/n/i", "lock rm -- p/n/i auto 94 client.4137"),
]


@pytest.mark.parametrize(("operation", "said", "words"), OPERATIONS)
def test_words_of_an_operation(operation: rbd.RbdOperation, said: str, words: str) -> None:
    assert str(operation) == said
    assert " ".join(rbd_argv(operation)) == words


def test_both_ways_know_every_operation() -> None:
    """An import alone goes through ``rbd`` in any case."""
    known = set(re.findall(r'"(\w+)": (?:lambda|clone)', APPLY_SCRIPT)) | {"create_namespace", "import_image"}
    assert known == {operation.kind for operation, _said, _words in OPERATIONS}


class Bindings:
    """Stands in for a client with bindings: notes what it is asked, and answers each job alike."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.requests: list[Any] = []
        self.commands: list[tuple[tuple[str, ...], str | None, int | None]] = []

    def either(self, with_bindings: Callable[[], Any], _without: Callable[[], Any]) -> Any:
        return with_bindings()

    def python_json(self, _script: str, request: Any, **_other: Any) -> Any:
        self.requests.append(request)
        return [self.answer] * len(request)

    def rbd(self, *args: str, stdin_file: str | None = None, timeout_seconds: int | None = None) -> str:
        self.commands.append((args, stdin_file, timeout_seconds))
        return ""


def images(number: int) -> list[ImageName]:
    return [ImageName("p", "n", f"i{index}") for index in range(number)]


def applied(jobs: Sequence[Sequence[rbd.RbdOperation]]) -> Bindings:
    client = Bindings()
    apply_operations(client, jobs, 1234)  # type: ignore[arg-type]
    return client


def test_namespace_is_created_once_and_before_all_images() -> None:
    client = applied([[rbd.create_namespace("p", "n"), rbd.create_image(name, 1)] for name in images(3)])
    kinds = [[[operation[0] for operation in job] for job in request] for request in client.requests]
    assert kinds == [[["create_namespace"]], [["create_image"]] * 3]


def test_thousand_images_take_ten_processes() -> None:
    assert [len(request) for request in applied([[rbd.create_image(name, 1)] for name in images(1000)]).requests] == [
        100
    ] * 10


def test_what_takes_long_comes_in_smaller_batches() -> None:
    client = applied([[rbd.flatten_image(name)] for name in images(100)])
    assert [len(request) for request in client.requests] == [48, 48, 4]


def test_import_goes_through_the_command_line_with_its_own_time_limit() -> None:
    client = applied([[rbd.import_image("/raw", IMAGE), rbd.flatten_image(IMAGE)], [rbd.remove_image(IMAGE)]])
    assert [job[0][0] for request in client.requests for job in request] == ["remove_image"]
    assert client.commands == [
        (("import", "--no-progress", "-", "p/n/i"), "/raw", 1234),
        (("flatten", "--no-progress", "p/n/i"), None, None),
    ]


def test_nothing_to_do_starts_nothing() -> None:
    client = applied([[], []])
    assert (client.requests, client.commands) == ([], [])


def test_failures_of_the_bindings_name_image_and_verb() -> None:
    client = Bindings([1, "[errno 16] RBD image is busy (error protecting snapshot b'i'@b's')"])
    job = [rbd.create_snapshot(SNAPSHOT), rbd.protect_snapshot(SNAPSHOT)]
    with pytest.raises(CephError) as failed:
        apply_operations(client, [job, job])  # type: ignore[arg-type]
    once = "cannot protect snapshot p/n/i@s: [errno 16] RBD image is busy (error protecting snapshot i@s)"
    assert str(failed.value) == f"rbd: {once}; {once}"


@pytest.mark.parametrize("release", ["14", "16", "18", "20"])
def test_failures_of_the_command_line_name_image_and_verb(recorded: Callable[..., Any], release: str) -> None:
    """A job ends with its first failure, and the others go on."""
    done = []

    def run(start: Start) -> Finished:
        words = start.argv[start.argv.index("30") + 1 :]
        done.append(" ".join(words[:2]))
        name = {"rm": "remove_with_snapshots", "feature": "enable_enabled"}.get(words[0])
        failure: dict[str, Any] = recorded("rbd_failures", release)[name] if name else {"rc": 0, "stderr": ""}
        # As it was before the recording made it the same for every run.
        stderr = failure["stderr"].replace("TIME THREAD", "2026-11-21T12:07:57.279+0000 7f8fabd29640")
        return Finished(failure["rc"], "", stderr)

    jobs = [
        [rbd.remove_image(IMAGE), rbd.resize_image(IMAGE, 1)],
        [rbd.flatten_image(IMAGE)],
        [rbd.enable_features(IMAGE, ["layering"])],
    ]
    with pytest.raises(CephError) as failed:
        apply_operations(CephClient(bindings="never", run=run), jobs)
    removal, enabling = str(failed.value).split("; ")
    assert removal.startswith("rbd: cannot remove image p/n/i: ")
    assert "image has snapshots - these must be deleted" in removal
    assert enabling.startswith("cannot enable features layering of image p/n/i: ")
    assert "librbd::Operations: one or more requested features are already enabled" in enabling
    assert "7f8fabd29640" not in str(failed.value)
    assert sorted(done) == ["feature enable", "flatten --no-progress", "rm --no-progress"]
