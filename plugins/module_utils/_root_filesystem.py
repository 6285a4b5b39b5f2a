# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a golden root file system is made from, and the name that follows from it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterable

# Raise it when the steps of the build change what comes out of them: every golden image then gets a new name.
RECIPE = 1
_NAME_DIGITS = 12
_CHUNK = 1 << 20


class BuildError(Exception):
    """The root file system cannot be built; the message says why."""


@dataclass(frozen=True)
class Inputs:
    """Everything that decides what a root file system contains, but for the state of the package mirror."""

    suite: str
    arch: str
    packages: tuple[str, ...]
    components: tuple[str, ...]
    mirror: str
    tarball_sha256: str
    overlay_sha256: str
    user: str
    authorized_keys: tuple[str, ...]
    image_size: int
    refresh: str
    recipe: int = RECIPE

    def as_dict(self) -> dict[str, Any]:
        """Return the inputs as JSON has them: tuples become lists."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def golden_name(inputs: Inputs) -> str:
    """Return the name of the golden image: ``golden-bookworm-amd64-0123456789ab``."""
    return f"golden-{inputs.suite}-{inputs.arch}-{_digest(inputs.as_dict())}"


def packages_name(inputs: Inputs) -> str:
    """Return the name of what the packages alone make, whoever may log in and whatever is copied over them."""
    decisive = ("suite", "arch", "packages", "components", "mirror", "refresh", "recipe")
    digest = _digest({name: value for name, value in inputs.as_dict().items() if name in decisive})
    return f"packages-{inputs.suite}-{inputs.arch}-{digest}"


def _digest(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:_NAME_DIGITS]


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def tree_sha256(root: Path) -> str:
    """Return the sha256 over names, modes, contents and link targets below a directory, in hex.

    Owner and times do not count: in the image everything of the overlay belongs to root.
    """
    digest = hashlib.sha256()
    for path in sorted(_walk(root)):
        status = path.lstat()
        mode = status.st_mode
        if stat.S_ISLNK(mode):
            content = os.readlink(path)
            mode = stat.S_IFLNK
        elif stat.S_ISREG(mode):
            content = file_sha256(path)
        elif stat.S_ISDIR(mode):
            content = ""
        else:
            raise ValueError(f"{path}: the overlay may hold directories, files and symbolic links only")
        digest.update(json.dumps([str(path.relative_to(root)), mode, content]).encode() + b"\n")
    return digest.hexdigest()


def _walk(root: Path) -> Iterable[Path]:
    for directory, names, files in os.walk(root):
        yield from (Path(directory) / name for name in names + files)


def newest_last(releases: Iterable[str]) -> list[str]:
    """Sort kernel releases so that 6.1.0-9 comes before 6.1.0-10."""
    return sorted(releases, key=lambda release: [int(part) if part.isdigit() else 0 for part in _split(release)])


def _split(release: str) -> list[str]:
    return re.findall(r"\d+|\D+", release)


def parse_packages(answer: str) -> dict[str, str]:
    """Parse ``dpkg-query --show``: a package and its version, separated by a tab, per line."""
    return dict(line.split("\t", 1) for line in answer.splitlines() if "\t" in line)


def last_lines(text: str, count: int = 15) -> str:
    """Return the end of a program's output, where it says why it failed."""
    return "\n".join(text.strip().splitlines()[-count:])
