# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kernel.cfg, which is all that GRUB knows of kernels."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._kernel_cfg import problems, settings

TEXT = "set kernel=vmlinuz-6.1\nset initrd=initrd.img-6.1\n"
THERE = ["vmlinuz-6.1", "initrd.img-6.1"]


def test_what_is_there_is_no_problem() -> None:
    assert settings(TEXT) == {"kernel": "vmlinuz-6.1", "initrd": "initrd.img-6.1"}
    assert problems(TEXT, THERE) == []


@pytest.mark.parametrize(
    ("text", "there", "found"),
    [
        (TEXT, THERE[:1], ["kernel.cfg sets initrd to initrd.img-6.1, which is not there"]),
        (TEXT.splitlines()[0], THERE, ["kernel.cfg sets initrd to None, which is not there"]),
        ("garbage", THERE, [f"kernel.cfg sets {name} to None, which is not there" for name in ("kernel", "initrd")]),
    ],
)
def test_everything_that_is_missing_is_told(text: str, there: list[str], found: list[str]) -> None:
    assert problems(text, there) == found


def test_last_line_counts_as_it_does_for_grub() -> None:
    assert settings(f"set kernel=old\n{TEXT}")["kernel"] == "vmlinuz-6.1"
