# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two boot servers with the same boot trees, as their hosts see them. The last tests take one of the servers away."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import testinfra
import yaml
from testinfra.host import Host

ADDRESS = "10.77.0.3"
TREES = "/srv/diskless/boot"
NO_ENTRY, ACCESS_DENIED = "error: 2", "error: 13"  # nfsstat4
SERVICES = ["diskless-cephfs", "diskless-dnsmasq", "diskless-guard", "nfs-ganesha", "keepalived"]


def _machine(role: str) -> Host:
    platforms = yaml.safe_load(Path(os.environ["MOLECULE_FILE"]).read_text(encoding="utf-8"))["platforms"]
    names = [platform["name"] for platform in platforms]
    return testinfra.get_host(f"podman://{next(name for name in names if f'-{role}-' in name)}")


CEPH, BOOT1, BOOT2, SEGMENT = (_machine(role) for role in ("ceph", "boot1", "boot2", "segment"))
BOTH = pytest.mark.parametrize("server", [BOOT1, BOOT2], ids=["boot1", "boot2"])


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def on(host: str, *argv: str) -> str:
    """Run a command on a diskless host, and return what it prints."""
    return str(SEGMENT.check_output(shlex.join(["ip", "netns", "exec", host, *argv]))).strip()


def tftp(host: str, path: str) -> str:
    """Return the answer to a request for a file."""
    return on(host, "tftp.py", path)


def fetched(host: str, path: str) -> bool:
    """Whether a host gets a file. It asks a few times, as all firmware does."""
    return eventually(lambda: tftp(host, path).startswith("data:"), 10)


def nfs(host: str, *words: str) -> str:
    """Return the answer of the NFS server."""
    return on(host, "nfs.py", *words)


def has_address(server: Host) -> bool:
    """Whether this server is the one that hosts talk to."""
    return f" {ADDRESS}/24 " in server.check_output("ip -4 -oneline address show dev boot")


def serving() -> tuple[Host, Host]:
    """Return the server that hosts talk to, and the other one."""
    assert has_address(BOOT1) != has_address(BOOT2)
    return (BOOT1, BOOT2) if has_address(BOOT1) else (BOOT2, BOOT1)


def inode(server: Host, path: str) -> int:
    """Return the number of an inode in CephFS."""
    return int(server.check_output(f"stat --format=%i {TREES}/{path}"))


@pytest.fixture(scope="module")
def handle() -> str:
    """The handle that udoo1 got for a file of its own when both servers were there."""
    return nfs("udoo1", "handle", "/boot/udoo1/kernel.cfg")


@BOTH
@pytest.mark.parametrize("unit", SERVICES)
def test_services_run_now_and_after_a_reboot(server: Host, unit: str) -> None:
    assert server.service(unit).is_running
    assert server.service(unit).is_enabled


@BOTH
def test_units_wait_for_each_other_in_no_circle(server: Host) -> None:
    """systemd would leave out units of its own at boot."""
    assert "cycle" not in server.run("systemd-analyze verify multi-user.target").stderr


VRRP = "224.0.0.18"
OWN = {BOOT1: "10.77.0.4", BOOT2: "10.77.0.5"}


def test_host_cannot_take_the_address_away_under_its_own() -> None:
    """Whoever forges the address of a boot server can: that comes first, or the refusal would prove nothing."""
    server, other = serving()
    on("udoo1", "vrrp.py", OWN[other], OWN[server], ADDRESS)
    assert eventually(lambda: not has_address(server), 2)
    assert eventually(lambda: has_address(BOOT1) != has_address(BOOT2), 15)
    server, other = serving()
    for destination in (OWN[server], VRRP):
        on("udoo1", "vrrp.py", "10.77.0.11", destination, ADDRESS)
        assert not eventually(lambda: not has_address(server), 2)


def test_one_server_has_the_address() -> None:
    assert has_address(BOOT1) != has_address(BOOT2)


@BOTH
def test_both_servers_export_all_trees(server: Host) -> None:
    manager = "/org/ganesha/nfsd/ExportMgr org.ganesha.nfsd.exportmgr.ShowExports"
    exports = server.check_output(f"dbus-send --system --print-reply --dest=org.ganesha.nfsd {manager}")
    paths = {line.split('"')[1] for line in exports.splitlines() if 'string "/' in line}
    assert paths == {"/", "/volumes/diskless/udoo1", "/volumes/diskless/udoo2"}


def test_handles_are_the_same_on_both_servers() -> None:
    """They are made of the export's number and the inode."""
    assert BOOT1.check_output("grep Export_Id /etc/ganesha/diskless-exports.conf") == BOOT2.check_output(
        "grep Export_Id /etc/ganesha/diskless-exports.conf"
    )
    assert inode(BOOT1, "udoo1/kernel.cfg") == inode(BOOT2, "udoo1/kernel.cfg")


@pytest.mark.parametrize("file", ["grub/kernel.cfg", "grub/host.cpio"])
def test_host_boots_from_its_tree(file: str) -> None:
    assert tftp("udoo1", file).startswith("data:")


def test_host_gets_its_tree_by_nfs(handle: str) -> None:
    assert nfs("udoo1", "read", handle) == BOOT1.check_output(f"cat {TREES}/udoo1/kernel.cfg")


def dhcp(host: str, mac: str) -> list[tuple[str, str]]:
    """Return from whom a host is told to boot, and what, in each offer that it gets."""
    offers = json.loads(on(host, "firmware.py", "bios", mac))["discover"]
    return [(offer["next_server"], offer["file"]) for offer in offers]


def test_one_server_answers_dhcp_and_names_the_address() -> None:
    assert dhcp("udoo1", "52:54:00:77:00:11") == [(ADDRESS, "grub.pxe")]


def test_what_a_host_writes_is_there_on_both_servers(handle: str) -> None:
    before = nfs("udoo1", "read", handle)
    try:
        assert nfs("udoo1", "write", handle, "XYZ") == "XYZ"
        for server in (BOOT1, BOOT2):
            assert server.check_output(f"head --bytes=3 {TREES}/udoo1/kernel.cfg") == "XYZ"
    finally:
        nfs("udoo1", "write", handle, before)


def test_what_a_site_run_writes_elsewhere_is_there_for_the_host() -> None:
    """Within the 5 seconds after which the MDS puts on disk what one client has done, so that others can see it."""
    _, other = serving()
    try:
        other.check_output(f"cd {TREES}/udoo1 && echo new > .new && mv .new new")
        assert fetched("udoo1", "grub/new")
        assert tftp("udoo1", "grub/new") == "data: new"
        assert nfs("udoo1", "read", nfs("udoo1", "handle", "/boot/udoo1/new")) == "new"
    finally:
        other.check_output(f"rm {TREES}/udoo1/new")


def boot_trees(server: Host) -> tuple[bool, str]:
    """Run the module boot_tree on a boot server, in check mode; return whether that went well, and what it said."""
    secrets = {f"udoo{number}": "AQBlAAAAAAAAABAAMDEyMzQ1Njc4OWFiY2RlZg==" for number in (1, 2)}
    task = {
        "hosts": "{{ hostvars | diskless.ceph.host_specs(groups['diskless_hosts']) }}",
        "cephx_keys": secrets,
        "monitors": [{"name": "a", "v1": "192.0.2.1:6789", "v2": "192.0.2.1:3300"}],
        "golden_boot": {},
    }
    inventory = str(Path(os.environ["MOLECULE_INVENTORY_FILE"]).parent)
    command = ["ansible", "--inventory", inventory, server.backend.name]
    command += ["--module-name", "diskless.ceph.boot_tree", "--args", json.dumps(task), "--check"]
    run = testinfra.get_host("local://").run(shlex.join(command))
    return run.rc == 0, run.stdout + run.stderr


def test_run_on_one_boot_server_keeps_out_a_run_on_the_other() -> None:
    """They have no other way to know of each other than the file system."""
    BOOT1.check_output(f"systemd-run --unit holder flock {TREES}/.diskless-lock sleep infinity")
    try:
        assert eventually(lambda: BOOT1.run(f"flock --nonblock {TREES}/.diskless-lock true").rc == 1, 10)
        went_well, said = boot_trees(BOOT2)
        assert not went_well
        assert "another run is at work on the boot trees in /srv/diskless, here or on another boot server" in said
    finally:
        BOOT1.check_output("systemctl stop holder")
    went_well, said = boot_trees(BOOT2)
    assert went_well, said


def test_host_does_not_see_the_tree_of_another() -> None:
    assert nfs("udoo1", "handle", "/boot/udoo2/host.cpio") == NO_ENTRY
    assert tftp("udoo1", "../udoo2/host.cpio").startswith("error:")


def test_forged_handle_leads_into_no_other_tree(handle: str) -> None:
    """The export is the host's own, the inode is another's: it is Ceph that refuses."""
    own, other = (inode(BOOT1, f"{path}/kernel.cfg").to_bytes(8, "little").hex() for path in ("udoo1", "udoo2"))
    assert own in handle
    assert nfs("udoo1", "read", handle.replace(own, other)) == ACCESS_DENIED


@pytest.mark.parametrize("path", ["/", "/volumes", "/volumes/diskless", "/volumes/diskless/udoo2"])
def test_user_of_a_tree_can_mount_nothing_else(path: str) -> None:
    mount = "timeout 20 ceph-fuse --conf /etc/diskless/ceph.conf --id diskless-boot.udoo1 --client_mountpoint"
    assert BOOT2.run(f"{mount} {path} /mnt").rc != 0
    assert not BOOT2.mount_point("/mnt").exists


def test_user_of_the_boot_servers_can_mount_nothing_above() -> None:
    mount = "timeout 20 ceph-fuse --conf /etc/diskless/ceph.conf --id diskless-boot --client_mountpoint"
    assert BOOT2.run(f"{mount} / /mnt").rc != 0


@BOTH
def test_keys_are_for_root_alone(server: Host) -> None:
    keyring = server.file("/etc/diskless/ceph.keyring")
    assert (keyring.user, keyring.group, keyring.mode) == ("root", "root", 0o600)
    keys = [line.split(" = ")[1] for line in keyring.content_string.splitlines() if " = " in line]
    assert len(keys) == 3  # the boot server's and one for each host
    seen = server.check_output("ps -eo args; grep --recursive . /etc/ganesha /etc/systemd/system")
    assert [key for key in keys if key in seen] == []


@BOTH
def test_key_of_a_host_is_for_tftp_alone(server: Host) -> None:
    """Its owner is a number in CephFS, and has to be the right user on every boot server."""
    cpio = server.file(f"{TREES}/udoo1/host.cpio")
    assert (cpio.user, cpio.mode) == ("dnsmasq", 0o400)


@BOTH
def test_view_of_tftp_is_read_only_and_follows_no_links(server: Host) -> None:
    options = server.check_output("findmnt --noheadings --output OPTIONS /run/diskless/boot").split(",")
    assert {"ro", "nosymfollow", "nodev", "nosuid", "noexec"} <= set(options)


def healthy(server: Host) -> bool:
    """Whether hosts could boot from this server."""
    check = server.run(f"/usr/local/lib/diskless/boot-server-check {TREES}")
    return bool(check.rc == 0 and server.run("stat /run/diskless/boot/udoo1/kernel.cfg").rc == 0)


def test_server_that_ceph_has_thrown_out_comes_back() -> None:
    """As after an outage of its network: its client gets errors for good."""
    _, server = serving()
    name = server.check_output("hostname")
    sessions = json.loads(CEPH.check_output("ceph --format json tell mds.a session ls"))
    for session in sessions:
        if session["client_metadata"]["hostname"] == name:
            CEPH.check_output(f"ceph tell mds.a client evict id={session['id']}")
    assert eventually(lambda: not healthy(server), 20)
    assert eventually(lambda: healthy(server), 60)


def test_server_that_starts_while_ceph_is_away_serves_when_ceph_is_back() -> None:
    _, server = serving()
    monitor = CEPH.check_output("hostname --ip-address").split()[0]
    patience = "/run/systemd/system/diskless-cephfs.service.d/impatient.conf"
    server.check_output("systemctl stop diskless-cephfs")
    server.check_output(f"install -D /dev/stdin {patience} <<'END'\n[Service]\nTimeoutStartSec=5\nEND")
    server.check_output(f"systemctl daemon-reload && ip route add blackhole {monitor}/32")
    try:
        server.run("systemctl start --no-block diskless-cephfs diskless-dnsmasq nfs-ganesha")
        # Waiting for it has ended in vain, long before Ceph is back.
        assert eventually(lambda: "failed" in server.run("journalctl --unit nfs-ganesha --lines 1").stdout, 20)
    finally:
        server.check_output(f"ip route del blackhole {monitor}/32; rm {patience} && systemctl daemon-reload")
    assert eventually(lambda: healthy(server), 60)


def test_server_whose_mount_dies_comes_back() -> None:
    server, _ = serving()
    server.check_output("kill -KILL $(pidof ceph-fuse)")
    assert eventually(lambda: not healthy(server), 20)
    assert eventually(lambda: healthy(server), 60)
    assert fetched("udoo1", "grub/kernel.cfg")


def settled() -> tuple[Host, Host]:
    """Wait until both servers are in order and keepalived knows it; return the one with the address, and the other."""
    assert eventually(lambda: healthy(BOOT1) and healthy(BOOT2), 60)
    time.sleep(12)
    return serving()


def test_server_that_cannot_serve_gives_way() -> None:
    server, other = settled()
    server.check_output("systemctl stop diskless-cephfs")
    try:
        assert eventually(lambda: has_address(other) and not has_address(server), 30)
        assert fetched("udoo1", "grub/kernel.cfg")
    finally:
        server.check_output("systemctl start diskless-cephfs")


def test_address_stays_where_it_is_when_a_server_returns() -> None:
    server, _ = serving()
    assert settled()[0] is server


def test_hosts_boot_when_a_server_is_killed_and_it_returns(handle: str) -> None:
    """What is not being written at that moment can be read at once."""
    server, other = settled()
    here = testinfra.get_host("local://")
    here.check_output(f"podman kill {server.backend.name}")
    try:
        assert eventually(lambda: has_address(other), 15)
        assert dhcp("udoo1", "52:54:00:77:00:11") == [(ADDRESS, "grub.pxe")]
        for file in ("grub.pxe", "grub/grub.cfg", "grub/kernel.cfg", "grub/vmlinuz-6.1.0-1-amd64", "grub/host.cpio"):
            assert fetched("udoo1", file)
        assert nfs("udoo1", "read", handle) == other.check_output(f"cat {TREES}/udoo1/kernel.cfg")
    finally:
        here.check_output(f"podman start {server.backend.name}")
        here.check_output(
            f"{Path(__file__).parents[1]}/plug {SEGMENT.backend.name} {server.backend.name} {OWN[server]}"
        )
    assert eventually(lambda: healthy(server), 90)
    assert eventually(lambda: server.service("keepalived").is_running, 30)
    assert has_address(other)
