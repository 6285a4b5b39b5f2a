# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The diagnosis names first what was done to a host, and what heals it; of a healthy host it finds nothing."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.api import Lab
from lab.errors import LabError
from lab.state import REPOSITORY
from tests.e2e.diskless_host import DisklessHost

TREES = "/srv/diskless/boot"
Finding = dict[str, Any]


def findings(lab: Lab, host: DisklessHost, directory: Path) -> list[Finding]:
    """Diagnose one host; return what was found, the most likely cause first."""
    file = directory / "diagnosis.json"
    file.unlink(missing_ok=True)
    with suppress(LabError):  # the play fails for hosts with findings
        lab.site(
            *("--limit", host.name, "-e", f"diagnose_file={file}"), playbook="playbooks/diagnose.yml", capture=True
        )
    (result,) = json.loads(file.read_text(encoding="utf-8"))
    assert result["host"] == host.name
    for finding in result["findings"]:
        print(finding["cause"], finding["evidence"], finding["command"], flush=True)
    found: list[Finding] = result["findings"]
    return found


def carry_out(lab: Lab, finding: Finding) -> None:
    """Type the command of a finding, as a user of the collection would."""
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(REPOSITORY / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".ansible/collections"),
    }
    subprocess.run(["sh", "-c", finding["command"]], check=True, env=environment, cwd=lab.directory.path, timeout=900)


# Faults of a host that runs: each is there until its context ends, or until it is healed.


@contextmanager
def saved(lab: Lab, *paths: str) -> Iterator[None]:
    """Bring files of the boot server back as they were."""
    listed = " ".join(path.lstrip("/") for path in paths)
    lab.ssh("boot", f"tar -C / --xattrs -cf /root/saved.tar {listed}")
    try:
        yield
    finally:
        # The directories stay: hosts have them mounted.
        files = f"find {' '.join(paths)} -type f -delete"
        lab.ssh("boot", f"{files} && tar -C / --xattrs -xpf /root/saved.tar && rm /root/saved.tar")


@contextmanager
def in_tree(lab: Lab, host: DisklessHost, change: str) -> Iterator[None]:
    """Change something in the boot tree, which is the working directory."""
    tree = f"{TREES}/{host.name}"
    with saved(lab, tree):
        lab.ssh("boot", f"cd {tree} && {change}")
        yield


def kernel_empty(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """A copy that was interrupted, or a full disk."""
    return in_tree(lab, host, "for file in vmlinuz-*; do : >$file; done")


def initramfs_truncated(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """The same, of the initramfs."""
    return in_tree(lab, host, "for file in initrd.img-*; do truncate -s 1M $file; done")


def initramfs_missing(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """Somebody has tidied up."""
    return in_tree(lab, host, "rm initrd.img-*")


def versions_differ(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """The kernel that boots next has no initramfs of its own."""
    other = "vmlinuz-9.9.9-other"
    return in_tree(lab, host, f"cp vmlinuz-6* {other}; sed -i 's/vmlinuz-.*/{other}/' kernel.cfg")


def host_cpio_truncated(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """What tells the host who it is is not complete."""
    return in_tree(lab, host, "truncate -s 600 host.cpio")


def loader_edited(lab: Lab, host: DisklessHost) -> AbstractContextManager[None]:
    """By hand, with an error."""
    return in_tree(lab, host, "sed -i 's/^ *if linux/  if linus/' grub.cfg")


@contextmanager
def tree_missing(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """As after another disk was put into the boot server."""
    tree = f"{TREES}/{host.name}"
    lab.ssh("boot", f"mv {tree} /srv/diskless/{host.name}.away")
    try:
        yield
    finally:
        lab.ssh("boot", f"rm -rf {tree} && mv /srv/diskless/{host.name}.away {tree}")


@contextmanager
def not_admitted(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The boot server's list of hosts lacks it."""
    with saved(lab, "/etc/diskless/dhcp-hosts"):
        lab.ssh("boot", f"sed -i /{host.name}/d /etc/diskless/dhcp-hosts")
        yield


@contextmanager
def service_down(lab: Lab, unit: str) -> Iterator[None]:
    """A service of the boot server was stopped."""
    lab.ssh("boot", f"systemctl stop {unit}")
    try:
        yield
    finally:
        lab.ssh("boot", f"systemctl start {unit}")


def dhcp_down(lab: Lab, _host: DisklessHost) -> AbstractContextManager[None]:
    """Nobody answers."""
    return service_down(lab, "diskless-dnsmasq")


def nfs_down(lab: Lab, _host: DisklessHost) -> AbstractContextManager[None]:
    """/boot is away."""
    return service_down(lab, "nfs-ganesha")


@contextmanager
def entity(lab: Lab, host: DisklessHost) -> Iterator[dict[str, Any]]:
    """The cephx user as it is, and as it was at the end."""
    before = lab.cluster.run("ceph", "auth", "get", host.user)
    try:
        yield lab.ceph("auth", "get", host.user)[0]
    finally:
        lab.cluster.run("ceph", "auth", "import", "-i", "-", stdin=before)


@contextmanager
def cannot_blocklist(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The caps that one finds in many a guide."""
    with entity(lab, host) as user:
        caps = ["mon", "profile simple-rados-client", "osd", user["caps"]["osd"]]
        lab.cluster.run("ceph", "auth", "caps", host.user, *caps)
        yield


@contextmanager
def key_replaced(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """Somebody has rotated the key, and not run the site playbook since."""
    key = base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
    caps = lab.ceph("auth", "get", host.user)[0]["caps"]
    quoted = {what: cap.replace("\\", "\\\\").replace('"', '\\"') for what, cap in caps.items()}
    lines = [f"[{host.user}]", f"key = {key}", *(f'caps {what} = "{cap}"' for what, cap in quoted.items())]
    lab.cluster.run("ceph", "auth", "import", "-i", "-", stdin="\n".join(lines) + "\n")
    try:
        yield
    finally:
        lab.site(capture=True)


@contextmanager
def user_missing(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """Somebody has removed it."""
    with entity(lab, host):
        lab.cluster.run("ceph", "auth", "rm", host.user)
        yield


@contextmanager
def boot_unmounted(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """A kernel update would not reach the boot server."""
    host.ssh("systemctl stop diskless-boot-mount.timer && umount /boot")
    try:
        yield
    finally:
        host.ssh("systemctl restart boot.mount && systemctl start diskless-boot-mount.timer")


@contextmanager
def unit_failed(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """A service of the host has failed."""
    host.ssh("systemd-run --unit=broken false; sleep 2")
    try:
        yield
    finally:
        host.ssh("systemctl reset-failed broken.service")


@contextmanager
def exitrd_missing(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The next shutdown would leave the lock behind."""
    host.ssh("mv /run/initramfs/shutdown /run/initramfs/shutdown.away")
    try:
        yield
    finally:
        host.ssh("mv /run/initramfs/shutdown.away /run/initramfs/shutdown")


@contextmanager
def clock_wrong(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """By two hours, as of a board without a battery."""
    host.ssh("date -s '2 hours ago'")
    try:
        yield
    finally:
        host.ssh("date -s '2 hours'")


@contextmanager
def mtu_differs(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """Small packets pass, large ones vanish."""
    card = host.ssh("ip -o route get 10.77.0.2 | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p'").strip()
    host.ssh(f"ip link set {card} mtu 1400")
    try:
        yield
    finally:
        host.ssh(f"ip link set {card} mtu 1500")


# Faults of a host that is off, or does not come up.


@contextmanager
def powered_off(_lab: Lab, host: DisklessHost) -> Iterator[None]:
    """Nobody has switched it on again."""
    host.power_off()
    try:
        yield
    finally:
        host.ensure_ready()


@contextmanager
def image_away(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The image has another name, and the host tries to boot."""
    host.power_off()
    lab.cluster.run("rbd", "rename", host.image, f"{host.image}.away")
    since = host.now()
    lab.power("on", host.name)
    lab.wait_for(host.name, r"diskless: retry step=map .*reason=no-image", 180, since)
    try:
        yield
    finally:
        lab.cluster.run("rbd", "rename", f"{host.image}.away", host.image)
        host.wait_stage("ready", since)


@contextmanager
def journaling(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """A feature that no kernel maps, and the host tries to boot."""
    host.power_off()
    lab.cluster.run("rbd", "feature", "enable", host.image, "journaling")
    since = host.now()
    lab.power("on", host.name)
    lab.wait_for(host.name, r"diskless: retry step=map .*reason=unsupported-features", 180, since)
    try:
        yield
    finally:
        lab.cluster.run("rbd", "feature", "disable", host.image, "journaling")
        host.wait_stage("ready", since)


@contextmanager
def fenced(lab: Lab, host: DisklessHost) -> Iterator[None]:
    """The address of the host is on the blocklist, and the host tries to boot."""
    host.power_off()
    lab.cluster.run("ceph", "osd", "blocklist", "add", host.address, "3600")
    since = host.now()
    lab.power("on", host.name)
    lab.wait_for(host.name, r"diskless: retry step=map .*reason=blocklisted", 180, since)
    try:
        yield
    finally:
        with suppress(LabError):  # healed already
            lab.cluster.run("ceph", "osd", "blocklist", "rm", host.address)
        host.ensure_ready()


@dataclass(frozen=True)
class Fault:
    """What is done to a host; the cause that is named first, and a part of the command that heals it."""

    inject: Callable[[Lab, DisklessHost], AbstractContextManager[None]]
    cause: str
    command: str
    heal: bool = False  # carry the command out, and see
    always: bool = False  # the others are left to make full


FAULTS = [
    Fault(kernel_empty, "file-damaged", "diskless.ceph.site", heal=True),
    Fault(initramfs_truncated, "file-damaged", "diskless.ceph.site"),
    Fault(initramfs_missing, "named-file-missing", "diskless.ceph.site"),
    Fault(versions_differ, "versions-differ", "ls -l"),
    Fault(host_cpio_truncated, "host-cpio-broken", "diskless.ceph.site", heal=True, always=True),
    Fault(loader_edited, "loader-configuration-wrong", "diskless.ceph.site", heal=True),
    Fault(not_admitted, "not-admitted", "diskless.ceph.site", heal=True),
    Fault(dhcp_down, "boot-server-down", "diskless-dnsmasq"),
    Fault(nfs_down, "nfs-down", "nfs-ganesha"),
    Fault(cannot_blocklist, "cannot-blocklist", "diskless.ceph.site", heal=True),
    Fault(key_replaced, "key-differs", "diskless.ceph.site", heal=True),
    Fault(user_missing, "user-missing", "diskless.ceph.site"),
    Fault(boot_unmounted, "boot-not-mounted", "boot.mount"),
    Fault(unit_failed, "failed-units", "broken.service"),
    Fault(exitrd_missing, "exitrd-missing", "udoo2"),
    Fault(clock_wrong, "clock-wrong", "udoo2"),
    Fault(mtu_differs, "mtu-differs", "udoo2"),
    Fault(tree_missing, "tree-missing", "diskless.ceph.site"),
    Fault(powered_off, "power-off", "power_action=on"),
    Fault(image_away, "image-missing", "udoo2"),
    Fault(journaling, "image-unmappable", "journaling"),
    Fault(fenced, "fenced", "diskless.ceph.recover_host", heal=True),
]


@pytest.fixture(scope="module")
def ready(lab: Lab) -> Iterator[DisklessHost]:
    """The second host, running."""
    host = DisklessHost(lab, "udoo2")
    host.ensure_ready()
    host.boot_tree()
    yield host
    lab.power("off", host.name)


def test_nothing_is_found_on_a_healthy_host(lab: Lab, ready: DisklessHost, tmp_path: Path) -> None:
    """Whatever is found is wrong."""
    assert findings(lab, ready, tmp_path) == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.inject.__name__, marks=[] if fault.always else [pytest.mark.full])
        for fault in FAULTS
    ],
)
def test_first_finding_is_what_was_done(lab: Lab, ready: DisklessHost, tmp_path: Path, fault: Fault) -> None:
    """With the command that heals it, which is carried out for some."""
    with fault.inject(lab, ready):
        first = findings(lab, ready, tmp_path)[0]
        assert first["cause"] == fault.cause
        assert fault.command in first["command"]
        if fault.heal:
            carry_out(lab, first)
            assert fault.cause not in [finding["cause"] for finding in findings(lab, ready, tmp_path)]
