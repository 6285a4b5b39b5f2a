# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPMI: against OpenIPMI's simulator in the container, and by ipmitool there, because the controller may have none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from testinfra.host import Host

CONTAINER = f"power-{os.environ.get('RUN_ID', 'x')}"
MACHINES = {
    CONTAINER: {"ansible_connection": "containers.podman.podman", "ansible_python_interpreter": "/usr/bin/python3"}
}
BMC = {
    **{"driver": "ipmi", "via": CONTAINER, "address": "127.0.0.1", "user": "admin", "password": "ipmi-secret"},
    **{"timeout": 5, "pause": 0},
}


@pytest.fixture
def stuck(host: Host) -> Iterator[None]:
    """The machine does not react to its BMC."""
    host.check_output("touch /var/lib/bmc/stuck")
    yield
    host.check_output("rm /var/lib/bmc/stuck")


def power(host: Host) -> str:
    """What the machine behind the BMC is."""
    return {"0": "off", "1": "on"}[host.check_output("cat /var/lib/bmc/power")]


def test_host_is_on_after_the_role_has_run(host: Host) -> None:
    assert power(host) == "on"


def test_power_is_switched_and_asked_for(role: Any, host: Host) -> None:
    assert role("off", BMC, machines=MACHINES).answers["udoo1"] == ("off", True, "")
    assert power(host) == "off"
    assert role("cycle", BMC, machines=MACHINES).state == "on"
    assert power(host) == "on"


@pytest.mark.full
@pytest.mark.usefixtures("stuck")
def test_machine_that_stays_on_is_an_error(role: Any, host: Host) -> None:
    host.check_output("echo 1 >/var/lib/bmc/power")
    done = role("off", BMC, machines=MACHINES)
    assert not done.succeeded
    assert "udoo1: not proven to be off within 5 s: BMC 127.0.0.1 (IPMI) says on" in done.output


@pytest.mark.full
def test_wrong_password_is_an_unknown_state_with_its_reason(role: Any) -> None:
    done = role("status", {**BMC, "password": "wrong"}, machines=MACHINES)
    (state, proven, reason) = done.answers["udoo1"]
    assert (state, proven) == ("unknown", False)
    assert "Unable to establish IPMI v2 / RMCP+ session" in reason
