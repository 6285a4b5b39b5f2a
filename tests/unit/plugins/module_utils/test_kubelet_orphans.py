# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of pods that are no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._kubelet_orphans import Orphan, find_orphans, remove

UID = "6d1f3c0e-5f8a-4a3e-9a51-0e5f3f0a7c11"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """What a CSI volume leaves that could not be unmounted in time."""
    volume = tmp_path / UID / "volumes/kubernetes.io~csi/pvc-1"
    (volume / "mount").mkdir(parents=True)
    (volume / "vol_data.json").write_text("{}", encoding="ascii")
    (tmp_path / UID / "volumes/kubernetes.io~empty-dir/cache").mkdir(parents=True)
    (tmp_path / UID / "volumes/kubernetes.io~empty-dir/cache/file").touch()
    (tmp_path / UID / "etc-hosts").touch()
    (tmp_path / "running/volumes/kubernetes.io~csi/pvc-2/mount").mkdir(parents=True)
    return volume


def test_what_stops_the_kubelet_is_removed_and_nothing_else(volume: Path, tmp_path: Path) -> None:
    (orphan,) = find_orphans(tmp_path, ["running"], ["/", "/proc"])
    assert orphan == Orphan(UID, str(tmp_path / UID), (f"{volume}/mount", f"{volume}/vol_data.json", str(volume)), ())
    remove(orphan)
    left = sorted(str(path.relative_to(tmp_path / UID)) for path in (tmp_path / UID).rglob("*"))
    assert left == [
        "etc-hosts",
        "volumes",
        "volumes/kubernetes.io~csi",
        "volumes/kubernetes.io~empty-dir",
        "volumes/kubernetes.io~empty-dir/cache",
        "volumes/kubernetes.io~empty-dir/cache/file",
    ]
    assert (tmp_path / "running/volumes/kubernetes.io~csi/pvc-2/mount").is_dir()
    assert find_orphans(tmp_path, ["running"], []) == [Orphan(UID, str(tmp_path / UID))]


@pytest.mark.parametrize(
    "below", ["", "/volumes/kubernetes.io~csi/pvc-1/mount", "/volumes/kubernetes.io~csi/pvc-9/mount"]
)
def test_pod_with_anything_mounted_below_is_not_even_entered(volume: Path, tmp_path: Path, below: str) -> None:
    point = f"{tmp_path}/{UID}{below}"
    assert volume.exists()
    assert find_orphans(tmp_path, ["running"], ["/", point]) == [
        Orphan(UID, str(tmp_path / UID), (), (f"{point} is mounted",))
    ]


def test_data_that_was_written_while_nothing_was_mounted_stays(volume: Path, tmp_path: Path) -> None:
    (volume / "mount/precious").touch()
    (tmp_path / UID / "volumes/kubernetes.io~csi/pvc-3").mkdir()
    (orphan,) = find_orphans(tmp_path, ["running"], [])
    assert orphan.steps == ()
    assert orphan.reasons == (
        f"{volume}/mount is not empty: it may be data that was written while nothing was mounted there",
    )


def test_link_is_not_followed(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (volume.parent / "pvc-3").symlink_to(tmp_path / "elsewhere")
    (orphan,) = find_orphans(tmp_path, ["running", "elsewhere"], [])
    assert (orphan.steps, orphan.reasons) == ((), (f"{volume.parent}/pvc-3 is no directory",))


def test_what_has_come_meanwhile_is_not_removed(volume: Path, tmp_path: Path) -> None:
    (orphan,) = find_orphans(tmp_path, ["running"], [])
    (volume / "mount/new").touch()
    with pytest.raises(OSError, match="not empty"):
        remove(orphan)
    assert (volume / "mount/new").exists()
    assert (volume / "vol_data.json").exists()


def test_machine_without_a_kubelet(tmp_path: Path) -> None:
    assert find_orphans(tmp_path / "pods", ["any"], []) == []
