# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's kernels, as their packages have them, kept by their content."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from lab.podman import cache_directory
from lab.state import replace

Packages = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel. Its modules are in ``lib/modules/RELEASE`` below ``root``."""

    release: str
    root: Path

    @property
    def image(self) -> Path:
        """What QEMU boots; newer packages have it among the modules."""
        places = (self.root / "boot" / f"vmlinuz-{self.release}", self.root / "lib/modules" / self.release / "vmlinuz")
        return next(place for place in places if place.exists())


def kernel(suite: str) -> Kernel:
    """Return the newest amd64 kernel of a Debian suite; once fetched, that one until the cache is cleared.

    The packages come from ``DEBIAN_MIRROR`` or deb.debian.org and are checked against the suite's index.
    """
    kernels = cache_directory() / "kernels"
    known = kernels / f"{suite}.json"
    if not known.exists():
        kernels.mkdir(parents=True, exist_ok=True)
        replace(known, json.dumps(_fetch(suite, kernels)))
    found = json.loads(known.read_text(encoding="utf-8"))
    return Kernel(found["release"], kernels / found["content"])


def _mirror(path: str) -> str:
    return f"{os.environ.get('DEBIAN_MIRROR', 'http://deb.debian.org/debian').rstrip('/')}/{path}"


def _fetch(suite: str, kernels: Path) -> dict[str, str]:
    packages = _index(suite)
    release = _newest(packages)
    # Newer kernels are spread over several packages.
    names = [f"linux-{part}-{release}" for part in ("image", "base", "binary", "modules")]
    wanted = [packages[name] for name in names if name in packages]
    content = hashlib.sha256("".join(package["SHA256"] for package in wanted).encode()).hexdigest()[:16]
    if not (kernels / content).exists():
        with tempfile.TemporaryDirectory(dir=kernels) as temporary:
            root = Path(temporary) / "root"
            for package in wanted:
                _unpack(package, Path(temporary), root)
            if (root / "usr/lib/modules").exists():
                (root / "usr/lib").rename(root / "lib")
            subprocess.run(["depmod", "-b", root, release], check=True, timeout=120)
            root.rename(kernels / content)
    return {"release": release, "content": content}


def _index(suite: str) -> Packages:
    url = _mirror(f"dists/{suite}/main/binary-amd64/Packages.xz")
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 # a mirror that the developer names
        text = lzma.decompress(answer.read()).decode()
    found: Packages = {}
    for paragraph in re.split(r"\n\n+", text):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Package", "").startswith("linux-"):
            found[fields["Package"]] = fields
    return found


def _newest(packages: Packages) -> str:
    releases = [
        match["release"]
        for name in packages
        if (match := re.fullmatch(r"linux-image-(?P<release>\d+\.\d+[.0-9]*[+-][^-]*(?:-\d+)?-amd64)", name))
    ]
    return max(releases, key=lambda release: [int(number) for number in re.findall(r"\d+", release)])


def _unpack(package: dict[str, str], temporary: Path, root: Path) -> None:
    archive = temporary / "package.deb"
    with urllib.request.urlopen(_mirror(package["Filename"]), timeout=600) as answer, archive.open("wb") as target:  # noqa: S310
        shutil.copyfileobj(answer, target)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package["SHA256"]:
        raise ValueError(f"{package['Filename']} is not what the index says")
    subprocess.run(["dpkg-deb", "-x", archive, root], check=True, timeout=300)
