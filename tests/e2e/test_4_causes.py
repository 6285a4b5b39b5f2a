# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A boot that cannot succeed names its cause on the console, and succeeds once it is cured."""

from __future__ import annotations

import base64
import os
import struct
import time

from lab.api import Lab
from tests.e2e.diskless_host import BOOT, DisklessHost


def test_wrong_key_is_named_and_the_site_playbook_cures_it(lab: Lab, neighbour: DisklessHost) -> None:
    """The key in Ceph is not the one in host.cpio."""
    key = base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
    caps = lab.ceph("auth", "get", neighbour.user)[0]["caps"]
    lines = [f"[{neighbour.user}]", f"key = {key}", *(f'caps {what} = "{_escaped(cap)}"' for what, cap in caps.items())]
    lab.cluster.run("ceph", "auth", "import", "-i", "-", stdin="\n".join(lines) + "\n")

    since = neighbour.now()
    lab.power("on", neighbour.name)
    named = rf"diskless: retry step=map .*client\.diskless\.{neighbour.name}.*reason=auth"
    lab.wait_for(neighbour.name, named, BOOT, since)
    assert key not in neighbour.console(since)
    lab.site(capture=True)
    lab.power("cycle", neighbour.name)
    neighbour.wait_stage("ready", since)


def _escaped(cap: str) -> str:
    return cap.replace("\\", "\\\\").replace('"', '\\"')


def test_missing_image_is_named_and_its_return_cures_it(lab: Lab, neighbour: DisklessHost) -> None:
    """The image is away under another name."""
    away = neighbour.image + ".away"
    lab.cluster.run("rbd", "rename", neighbour.image, away)
    try:
        since = neighbour.now()
        lab.power("on", neighbour.name)
        lab.wait_for(neighbour.name, rf"diskless: retry step=map .*{neighbour.image}.*reason=no-image", BOOT, since)
    finally:
        lab.cluster.run("rbd", "rename", away, neighbour.image)
    neighbour.wait_stage("ready", since)


def test_image_with_journaling_is_named_and_its_removal_cures_it(lab: Lab, neighbour: DisklessHost) -> None:
    """No kernel maps an image with the feature journaling."""
    lab.cluster.run("rbd", "feature", "enable", neighbour.image, "journaling")
    try:
        since = neighbour.now()
        lab.power("on", neighbour.name)
        lab.wait_for(neighbour.name, r"diskless: retry step=map .*journaling.*reason=unsupported-features", BOOT, since)
    finally:
        lab.cluster.run("rbd", "feature", "disable", neighbour.image, "journaling")
    neighbour.wait_stage("ready", since)
