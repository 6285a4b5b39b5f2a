# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of mount units; those here are what systemd-escape --path --suffix=mount prints (systemd 252)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._systemd_mount_unit import defined_unit, unit_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "-.mount"),
        ("/srv/web", "srv-web.mount"),
        ("/srv//web/", "srv-web.mount"),
        ("/srv/my-data", r"srv-my\x2ddata.mount"),
        ("/srv/with blank", r"srv-with\x20blank.mount"),
        ("/.hidden/.x", r"\x2ehidden-.x.mount"),
        ("/srv/café", r"srv-caf\xc3\xa9.mount"),
        ("/srv/a_b:c.d", "srv-a_b:c.d.mount"),
    ],
)
def test_name(path: str, name: str) -> None:
    assert unit_name(path) == name


def test_only_what_a_file_defines_can_be_mounted_again(tmp_path: Path) -> None:
    """Of any other mount systemd has a unit as well, but only as long as it is mounted."""
    (tmp_path / "generator").mkdir()
    (tmp_path / "generator/srv-web.mount").touch()
    places = [str(tmp_path / "system"), str(tmp_path / "generator")]
    assert defined_unit("/srv/web", places) == "srv-web.mount"
    assert defined_unit("/srv/other", places) is None
