# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container images, built from Debian packages and kept by the content of their recipe."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import LabError
from lab.podman import cache_directory, podman
from lab.processes import run
from lab.state import locked

RECIPES = Path(__file__).resolve().parent / "containers"
BUILDER = "1"  # part of every key: count it up when the way of building changes what comes out


@dataclass(frozen=True)
class Recipe:
    """What goes into an image; equal recipes are equal images."""

    name: str
    suite: str
    packages: tuple[str, ...]
    setup: tuple[str, ...]  # shell, before apt runs; the root is "$1" here and below
    customize: tuple[str, ...]  # shell, once all packages are installed

    @property
    def key(self) -> str:
        """Return the first half of the recipe's SHA-256."""
        text = json.dumps([BUILDER, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def image(self) -> str:
        """Return the image's name in podman."""
        return f"localhost/diskless-lab/{self.name}:{self.key}"

    def command(self, tarball: Path) -> list[str]:
        """Return the mmdebstrap command; no mirror is named: it takes Debian's own for the suite."""
        hooks = [f"--setup-hook={line}" for line in self.setup]
        hooks += [f"--customize-hook={line}" for line in self.customize]
        return [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--mode=root",
            '--aptopt=Apt::Install-Recommends "false"',
            '--aptopt=Acquire::Check-Valid-Until "false"',  # the archive of sid is not always resigned in time
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude=/usr/share/{tree}/*" for tree in ("man", "doc", "locale")),
            f"--include={','.join(self.packages)}",
            *hooks,
            self.suite,
            str(tarball),
        ]


def recipe(name: str, release: str | None = None, directory: Path = RECIPES) -> Recipe:
    """Read ``containers/NAME/image.toml``; a release adds to the lists of the recipe and may replace its suite."""
    with (directory / name / "image.toml").open("rb") as handle:
        base = tomllib.load(handle)
    releases = base.pop("release", {})
    extra = {}
    if release is not None:
        if release not in releases:
            raise LabError(f"no {name} release {release!r}; there are {', '.join(releases)}")
        extra = releases[release]

    def words(field: str) -> tuple[str, ...]:
        return (*base.get(field, []), *extra.get(field, []))

    return Recipe(
        name=name if release is None else f"{name}-{release}",
        suite=extra.get("suite", base.get("suite", "")),
        packages=words("packages"),
        setup=words("setup"),
        customize=words("customize"),
    )


def ensure_image(wanted: Recipe, progress: Callable[[str], None]) -> str:
    """Return the image of a recipe: podman's, or imported from the cache, or built."""
    if podman("image", "exists", wanted.image, check=False).returncode == 0:
        return wanted.image
    images = cache_directory() / "images"
    images.mkdir(parents=True, exist_ok=True)
    with locked(images / "lock", f"image {wanted.name}", timeout=900):
        if podman("image", "exists", wanted.image, check=False).returncode == 0:
            return wanted.image
        tarball = images / f"{wanted.name}-{wanted.key}.tar"
        if not tarball.exists():
            progress(f"image {wanted.name}: building from Debian {wanted.suite} (a minute or two, once)")
            _build(wanted, tarball)
        progress(f"image {wanted.name}: importing into podman")
        podman("import", "--quiet", str(tarball), wanted.image, timeout=300)
    return wanted.image


def _build(wanted: Recipe, tarball: Path) -> None:
    for stale in tarball.parent.glob("build-*"):  # its builder was killed: we hold the lock
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix="build-", dir=tarball.parent) as directory:
        part = Path(directory) / "image.tar"
        # Process and mount namespaces of its own: when the builder dies, so does all in the chroot, mounts included.
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        run([*namespaces, *wanted.command(part)], timeout=900, env={"TMPDIR": directory})
        part.replace(tarball)
