# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts say about their boots, as roles/initramfs/files/usr/lib/diskless/report.sh writes it."""

from __future__ import annotations

import pytest
from bootlog.stages import ORDER, STAGES, next_stage, parse_marker
from hypothesis import given
from hypothesis import strategies as st

BOOT = "0f2d3c51-6a7b-4c8d-9e0f-112233445566"


def test_stages_are_in_the_order_of_a_boot() -> None:
    assert " ".join(STAGES) == "dhcp loader kernel network map root userspace ready shutdown unmapped failed"


def test_stage_with_its_values() -> None:
    marker = parse_marker(f"diskless: stage=network host=udoo1 boot={BOOT} dev=eth0 address=10.77.0.11/16")
    assert marker is not None
    assert (marker.what, marker.stage, marker.boot_id) == ("stage", "network", BOOT)
    assert marker.values["address"] == "10.77.0.11/16"


def test_failure_names_what_was_attempted() -> None:
    marker = parse_marker(
        f'diskless: stage=failed host=udoo1 boot={BOOT} step=map reason=auth text="Ceph refuses client.udoo1"'
    )
    assert marker is not None
    assert (marker.stage, marker.attempted, marker.told) == ("failed", "map", "Ceph refuses client.udoo1")


@pytest.mark.parametrize(
    ("text", "attempted", "told"),
    [
        ('retry step=map attempt=2 wait=4 error="no answer" reason=unreachable', "map", "no answer"),
        ('waiting step=map text="are the OSDs up?"', "map", "are the OSDs up?"),
        ('waiting jobs="a.mount/start" since=30', "userspace", "systemd waits for a.mount/start"),
        ("unit-failed unit=nginx.service result=exit-code", "userspace", "nginx.service has failed: exit-code"),
        ('shutdown step=umount text="made read-only"', "unmapped", "made read-only"),
        ('retry step=config error="no host.conf"', "network", "no host.conf"),
    ],
)
def test_trouble_on_the_way(text: str, attempted: str, told: str) -> None:
    marker = parse_marker(f"diskless: {text}")
    assert marker is not None
    assert (marker.stage, marker.attempted, marker.told) == (None, attempted, told)


@pytest.mark.parametrize(
    "text",
    [
        "diskless: stage=heaven host=a boot=b",
        "diskless: stage=",
        "diskless: mapping image=rbd/a/root monitors=10.0.0.1",
        "diskless: retry step=dance",
        "stage=ready",
        "xdiskless: stage=ready",
        "",
    ],
)
def test_line_that_is_no_marker(text: str) -> None:
    assert parse_marker(text) is None


def test_value_in_quotes_cannot_pose_as_another() -> None:
    """The text of an error is what a server or a disk says."""
    marker = parse_marker('diskless: stage=failed step=map reason=auth text="reason=none stage=ready step=root"')
    assert marker is not None
    assert (marker.stage, marker.attempted, marker.values["reason"]) == ("failed", "map", "auth")


def test_only_a_boot_id_is_one() -> None:
    marker = parse_marker("diskless: stage=root host=a boot=unknown")
    assert marker is not None
    assert marker.boot_id is None


def test_each_stage_leads_to_another_or_stays() -> None:
    assert [next_stage(stage) for stage in STAGES[:8]] == [*STAGES[1:7], "userspace", "ready"]
    assert next_stage("shutdown") == "unmapped"


@given(st.text(alphabet="abstgedp=\"' \\\n0-é", max_size=100))
def test_any_text_is_read(text: str) -> None:
    marker = parse_marker("diskless: " + text)
    assert marker is None or marker.stage is None or marker.stage in ORDER
