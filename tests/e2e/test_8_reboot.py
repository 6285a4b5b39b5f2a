# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of four is rebooted one after the other; the third does not come back, and the fourth never goes down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.api import Lab
from lab.errors import LabError
from tests.e2e.diskless_host import DisklessHost

pytestmark = pytest.mark.full

FLEET = ["udoo1", "udoo2", "udoo3", "udoo4"]
# Nothing notices that before the next boot waits for it in vain.
BREAK = "echo '/dev/disk/by-label/gone /srv ext4 x-systemd.device-timeout=10 0 2' >>/etc/fstab"


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[list[DisklessHost]]:
    """Four hosts, all ready; the two that no other test has are switched off afterwards."""
    lab.add(*FLEET[2:])
    lab.site(capture=True)
    hosts = [DisklessHost(lab, name) for name in FLEET]
    for host in hosts:
        host.ensure_ready()
    try:
        yield hosts
    finally:
        for host in hosts[1:]:
            lab.power("off", host.name)


def roll(lab: Lab, file: Path, *words: str) -> tuple[list[dict[str, Any]], str]:
    """Run the playbook for the fleet; return what became of each host, and what was said if it failed."""
    file.unlink(missing_ok=True)
    said = ""
    try:
        lab.site("-e", f"reboot_file={file} reboot_timeout=300", *words, playbook="playbooks/reboot.yml", capture=True)
    except LabError as error:
        said = str(error)
    outcomes: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["hosts"]
    assert [outcome["host"] for outcome in outcomes] == FLEET
    return outcomes, said


def boots(hosts: list[DisklessHost]) -> list[str]:
    """Return the boot id of each host."""
    return [host.ssh("cat /proc/sys/kernel/random/boot_id").strip() for host in hosts]


def test_check_mode_tells_the_order_and_reboots_nobody(lab: Lab, fleet: list[DisklessHost], tmp_path: Path) -> None:
    before = boots(fleet)
    outcomes, said = roll(lab, tmp_path / "reboot.json", "--check")
    assert (said, [outcome["result"] for outcome in outcomes]) == ("", ["would reboot"] * 4)
    assert boots(fleet) == before


def test_what_would_keep_one_from_booting_keeps_all_of_them_running(
    lab: Lab, fleet: list[DisklessHost], tmp_path: Path
) -> None:
    """All of it is told together."""
    before = boots(fleet)
    tree = f"/srv/diskless/boot/{fleet[1].name}"
    lab.ssh("boot", f"mv {tree}/initrd.img-* /root/")
    lab.ssh("boot", f"sed -i.saved /{fleet[3].name}/d /etc/diskless/dhcp-hosts")
    try:
        outcomes, said = roll(lab, tmp_path / "reboot.json")
    finally:
        lab.ssh("boot", "mv /etc/diskless/dhcp-hosts.saved /etc/diskless/dhcp-hosts")
        lab.ssh("boot", f"mv /root/initrd.img-* {tree}/")
    assert "udoo2: named-file-missing" in said
    assert "udoo4: not-admitted" in said
    assert [outcome["result"] == "refused" for outcome in outcomes] == [False, True, False, True]
    assert boots(fleet) == before


def test_roll_stops_at_the_host_that_does_not_come_back(lab: Lab, fleet: list[DisklessHost], tmp_path: Path) -> None:
    """The first two come back clean; the third is diagnosed; the fourth runs on."""
    before = boots(fleet)
    fleet[2].ssh(BREAK)
    outcomes, said = roll(lab, tmp_path / "reboot.json")
    assert [outcome["result"] for outcome in outcomes] == ["rebooted", "rebooted", "failed", "untouched"]
    now = boots([*fleet[:2], fleet[3]])
    assert [now[0] != before[0], now[1] != before[1], now[2] != before[3]] == [True, True, False]
    for host, outcome, boot in zip(fleet[:2], outcomes, now, strict=False):
        assert (outcome["boot_id"], outcome["power_cycled"]) == (boot, False)
        assert (len(host.locks()), host.blocklist()) == (1, [])
    failed = outcomes[2]
    assert (failed["step"], failed["power_cycled"]) == ("boot", True)
    assert failed["findings"][0]["cause"] == "systemd-gave-up"
    assert "udoo3: boot: it has not come back within 300 s, nor after its power was cycled" in said
