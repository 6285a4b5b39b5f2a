# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""netconsole's directory in configfs: what is read, and what is said when the kernel refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_configfs import (
    NetconsoleDirectory,
    NetconsoleError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_plan import Step, Wanted, plan, unproven

from .fake_configfs import FakeConfigfs

SETTINGS = {"extended": "1", "dev_name": "eth0", "remote_ip": "10.0.0.3"}


def test_container_is_told_apart_from_a_module_that_is_not_loaded(tmp_path: Path) -> None:
    assert "this is a container, or a kernel without configfs" in str(NetconsoleDirectory(f"{tmp_path}/no").missing())
    assert "load the module ('modprobe netconsole')" in str(NetconsoleDirectory(str(tmp_path)).missing())
    assert FakeConfigfs(tmp_path, "6.1").missing() is None


@pytest.mark.parametrize("kernel", ["6.1", "7.3"])
def test_plan_is_carried_out_and_read_back(tmp_path: Path, kernel: str) -> None:
    directory = FakeConfigfs(tmp_path, kernel)
    wanted = Wanted("t", settings=SETTINGS, userdata={"host": "pi3"} if kernel == "7.3" else None)
    directory.apply([Step("mkdir", "t")])
    directory.apply(plan(directory.target("t"), wanted))
    assert unproven(directory.target("t"), wanted) == []
    assert list(directory.read()) == ["t"]
    directory.apply(plan(directory.target("t"), Wanted("t", present=False)))
    assert directory.read() == {}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step("write", "t/release", "1"), "t: this kernel's netconsole has no release, which came with Linux 6.6"),
        (Step("mkdir", "t/userdata/host"), "t: this kernel's netconsole has no userdata, which came with Linux 6.9"),
        (Step("write", "t/userdata/cpu_nr_enabled", "1"), "has no sysdata cpu_nr, which came with Linux 6.15"),
        (Step("write", "t/nothing", "1"), "t: cannot write '1' to "),
    ],
)
def test_file_that_is_not_there_is_a_feature_that_came_later(tmp_path: Path, step: Step, said: str) -> None:
    directory = FakeConfigfs(tmp_path, "6.1")
    directory.apply([Step("mkdir", "t")])
    with pytest.raises(NetconsoleError) as raised:
        directory.apply([step])
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EBUSY, "its device is part of a bridge, bond or team: name that one"),
        (errno.ENODEV, "there is no such device"),
        (errno.EINVAL, "Invalid argument; the kernel log says more"),
    ],
)
def test_refusal_to_enable_says_what_the_kernel_means(tmp_path: Path, number: int, said: str) -> None:
    directory = FakeConfigfs(tmp_path, "6.1")
    directory.refuse_enabling = OSError(number, os.strerror(number))
    with pytest.raises(NetconsoleError) as raised:
        directory.apply(plan(None, Wanted("t")))
    assert str(raised.value) == f"t: the kernel does not enable this target: {said}"
