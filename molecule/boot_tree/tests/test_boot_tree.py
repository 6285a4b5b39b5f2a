# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot trees as the boot server's file system shows them."""

from __future__ import annotations

import pytest
from testinfra.host import Host

BOOT = "/srv/diskless/boot"
KERNEL = "6.1.0-1-amd64"


@pytest.mark.parametrize("name", ["udoo1", "udoo2"])
def test_tree_holds_all_that_the_host_fetches(host: Host, name: str) -> None:
    files = set(host.check_output(f"ls --almost-all {BOOT}/{name}").split())
    loader = {".diskless", "grub.pxe", "grub.cfg", "host.cpio"}
    assert files == loader | {"kernel.cfg", f"vmlinuz-{KERNEL}", f"initrd.img-{KERNEL}"}


def test_only_the_tftp_user_can_read_the_key(host: Host) -> None:
    cpio = host.file(f"{BOOT}/udoo1/host.cpio")
    assert (cpio.user, cpio.group, cpio.mode) == ("dnsmasq", "root", 0o400)
    assert host.run(f"runuser --user=nobody -- cat {BOOT}/udoo1/host.cpio").rc != 0
    assert host.run(f"runuser --user=dnsmasq -- cat {BOOT}/udoo1/host.cpio").rc == 0


def test_each_mac_address_leads_to_its_own_tree(host: Host) -> None:
    assert host.check_output("readlink /srv/diskless/tftp/52-54-00-77-00-11") == "/run/diskless/boot/udoo1"
    assert host.check_output("readlink /srv/diskless/tftp/52-54-00-77-00-12") == "/run/diskless/boot/udoo2"


@pytest.mark.parametrize(("name", "monitor"), [("udoo1", "10.77.0.1:3300"), ("udoo2", "10.77.0.1:6789")])
def test_host_gets_the_monitors_that_speak_its_protocol(host: Host, name: str, monitor: str) -> None:
    assert f"DISKLESS_MONITORS={monitor}\n" in host.file(f"{BOOT}/{name}/host.cpio").content_string


def test_key_is_in_no_other_file(host: Host) -> None:
    found = host.run("grep --recursive --files-with-matches AQBlAAAAAAAAABAA /srv/diskless")
    assert sorted(found.stdout.split()) == [f"{BOOT}/udoo1/host.cpio", f"{BOOT}/udoo2/host.cpio"]
