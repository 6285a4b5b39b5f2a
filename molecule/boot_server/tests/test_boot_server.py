# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot server as its boot network sees it."""

from __future__ import annotations

import shlex

import pytest
from testinfra.host import Host

# Ask for a file by TFTP; print "data: …", "error: …" or "silence".
TFTP = r"""
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)
client.sendto(b"\0\1" + sys.argv[1].encode() + b"\0octet\0", ("10.77.0.3", 69))
try:
    answer, server = client.recvfrom(2048)
except TimeoutError:
    print("silence")
else:
    print("data:" if answer[1] == 3 else "error:", answer[4:].decode(errors="replace").strip("\0"))
    client.sendto(b"\0\5\0\0thanks\0", server)
"""


def tftp(host: Host, client: str, path: str) -> str:
    """Return the answer that a machine on the boot network gets."""
    return str(host.check_output(f"ip netns exec {client} python3 -c {shlex.quote(TFTP)} {shlex.quote(path)}")).strip()


@pytest.mark.parametrize("path", ["host.cpio", "/host.cpio"])
def test_host_gets_its_own_key(host: Host, path: str) -> None:
    assert tftp(host, "udoo1", path) == "data: key of udoo1"


@pytest.mark.parametrize(
    "path",
    [
        "../udoo2/host.cpio",
        "52-54-00-77-00-12/host.cpio",
        "/srv/diskless/tftp/52-54-00-77-00-12/host.cpio",
        "/srv/diskless/boot/udoo2/host.cpio",
        "/run/diskless/boot/udoo2/host.cpio",
    ],
)
def test_host_does_not_get_the_key_of_another(host: Host, path: str) -> None:
    assert tftp(host, "udoo1", path).startswith("error:")


def test_planted_link_is_not_followed(host: Host) -> None:
    assert host.file("/srv/diskless/boot/udoo1/planted").content_string == "key of udoo2\n"
    assert tftp(host, "udoo1", "planted").startswith("error: cannot read")


def test_stranger_gets_no_answer(host: Host) -> None:
    assert tftp(host, "stranger", "52-54-00-77-00-12/host.cpio") == "silence"


def test_stranger_with_the_address_of_a_host_gets_no_answer(host: Host) -> None:
    host.check_output("ip -n stranger address add 10.77.0.12/32 dev eth0")
    try:
        host.check_output("ip -n stranger route add 10.77.0.3 dev eth0 src 10.77.0.12")
        assert tftp(host, "stranger", "host.cpio") == "silence"
    finally:
        host.run("ip -n stranger route del 10.77.0.3")
        host.run("ip -n stranger address del 10.77.0.12/32 dev eth0")


def test_without_the_guard_the_stranger_would_get_the_key(host: Host) -> None:
    """The test that proves that the two before can fail."""
    host.check_output("nft flush chain inet diskless input")
    try:
        assert tftp(host, "stranger", "52-54-00-77-00-12/host.cpio") == "data: key of udoo2"
    finally:
        host.check_output("systemctl reload diskless-guard.service")


def test_view_of_tftp_is_read_only_and_follows_no_links(host: Host) -> None:
    options = host.check_output("findmnt --noheadings --output OPTIONS /run/diskless/boot").split(",")
    assert {"ro", "nosymfollow", "nodev", "nosuid", "noexec"} <= set(options)


def test_every_host_has_an_export_of_its_own(host: Host) -> None:
    manager = "/org/ganesha/nfsd/ExportMgr org.ganesha.nfsd.exportmgr.ShowExports"
    exports = host.check_output(f"dbus-send --system --print-reply --dest=org.ganesha.nfsd {manager}")
    paths = {line.split('"')[1] for line in exports.splitlines() if 'string "/' in line}
    assert paths == {"/", "/srv/diskless/boot/udoo1", "/srv/diskless/boot/udoo2"}
    rules = host.file("/etc/ganesha/diskless-exports.conf").content_string
    assert "Clients = 10.77.0.11;" in rules
    assert "Clients = 10.77.0.12;" in rules


def test_hosts_cannot_make_special_files(host: Host) -> None:
    """dnsmasq would open a named pipe in a boot tree, and wait for its writer instead of serving anybody."""
    refused = host.check_output("systemctl show --property=SystemCallFilter --value nfs-ganesha.service")
    assert refused.startswith("~")
    assert {"mknod", "mknodat"} <= set(refused[1:].split())
    pid = host.check_output("systemctl show --property=MainPID --value nfs-ganesha.service")
    assert "Seccomp:\t2\n" in host.file(f"/proc/{pid}/status").content_string


def test_nfs_listens_on_the_boot_network_alone(host: Host) -> None:
    listening = host.check_output("ss --no-header --listening --tcp --numeric sport = :2049").split()
    assert listening[3].endswith("10.77.0.3]:2049")


def test_loader_is_a_network_image_of_grub(host: Host) -> None:
    loader = host.file("/srv/diskless/loader/grub.pxe")
    assert loader.is_symlink
    assert host.file(loader.linked_to).size > 50000


def test_gateway_and_nameservers_are_options_of_the_network(host: Host) -> None:
    conf = host.file("/etc/diskless/dnsmasq.conf").content_string
    assert "dhcp-option=tag:net1,option:router,10.77.0.1\n" in conf


@pytest.mark.parametrize("unit", ["diskless-dnsmasq.service", "diskless-guard.service", "nfs-ganesha.service"])
def test_services_run_now_and_after_a_reboot(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
