# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module netconsole_target_info on real kernels."""

from __future__ import annotations

import pytest
from ansible_collections.diskless.ceph.plugins.module_utils._netconsole_target import kernel_features

from .guest import HOST, Guest
from .netconsole_host import module, parameter, release


def test_targets_of_the_task_are_read_back(host: Guest) -> None:
    host.run("/bin/modprobe netconsole; echo 8 >/proc/sys/kernel/printk")
    made = module(host, "netconsole_target", name="log1", remote_address=HOST, remote_port=host.port)
    read = module(host, "netconsole_target_info")
    assert read["targets"] == made["targets"]
    assert read["features"] == sorted(kernel_features(release(host)))
    assert (read["available"], read["console_level"]) == (True, 8)
    assert "netcon_ext0" in read["consoles"]


@pytest.mark.full
def test_target_of_the_parameter_shows_as_a_console_alone(host: Guest) -> None:
    parameter(host)
    read = module(host, "netconsole_target_info")
    assert (read["targets"], "netcon_ext0" in read["consoles"]) == ([], True)


@pytest.mark.full
def test_machine_without_netconsole_is_no_failure(host: Guest) -> None:
    read = module(host, "netconsole_target_info")
    assert (read["available"], read["targets"]) == (False, [])
    assert "modprobe netconsole" in read["missing"]
