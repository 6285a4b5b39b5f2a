# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBD images and snapshots: their names and what is known of one image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping

_SNAPSHOT = re.compile(r"([^/@]+)/(?:([^/@]+)/)?([^/@]+)@([^/@]+)")


@dataclass(frozen=True, order=True)
class ImageName:
    """An image by name; ``namespace`` is empty for the pool's default namespace."""

    pool: str
    namespace: str
    image: str

    def __str__(self) -> str:
        """Return Ceph's image spec: pool/image or pool/namespace/image."""
        return "/".join(part for part in (self.pool, self.namespace, self.image) if part)


@dataclass(frozen=True, order=True)
class SnapshotName:
    """A snapshot by name."""

    image: ImageName
    snapshot: str

    def __str__(self) -> str:
        """Return Ceph's snapshot spec: pool/namespace/image@snapshot."""
        return f"{self.image}@{self.snapshot}"


def parse_snapshot_name(text: str) -> SnapshotName:
    """Parse ``pool/image@snapshot`` or ``pool/namespace/image@snapshot``; raises ValueError."""
    match = _SNAPSHOT.fullmatch(text)
    if not match:
        raise ValueError(f"snapshot {text!r}: expected pool/image@snapshot or pool/namespace/image@snapshot")
    pool, namespace, image, snapshot = match.groups()
    return SnapshotName(ImageName(pool, namespace or "", image), snapshot)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of an image; ``size`` in bytes is that of the image when it was taken."""

    name: str
    size: int
    protected: bool


@dataclass(frozen=True)
class Watcher:
    """A client that has the image open: ``address`` is its client instance, such as 10.0.0.13:0/123."""

    address: str
    client: str

    def __str__(self) -> str:
        """Return the watcher as an error message names it."""
        return f"{self.address} ({self.client})"


@dataclass(frozen=True)
class Parent:
    """What a clone was made of. ``image_id`` stays valid when the parent or its snapshot is in the trash."""

    snapshot: SnapshotName
    image_id: str


@dataclass(frozen=True)
class Lock:
    """Who holds an image: ``locker`` is the client, such as client.4137, ``address`` its client instance.

    librbd and the kernel lock by themselves, under an id ``auto COOKIE``; any other id somebody chose.
    """

    locker: str
    address: str
    lock_id: str
    exclusive: bool

    @property
    def automatic(self) -> bool:
        """Whether a client took it by itself, to be handed over or taken from the dead."""
        return self.lock_id.startswith("auto ")

    def __str__(self) -> str:
        """Return the lock as an error message names it."""
        return f"{self.address} ({self.locker}, lock {self.lock_id!r})"


@dataclass(frozen=True)
class Image:
    """An existing image; ``size`` in bytes.

    ``flags`` are "object map invalid" and "fast diff invalid"; ``data_pool`` is None where the data is in the pool of
    the image itself.
    """

    name: ImageName
    image_id: str
    size: int
    features: tuple[str, ...]
    flags: tuple[str, ...] = ()
    data_pool: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    parent: Parent | None = None
    snapshots: tuple[Snapshot, ...] = ()
    watchers: tuple[Watcher, ...] = ()
    lock: Lock | None = None

    def snapshot(self, name: str) -> Snapshot | None:
        """Return the snapshot of that name."""
        return next((snapshot for snapshot in self.snapshots if snapshot.name == name), None)


def parse_image(answer: Mapping[str, Any]) -> Image:
    """Build an :class:`Image` from one entry of the bulk read, or from what ``rbd`` said (see ``_rbd_reader``)."""
    parent, lock = answer["parent"], answer["lock"]
    return Image(
        name=ImageName(answer["pool"], answer["namespace"], answer["image"]),
        image_id=answer["id"],
        size=answer["size"],
        features=tuple(answer["features"]),
        flags=tuple(answer["flags"]),
        data_pool=answer["data_pool"],
        metadata=dict(sorted(answer["metadata"].items())),
        parent=None
        if parent is None
        else Parent(
            SnapshotName(ImageName(parent["pool"], parent["namespace"], parent["image"]), parent["snapshot"]),
            parent["id"],
        ),
        snapshots=tuple(Snapshot(**snapshot) for snapshot in answer["snapshots"]),
        watchers=tuple(sorted((Watcher(**watcher) for watcher in answer["watchers"]), key=str)),
        lock=None if lock is None else Lock(**lock),
    )
