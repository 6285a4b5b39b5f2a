# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot server as its boot network sees it, in either way of handing out addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from testinfra.host import Host

LOADERS = "/srv/diskless/loader"


@pytest.fixture(scope="module")
def proxy(host: Host) -> bool:
    """Whether a router hands out the addresses; it gives the hosts others than the inventory."""
    return "-proxy-" in host.check_output("hostname")


def tftp(host: Host, client: str, path: str) -> str:
    """Return the answer that a machine on the boot network gets."""
    return str(host.check_output(f"ip netns exec {client} tftp.py {path}"))


@contextmanager
def address(host: Host, client: str, wanted: str) -> Iterator[None]:
    """Let a machine ask from another address, of which the boot server does not know yet who has it."""
    host.check_output(f"ip -n {client} address add {wanted}/32 dev eth0")
    host.check_output(f"ip -n {client} route add 10.77.0.3 dev eth0 src {wanted}")
    host.check_output("ip neighbour flush dev boot")
    try:
        yield
    finally:
        host.check_output(f"ip -n {client} route del 10.77.0.3")
        host.check_output(f"ip -n {client} address del {wanted}/32 dev eth0")


@pytest.mark.parametrize("path", ["grub/host.cpio", "/grub/host.cpio"])
def test_host_gets_its_own_key(host: Host, path: str) -> None:
    assert tftp(host, "udoo1", path) == "data: key of udoo1"


def test_what_tftp_shows_is_made_whenever_the_service_starts(host: Host) -> None:
    """As after a boot, or after a site run that ended before its handlers."""
    host.check_output("rm -r /run/diskless/tftp && systemctl restart diskless-dnsmasq.service")
    assert tftp(host, "udoo1", "grub/host.cpio") == "data: key of udoo1"


@pytest.mark.parametrize("directory", ["1000000d", "52-54-00-77-00-13"])
def test_pi_finds_its_files_by_serial_number_and_by_mac_address(host: Host, directory: str) -> None:
    assert tftp(host, "cm1", f"{directory}/start4.elf") == "data: firmware"
    assert tftp(host, "cm1", f"{directory}/host.cpio") == "data: key of cm1"


@pytest.mark.parametrize("path", ["start4.elf", "start.elf", "config.txt", "1000000e/start4.elf"])
def test_pi_that_does_not_find_its_own_files_finds_nothing_bootable(host: Host, path: str) -> None:
    assert tftp(host, "cm1", path).startswith("error:")


@pytest.mark.parametrize("loader", ["grub.pxe", "shimx64.efi", "grubx64.efi"])
def test_pc_gets_its_loader_whole(host: Host, loader: str) -> None:
    size = host.check_output(f"stat --dereference --format=%s {LOADERS}/{loader}")
    assert tftp(host, "udoo1", loader) == f"data: {size} bytes"


FOREIGN = [
    "../../52-54-00-77-00-12/grub/host.cpio",
    "52-54-00-77-00-12/grub/host.cpio",
    "10.77.0.12/grub/host.cpio",
    "/srv/diskless/tftp/52-54-00-77-00-12/grub/host.cpio",
    "/srv/diskless/boot/udoo2/host.cpio",
    "/run/diskless/boot/udoo2/host.cpio",
    "/run/diskless/tftp/10.77.0.12/grub/host.cpio",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_host_does_not_get_the_key_of_another(host: Host, path: str) -> None:
    assert tftp(host, "udoo1", path).startswith("error:")


def test_host_that_the_arp_table_does_not_know_sees_its_own_directory(host: Host) -> None:
    """As after a restart of the boot server. By MAC address, dnsmasq would find none, and show those of all."""
    mac = host.check_output("cat /sys/class/net/boot/address")
    host.check_output(f"ip -n udoo1 neighbour replace 10.77.0.3 lladdr {mac} dev eth0 nud permanent")
    host.check_output("systemctl restart diskless-dnsmasq.service")
    try:
        for path in FOREIGN:
            host.check_output("ip neighbour flush dev boot")
            assert tftp(host, "udoo1", path).startswith("error:")
        host.check_output("ip neighbour flush dev boot")
        assert tftp(host, "udoo1", "grub/host.cpio") == "data: key of udoo1"
    finally:
        host.check_output("ip -n udoo1 neighbour del 10.77.0.3 dev eth0")


def test_host_with_the_address_of_another_does_not_get_its_key(host: Host, proxy: bool) -> None:
    with address(host, "udoo1", "10.77.0.12"):
        answer = tftp(host, "udoo1", "grub/host.cpio")
    assert answer == ("data: key of udoo1" if proxy else "silence")


def test_planted_link_is_not_followed(host: Host) -> None:
    assert host.file("/srv/diskless/boot/udoo1/planted").content_string == "key of udoo2\n"
    assert tftp(host, "udoo1", "grub/planted").startswith("error: cannot read")


def test_stranger_gets_no_answer(host: Host) -> None:
    assert tftp(host, "stranger", "10.77.0.12/grub/host.cpio") == "silence"


def test_stranger_with_the_address_of_a_host_gets_no_answer(host: Host) -> None:
    with address(host, "stranger", "10.77.0.12"):
        assert tftp(host, "stranger", "grub/host.cpio") == "silence"


def test_flow_that_began_without_the_guard_is_not_shown_the_directories_of_all(host: Host) -> None:
    """Beside a router, the guard translates addresses; the kernel decides that once for every flow."""
    ask = "10.77.0.12/grub/host.cpio 4444"
    # Something else on the machine has the kernel track connections.
    host.check_output("nft 'table inet other { chain track { type filter hook input priority 0; ct state new; }; }'")
    try:
        host.check_output("systemctl stop diskless-guard.service")
        assert tftp(host, "udoo1", ask) == "silence"
        host.check_output("systemctl start diskless-dnsmasq.service")
        assert not tftp(host, "udoo1", ask).startswith("data:")
    finally:
        host.check_output("nft delete table inet other")
    assert tftp(host, "udoo1", "grub/host.cpio") == "data: key of udoo1"


def test_without_the_guard_the_stranger_would_get_the_key(host: Host) -> None:
    """The test that proves that the two before can fail."""
    host.check_output("nft flush table inet diskless")
    try:
        assert tftp(host, "stranger", "10.77.0.12/grub/host.cpio") == "data: key of udoo2"
    finally:
        host.check_output("systemctl reload diskless-guard.service")


def test_view_of_tftp_is_read_only_and_follows_no_links(host: Host) -> None:
    options = host.check_output("findmnt --noheadings --output OPTIONS /run/diskless/boot").split(",")
    assert {"ro", "nosymfollow", "nodev", "nosuid", "noexec"} <= set(options)


def test_every_host_has_an_export_of_its_own(host: Host) -> None:
    manager = "/org/ganesha/nfsd/ExportMgr org.ganesha.nfsd.exportmgr.ShowExports"
    exports = host.check_output(f"dbus-send --system --print-reply --dest=org.ganesha.nfsd {manager}")
    paths = {line.split('"')[1] for line in exports.splitlines() if 'string "/' in line}
    assert paths == {"/", *(f"/srv/diskless/boot/{name}" for name in ("udoo1", "udoo2", "cm1", "cm2"))}
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


@pytest.mark.parametrize(("own", "answers"), [("10.77.0.11", True), ("10.77.0.12", False)])
def test_nfs_answers_a_host_at_its_own_address_alone(host: Host, own: str, answers: bool) -> None:
    connect = "import socket; socket.create_connection(('10.77.0.3', 2049), 2)"
    with address(host, "udoo1", own):
        assert (host.run(f'ip netns exec udoo1 python3 -c "{connect}"').rc == 0) == answers


def test_loader_is_a_network_image_of_grub(host: Host) -> None:
    loader = host.file(f"{LOADERS}/grub.pxe")
    assert loader.is_symlink
    assert host.file(loader.linked_to).size > 50000


def test_first_configuration_of_the_loader_is_a_script_that_grub_understands(host: Host) -> None:
    host.check_output(f"grub-script-check {LOADERS}/early.cfg")


def test_loader_knows_the_boot_server_where_its_address_comes_from_another(host: Host, proxy: bool) -> None:
    """After a proxy's answer GRUB would look for its configuration on the router."""
    early = host.file(f"{LOADERS}/early.cfg").content_string
    assert ("set prefix=(tftp,10.77.0.3)/grub\n" in early) == proxy


@pytest.mark.parametrize("loader", ["shimx64.efi", "grubx64.efi"])
def test_signed_loaders_are_programs_for_uefi_with_a_signature(host: Host, loader: str) -> None:
    read_header = f"""import struct
image = open("{LOADERS}/{loader}", "rb").read()
start = struct.unpack_from("<I", image, 0x3C)[0]
machine, = struct.unpack_from("<H", image, start + 4)
signature, = struct.unpack_from("<I", image, start + 24 + 112 + 4 * 8 + 4)
print(image[:2].decode(), image[start:start + 2].decode(), hex(machine), signature)"""
    dos, pe, machine, signature_size = host.check_output("python3 -c %s", read_header).split()
    assert (dos, pe, machine) == ("MZ", "PE", "0x8664")
    assert int(signature_size) > 1000


def test_boot_chain_of_the_boot_server_is_left_alone(host: Host) -> None:
    for package in ("shim-signed", "shim-signed-common", "grub-efi-amd64-signed", "grub2-common"):
        assert not host.package(package).is_installed


@pytest.mark.parametrize("unit", ["diskless-dnsmasq.service", "diskless-guard.service", "nfs-ganesha.service"])
def test_services_run_now_and_after_a_reboot(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
