# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mixed fleet from one site run: a CM4, a PC with BIOS and a PC with UEFI, beside a router's DHCP and without one.

The CM4's firmware is scripted (lab.pi_firmware); QEMU boots exactly what it fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from lab.api import Lab
from lab.errors import LabError
from lab.network import mac
from lab.patience import wait_until
from tests.e2e.boot_log import STAGES, BootLog, stages
from tests.e2e.diskless_host import DisklessHost

# Neighbours by number, and so by MAC address.
BOARDS = {"udoo1": "bios", "cm41": "cm4", "udoo2": "uefi"}
BOOT = 600  # seconds; three machines share the processors
NO_BOOT_OFFER = r"no .*offer"  # the firmware's words


@pytest.fixture(scope="module")
def fleet() -> Iterator[Lab]:
    """A lab of its own with one host of every kind, none of which was ever on, beside a router."""
    lab = Lab("boards", lambda line: print(line, flush=True))
    keep = bool(os.environ.get("LAB_KEEP"))
    if not keep:
        lab.down()
    try:
        lab.up()
        for name, kind in BOARDS.items():
            lab.add(name, kind=kind)
        lab.route(True)
        lab.site()
        yield lab
    finally:
        if not keep:
            lab.down()


@pytest.fixture(scope="module")
def hosts(fleet: Lab) -> list[DisklessHost]:
    """The hosts, once all of them have booted."""
    hosts = [DisklessHost(fleet, name) for name in BOARDS]
    for host in hosts:
        fleet.power("on", host.name)
    for host in hosts:
        host.wait_stage("ready", 0, BOOT)
    return hosts


def has_address_of_the_router(lab: Lab, mac_address: str) -> bool:
    """Tell whether the router has ever handed one out to it; its leases are shorter than a slow boot."""
    said = (lab.directory.path / "router.log").read_text(encoding="utf-8")
    return re.search(rf"DHCPACK\S* \S+ {mac_address}", said) is not None


def log(lab: Lab) -> str:
    """Return what the boot server's DHCP and TFTP service has said."""
    return lab.ssh("boot", "journalctl --no-pager --unit diskless-dnsmasq")


def test_every_board_boots_beside_a_router(fleet: Lab, hosts: list[DisklessHost]) -> None:
    """Each has its own root and /boot, and its firmware an address of the router's wherever that is possible."""
    for number, host in enumerate(hosts, start=11):
        device = host.ssh("readlink -f $(findmnt -no SOURCE /)").strip().removeprefix("/dev/rbd")
        sysfs = f"/sys/bus/rbd/devices/{device}"
        assert host.ssh(f"cat {sysfs}/pool_ns {sysfs}/name").split() == [host.name, "root"]
        assert host.boot_tree() == [f"10.77.0.3:/boot/{host.name}", "nfs4"]
        # The signed GRUB of UEFI needs its address from the boot server; see the role's README.
        assert has_address_of_the_router(fleet, mac(number)) == (BOARDS[host.name] != "uefi")
    assert [host.ssh("uname -m").strip() for host in hosts] == ["x86_64", "aarch64", "x86_64"]
    assert [host.ssh("test -d /sys/firmware/efi && echo uefi; :").strip() for host in hosts] == ["", "", "uefi"]


def test_secure_boot_is_on(hosts: list[DisklessHost]) -> None:
    """Shim, GRUB and kernel came by TFTP and are signed: the UEFI board checks it."""
    assert "Secure boot enabled" in hosts[2].ssh("dmesg")


def test_no_board_reads_the_tree_of_another(hosts: list[DisklessHost]) -> None:
    """By TFTP under any name, and by NFS; its own it reads."""
    pc, pi, _ = hosts
    fetch = "cd /tmp && rm -f got && busybox tftp -g -l got -r {path} 10.77.0.3 && cat got | wc -c"
    assert int(pi.ssh(fetch.format(path="77a00012/config.txt"))) > 0
    for host, path in (
        (pi, "config.txt"),
        (pi, "52-54-00-77-00-11/grub/grub.cfg"),
        (pi, "../52-54-00-77-00-11/grub/grub.cfg"),
        (pc, "77a00012/config.txt"),
        (pc, "../52-54-00-77-00-12/77a00012/host.cpio"),
    ):
        with pytest.raises(LabError):
            host.ssh(fetch.format(path=path))
    for host, other in ((pi, pc), (pc, pi)):
        with pytest.raises(LabError):
            mount = f"timeout 30 mount -t nfs4 -o retry=0 10.77.0.3:/boot/{other.name} /mnt/other"
            host.ssh(f"mkdir -p /mnt/other && {mount}")


def test_unknown_pi_gets_nothing_and_the_boot_server_says_so(fleet: Lab, hosts: list[DisklessHost]) -> None:
    """It is a Pi like the known one, with a MAC address next to theirs, and no site run has heard of it."""
    assert hosts
    fleet.add("stranger", kind="cm4")
    fleet.power("on", "stranger")
    try:
        fleet.wait_for("stranger", NO_BOOT_OFFER, 180)
        assert mac(14) in log(fleet)
    finally:
        fleet.power("off", "stranger")


@pytest.mark.full
def test_restarted_boot_server_and_a_site_run_in_the_middle_of_a_boot_disturb_no_host(
    fleet: Lab, hosts: list[DisklessHost]
) -> None:
    """All boards at once, one of them fetching its kernel: its loader gives up after half a minute and starts over."""
    pc = hosts[0]
    began = {host.name: host.now() for host in hosts}
    for host in hosts:
        host.request("reboot")
    fleet.wait_for(pc.name, r"boots vmlinuz", BOOT, began[pc.name])
    fleet.ssh("boot", "systemctl restart diskless-guard diskless-dnsmasq nfs-ganesha")
    fleet.site(capture=True)
    for host in hosts:
        host.wait_stage("ready", began[host.name], BOOT)
        assert host.stages(began[host.name])[:2] == ["shutdown", "unmapped"]
        assert host.blocklist() == []
        assert len(host.locks()) == 1
        assert host.boot_tree() == [f"10.77.0.3:/boot/{host.name}", "nfs4"]


@pytest.mark.full
def test_after_a_power_cut_all_come_back_at_once_with_the_new_kernel_and_addresses_from_the_boot_server(
    fleet: Lab, hosts: list[DisklessHost]
) -> None:
    """The CM4 has announced its new kernel to its firmware; the router is gone; the boot log shows each of them."""
    pi = hosts[1]
    release = pi.ssh("uname -r").strip()
    for directory, name in (("/boot", "vmlinuz"), ("/boot", "initrd.img"), ("/usr/lib", "linux-image")):
        pi.ssh(f"cp -a {directory}/{name}-{release} {directory}/{name}-99.0-test")
    pi.ssh("/etc/kernel/postinst.d/zz-diskless 99.0-test /boot/vmlinuz-99.0-test")
    assert "kernel=vmlinuz-99.0-test" in pi.ssh("cat /boot/kernel.txt")

    fleet.route(False)
    fleet.site(capture=True)
    boot_log = BootLog(fleet)
    before = {host.name: boot_log.host(host.name)["boots"][0]["number"] for host in hosts}
    began = {host.name: host.now() for host in hosts}
    for host in hosts:
        fleet.power("cycle", host.name)
    shown: dict[str, set[str]] = {host.name: set() for host in hosts}

    def all_are_back() -> bool:
        for row in boot_log.get("/api/hosts")["hosts"]:
            if row["boot"] and row["boot"] > before.get(row["name"], row["boot"]):
                shown[row["name"]].add(row["state"])
        return all(states >= {"booting", "ready"} for states in shown.values())

    assert wait_until(all_are_back, BOOT, interval=2), shown
    offered = log(fleet)
    for number, host in enumerate(hosts, start=11):
        boots = boot_log.host(host.name)["boots"]
        assert (stages(boots[0]), boots[1]["stage"]) == (STAGES, "ready")  # the former one never ended
        assert len(host.blocklist()) == 1
        assert f"DHCPACK(eth0) 10.77.0.{number} {mac(number)}" in offered
    assert "vmlinuz-99.0-test" in pi.console(began[pi.name])

    pi.ssh("rm -r /boot/*99.0-test /usr/lib/linux-image-99.0-test; /etc/kernel/postrm.d/zz-diskless 99.0-test")
    assert f"kernel=vmlinuz-{release}" in pi.ssh("cat /boot/kernel.txt")
