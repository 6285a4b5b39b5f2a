# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage of the hosts as Ceph's own commands show it."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("name", ["udoo1", "udoo2"])
def test_root_image_is_a_clone_of_the_golden_image(host: Host, name: str) -> None:
    image = json.loads(host.check_output(f"rbd --format json info diskless/{name}/root"))
    assert image["size"] == 1 << 30
    assert (image["parent"]["image"], image["parent"]["snapshot"]) == ("golden", "root")


@pytest.mark.parametrize(("name", "address"), [("udoo1", "10.77.0.11"), ("udoo2", "10.77.0.12")])
def test_user_is_bound_to_the_host(host: Host, name: str, address: str) -> None:
    caps = json.loads(host.check_output(f"ceph --format json auth get client.diskless.{name}"))[0]["caps"]
    assert f"namespace={name}" in caps["osd"].replace(" = ", "=")
    assert f"network {address}/32" in caps["mon"]
