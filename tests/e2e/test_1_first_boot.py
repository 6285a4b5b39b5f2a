# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""First boot: from nothing to a login, and who can see what on the way."""

from __future__ import annotations

import re

import pytest

from lab.api import Lab
from lab.errors import LabError
from lab.processes import run
from tests.e2e.diskless_host import DisklessHost


def test_host_pxe_boots_and_its_root_is_the_rbd_clone(host: DisklessHost) -> None:
    """The guest sees the clone as its root, and Ceph sees the guest as the clone's only user."""
    device = host.ssh("readlink -f $(findmnt -no SOURCE /)").strip()
    assert re.fullmatch(r"/dev/rbd\d+", device)
    sysfs = f"/sys/bus/rbd/devices/{device.removeprefix('/dev/rbd')}"
    assert host.ssh(f"cat {sysfs}/pool {sysfs}/pool_ns {sysfs}/name").split() == ["diskless", host.name, "root"]
    assert host.ssh("hostname").strip() == host.name

    image = host.lab.rbd("info", host.image)
    assert image["parent"]["image"].startswith("golden-bookworm-amd64-")
    assert image["parent"]["pool_namespace"] == ""
    assert {"layering", "exclusive-lock", "object-map", "fast-diff"} <= set(image["features"])
    client = host.ssh(f"cat {sysfs}/client_addr").strip()
    assert [watcher["address"] for watcher in host.watchers()] == [client]
    assert [lock["address"] for lock in host.locks()] == [client]


def test_root_file_system_fills_the_image(host: DisklessHost) -> None:
    """The golden image is smaller than the root image; the first boot grows the file system."""
    size = int(host.ssh("df --output=size -B1 / | tail -n 1"))
    assert size > 0.9 * host.lab.rbd("info", host.image)["size"]


def test_first_boot_makes_host_keys_and_machine_id(host: DisklessHost) -> None:
    """Nothing that identifies a host comes out of the golden image."""
    assert re.fullmatch(r"[0-9a-f]{32}\n", host.ssh("cat /etc/machine-id"))
    born = int(host.ssh("stat -c %Y /etc/ssh/ssh_host_ed25519_key"))
    installed = int(host.ssh("stat -c %Y /usr/sbin/sshd /var/lib/dpkg/info/openssh-server.list | sort -n | tail -n 1"))
    assert born > installed


def test_no_unit_fails(host: DisklessHost) -> None:
    """A host that is degraded from the start hides what breaks later."""
    host.boot_tree()  # on a busy machine only the second try may succeed
    assert host.ssh("systemctl is-system-running --wait || systemctl --failed --no-legend", timeout=180) == "running\n"


def test_key_is_not_in_cmdline_kernel_log_or_console(host: DisklessHost) -> None:
    """Whoever reads those must not become this host."""
    key = host.key()
    for place in ("cat /proc/cmdline", "dmesg", "journalctl --no-pager -b", "cat /run/diskless/*", "env"):
        assert key not in host.ssh(place), place
    assert key not in host.console(0)


def test_key_is_not_readable_by_other_users_of_the_boot_server(host: DisklessHost) -> None:
    """host.cpio belongs to the TFTP service alone."""
    path = f"/srv/diskless/boot/{host.name}/host.cpio"
    assert host.lab.ssh("boot", f"stat -c '%a %U' {path}") == "400 dnsmasq\n"
    assert host.key().encode() in _bytes(host.lab, path), "the key is in host.cpio, or this test proves nothing"
    with pytest.raises(LabError, match="Permission denied"):
        host.lab.ssh("boot", f"setpriv --reuid=nobody --clear-groups cat {path}")
    find = "find /srv /run /etc /tmp /var/tmp -name '*.cpio' -readable"
    readable = host.lab.ssh("boot", f"setpriv --reuid=nobody --clear-groups {find} 2>/dev/null; :")
    assert readable == ""


def _bytes(lab: Lab, path: str) -> bytes:
    return bytes.fromhex(lab.ssh("boot", f"od -An -v -tx1 {path}"))


TFTP = "cd /tmp && rm -f got && busybox tftp -g -l got -r {path} 10.77.0.3 && cat got | wc -c"


def test_host_reads_its_own_tree_by_tftp_and_no_other(host: DisklessHost) -> None:
    """The positive answer comes first: it proves that the refusals are refusals."""
    assert int(host.ssh(TFTP.format(path="grub/host.cpio"))) > 0
    for path in (
        "udoo2/host.cpio",
        "../udoo2/host.cpio",
        "grub/../../udoo2/host.cpio",
        "52-54-00-77-00-12/grub/host.cpio",
        "../52-54-00-77-00-12/grub/host.cpio",
        "10.77.0.12/grub/host.cpio",
        "../10.77.0.12/grub/host.cpio",
        "/srv/diskless/boot/udoo2/host.cpio",
    ):
        with pytest.raises(LabError):
            host.ssh(TFTP.format(path=path))


def test_symlink_planted_by_a_host_does_not_leak_a_key(host: DisklessHost) -> None:
    """A host is root in its own boot tree; TFTP must not follow what it leaves there."""
    host.ssh("ln -sfn ../udoo2/host.cpio /boot/relative && ln -sfn /srv/diskless/boot/udoo2/host.cpio /boot/absolute")
    try:
        for path in ("relative", "absolute"):
            with pytest.raises(LabError):
                host.ssh(TFTP.format(path=f"grub/{path}"))
    finally:
        host.ssh("rm /boot/relative /boot/absolute")


def test_stranger_on_the_boot_network_gets_nothing_by_tftp(lab: Lab, host: DisklessHost) -> None:
    """A machine that is not in the inventory, with an address of its own."""
    fetch = "cd $(mktemp -d) && timeout 5 busybox tftp -g -l got -r {path} 10.77.0.3"
    for path in ("grub/host.cpio", "52-54-00-77-00-11/grub/host.cpio", "52-54-00-77-00-11/grub/grub.cfg"):
        with pytest.raises(LabError):
            run(["ip", "netns", "exec", lab.network.switch, "sh", "-c", fetch.format(path=path)], timeout=40)
    assert int(host.ssh(TFTP.format(path="grub/grub.cfg"))) > 0


def test_host_mounts_its_own_tree_by_nfs_and_no_other(host: DisklessHost) -> None:
    """/boot is the host's tree; the neighbour's is refused, and so is everything above."""
    assert host.boot_tree() == [f"10.77.0.3:/boot/{host.name}", "nfs4"]
    assert "host.cpio" in host.ssh("ls /boot")
    for path in ("/boot/udoo2", "/srv/diskless/boot/udoo2", "/srv/diskless"):
        with pytest.raises(LabError):
            host.ssh(f"mkdir -p /mnt/other && timeout 30 mount -t nfs4 -o retry=0 10.77.0.3:{path} /mnt/other")
    # The server's root may be browsed, as NFSv4 wants it; it must not show the neighbours.
    host.ssh("timeout 30 mount -t nfs4 -o retry=0 10.77.0.3:/ /mnt/other && ls -R /mnt/other > /tmp/seen; :")
    host.ssh("umount /mnt/other; :")
    assert "udoo2" not in host.ssh("cat /tmp/seen 2>/dev/null; :")


def test_host_key_opens_its_own_image_only(lab: Lab, host: DisklessHost, neighbour: DisklessHost) -> None:
    """The kernel of one host cannot map the other's image with its own key."""
    options = f"name=diskless.{host.name},ms_mode=prefer-crc,noshare,mount_timeout=20,secret={host.key()}"

    def map_image(options: str, image: str) -> str:
        # The key is not on the host any more; it goes there by stdin.
        line = f"10.77.0.2:3300 {options} diskless {image}"
        return run([*lab.ssh_argv(host.name), "cat > /sys/bus/rbd/add_single_major"], stdin=line).stdout

    # A snapshot of its own image first: the same words work there, so it is the key that is refused below.
    lab.cluster.run("rbd", "snap", "create", f"{host.image}@probe")
    try:
        map_image(f"{options},_pool_ns={host.name}", "root probe")
        device = host.ssh("basename $(dirname $(grep -lx probe /sys/bus/rbd/devices/*/current_snap))").strip()
        host.ssh(f"udevadm settle; echo {device} > /sys/bus/rbd/remove_single_major")
    finally:
        lab.cluster.run("rbd", "snap", "rm", f"{host.image}@probe")
    with pytest.raises(LabError, match="not permitted"):
        map_image(f"{options},_pool_ns={neighbour.name}", "root -")


def test_host_may_blocklist_only_its_own_former_self(lab: Lab, host: DisklessHost) -> None:
    """What `profile rbd` would allow, a whole network included, is refused."""
    keyring = f"[{host.user}]\nkey = {host.key()}\n"
    lab.cluster.run("sh", "-c", "umask 77; cat > /run/host.keyring", stdin=keyring)
    # From the cluster's own address even the allowed form is refused: the key is bound to the host's address.
    for words in (
        ["add", f"{host.address}:0/123456"],
        ["add", "10.77.0.12:0/123456"],
        ["range", "add", "10.99.0.0/24"],
        ["add", host.address],
        ["clear"],
    ):
        identity = ["-n", host.user, "-k", "/run/host.keyring", "--connect-timeout", "10"]
        with pytest.raises(LabError):
            lab.cluster.run("ceph", *identity, "osd", "blocklist", *words)


def test_second_site_run_changes_nothing(lab: Lab, host: DisklessHost) -> None:
    """Also while a host is running, and with --check, which says all that it knows and no key."""
    recap = r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0"
    for arguments in ([], ["--check", "--diff", "-vvv"]):
        output = lab.site(*arguments, capture=True)
        changed = dict(re.findall(recap, output, re.MULTILINE))
        assert changed
        assert set(changed.values()) == {"0"}, output
        assert host.key() not in output
