# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a host: for each cause the evidence that shows it, in the form in which real hosts tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.diagnose import diagnose
from ansible_collections.diskless.ceph.plugins.plugin_utils._diagnosis.rules.boot_log import STAGES

from .diagnosis_evidence import CLIENT, KERNEL, NAME, NOW, boot, changed, healthy, stopped, unreachable

HOST_CONF = "boot/me/host_conf"
SITE = "ansible-playbook diskless.ceph.site -i inventory.yml"
ELSEWHERE = {"owner": "client.5000", "address": "10.77.0.11:0/777", "cookie": 1}
FORMER = {"owner": "client.4001", "address": "10.77.0.12:0/111", "cookie": 1}
KERNEL_FINDING = {
    **{"signature": "blocklisted", "incident": "blocklisted", "severity": "error", "recovered": False, "count": 3},
    **{"meaning": "The cluster has put this client on the blocklist.", "remedy": "Unmount and mount again."},
    "sample": "ceph: mds0 blocklisted",
}


def down() -> dict[str, Any]:
    """A host that was shut down."""
    return changed(
        unreachable(),
        {
            "boot_log/state": "down",
            "boot_log/stage": "unmapped",
            "ceph/me/locks": [],
            "ceph/me/watchers": [],
            "power": None,
        },
    )


@dataclass(frozen=True)
class Fault:
    """What is wrong with a host, and what is said about it first."""

    cause: str
    evidence: Mapping[str, Any]
    fact: str  # part of what is quoted
    command: str  # part of what is to be typed
    consequences: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    def diagnosis(self) -> dict[str, Any]:
        return diagnose(changed(self.evidence, self.changes))


def files(**sizes: int) -> list[dict[str, Any]]:
    """The files of the boot tree with other sizes, by the first word of their names; without those whose size is -1."""
    found = healthy()["boot"]["hosts"][NAME]["files"]
    by_word = [(file, sizes.get(re.split(r"[.-]", file["path"])[0], file["size"])) for file in found]
    return [{**file, "size": size} for file, size in by_word if size >= 0]


def problem(file: str, text: str) -> dict[str, Any]:
    return {"boot/me/problems": [{"file": file, "problem": text}]}


def starts_over() -> dict[str, Any]:
    """The fourth boot in an hour, of which none was shut down."""
    boots = [boot(20 - number, NOW - 900 * number, STAGES[:4]) for number in range(5)]
    boot_log = {"state": "booting", "stage": "network", "since": NOW - 5, "trouble": None, "boots": boots}
    return changed(unreachable(), {"boot_log": boot_log})


# Each cause that there is, in the order of the rules. Reasons and texts are those of real hosts.
FAULTS = (
    Fault("power-driver-wrong", healthy(), "answers by SSH", "power_action=status", changes={"power": "off"}),
    Fault("power-off", unreachable(), "its last words: systemd[1]", "power_action=on", ("lost",), {"power": "off"}),
    Fault(
        "no-request",
        down(),
        "shut down (stage unmapped), and no DHCP",
        "ansible boot1 -i inventory.yml -a 'journalctl",
        ("no-ssh",),
    ),
    Fault("no-ssh", unreachable(), "No route to host", f"ansible {NAME}", changes={"boot_log": None}),
    Fault(
        "lost", unreachable(), "client.4195 at 10.77.0.12:0/2654949452", f"recover_host -i inventory.yml --limit {NAME}"
    ),
    Fault(
        "boot-events-down",
        healthy(),
        "diskless-boot-events.service: failed",
        "systemctl restart diskless-boot-events",
        changes={"boot/services/diskless-boot-events.service": "failed"},
    ),
    Fault(
        "boot-server-down",
        down(),
        "diskless-dnsmasq.service: failed",
        "systemctl restart diskless-dnsmasq.service",
        ("no-request", "no-ssh"),
        changes={"boot/services/diskless-dnsmasq.service": "failed"},
    ),
    Fault(
        "nfs-down",
        healthy(),
        "nfs-ganesha.service: inactive",
        "systemctl restart nfs-ganesha.service",
        ("boot-not-mounted",),
        {"boot/services/nfs-ganesha.service": "inactive", "boot/services/nfs": "inactive", "host/boot_mounted": False},
    ),
    Fault(
        "other-boot-server-down",
        healthy(),
        "boot2: diskless-dnsmasq.service: failed",
        "ansible boot2",
        changes={
            "boot_servers": {"boot1": healthy()["boot"], "boot2": {"services": {"diskless-dnsmasq.service": "failed"}}}
        },
    ),
    Fault(
        "not-admitted",
        stopped("dhcp", "ignored", "DHCPDISCOVER(eth0) 52:54:00:77:00:12 ignored"),
        "52:54:00:77:00:12",
        SITE,
        ("ignored-by-dhcp",),
        {"boot/me/admitted": False},
    ),
    Fault(
        "not-linked",
        stopped("loader", "file-missing", "file /run/diskless/tftp/10.77.0.12/grub.pxe not found for 10.77.0.12"),
        "10.77.0.12",
        SITE,
        ("file-not-served",),
        {"boot/me/linked": False},
    ),
    Fault(
        "not-exported",
        healthy(),
        "to 10.77.0.12",
        SITE,
        ("boot-not-mounted",),
        {"boot/me/exported": False, "host/boot_mounted": False},
    ),
    Fault(
        "tree-missing",
        stopped("loader", "file-missing", "file … not found for 10.77.0.12"),
        NAME,
        SITE,
        ("file-not-served", "not-linked"),
        {
            "boot/me": {
                "exists": False,
                "files": [],
                "problems": [],
                "linked": False,
                "admitted": True,
                "exported": True,
            }
        },
    ),
    Fault(
        "file-damaged",
        stopped("kernel", "silent", "sent /run/diskless/tftp/10.77.0.12/grub/host.cpio to 10.77.0.12", "late"),
        f"initrd.img-{KERNEL}: 0 bytes",
        SITE,
        ("silent-kernel",),
        {"boot/me/files": files(initrd=0)},
    ),
    Fault(
        "named-file-missing",
        stopped("loader", "file-missing", f"file …/grub/vmlinuz-{KERNEL} not found for 10.77.0.12"),
        f"kernel.cfg names kernel vmlinuz-{KERNEL}",
        SITE,
        ("file-not-served",),
        {"boot/me/files": files(vmlinuz=-1)},
    ),
    Fault(
        "versions-differ",
        stopped("kernel", "silent", "sent …/host.cpio to 10.77.0.12", "late"),
        "vmlinuz-6.1.0-40-amd64 and initrd.img-6.1.0-39",
        f"ls -l /srv/diskless/boot/{NAME}",
        ("silent-kernel",),
        {
            "boot/me/kernel": "vmlinuz-6.1.0-40-amd64",
            "boot/me/files": [*files(), {"path": "vmlinuz-6.1.0-40-amd64", "size": 9}],
        },
    ),
    Fault(
        "host-cpio-broken",
        stopped("network", "no-config", "no /etc/diskless/host.conf and key"),
        "host.cpio: it is not complete",
        SITE,
        ("no-host-conf",),
        {**problem("host.cpio", "it is not complete"), HOST_CONF: None, "boot/me/key_fingerprint": None},
    ),
    Fault(
        "loader-configuration-wrong",
        stopped("loader", "file-missing", "file …/grub.cfg not found for 10.77.0.12"),
        "grub.cfg: is missing",
        SITE,
        ("file-not-served",),
        problem("grub.cfg", "is missing"),
    ),
    Fault("tree-damaged", healthy(), "pipe: is a named pipe", SITE, changes=problem("pipe", "is a named pipe")),
    Fault(
        "other-network",
        stopped("network", "no-nic", "no network card has the address 52:54:00:77:00:ee"),
        "MAC: host.cpio has '52:54:00:77:00:ee', the inventory '52:54:00:77:00:12'",
        SITE,
        ("no-network-card",),
        {f"{HOST_CONF}/DISKLESS_MAC": "52:54:00:77:00:ee"},
    ),
    Fault(
        "other-monitors",
        stopped("map", "unreachable", "no answer from the monitors 10.77.0.9:3300"),
        "host.cpio: 10.77.0.9:3300",
        SITE,
        ("monitors-silent", "monitors-unreachable"),
        {f"{HOST_CONF}/DISKLESS_MONITORS": "10.77.0.9:3300", "network/monitors": {"10.77.0.9:3300": "timeout"}},
    ),
    Fault(
        "other-image",
        stopped("map", "no-image", "image diskless/udoo1/root does not exist"),
        "NAMESPACE: host.cpio has 'udoo1'",
        SITE,
        ("image-not-found",),
        {f"{HOST_CONF}/DISKLESS_NAMESPACE": "udoo1"},
    ),
    Fault(
        "key-differs",
        stopped("map", "auth", "Ceph refuses client.diskless.udoo2"),
        "host.cpio: SHA-256 1111111111111111",
        SITE,
        ("refused-by-ceph",),
        {"boot/me/key_fingerprint": "1111111111111111"},
    ),
    Fault(
        "other-settings",
        healthy(),
        "BOOT_TIMEOUT: host.cpio has '900', the inventory '600'",
        SITE,
        changes={f"{HOST_CONF}/DISKLESS_BOOT_TIMEOUT": "900"},
    ),
    Fault(
        "cluster-no-answer",
        stopped("map", "unreachable", "no answer from the monitors 10.77.0.1:3300"),
        "timed out",
        "ceph --connect-timeout 10",
        ("monitors-silent", "monitors-unreachable"),
        {"ceph": {"reached": False, "error": "timed out"}, "network/monitors": {"10.77.0.1:3300": "unreachable"}},
    ),
    Fault(
        "monitors-silent",
        stopped("map", "unreachable", "no answer from the monitors 10.77.0.1:3300"),
        "10.77.0.1:3300 from the boot network: timeout",
        "ip route get 10.77.0.1",
        ("monitors-unreachable",),
        {"network/monitors": {"10.77.0.1:3300": "timeout"}},
    ),
    Fault(
        "monitor-silent",
        healthy(),
        "10.77.0.2:3300 from the boot network: refused",
        "ip route get 10.77.0.2",
        changes={
            "network/monitors": {"10.77.0.1:3300": "ok", "10.77.0.2:3300": "refused"},
            f"{HOST_CONF}/DISKLESS_MONITORS": "10.77.0.1:3300,10.77.0.2:3300",
            "ceph/cluster/monitors": [{"v2": "10.77.0.1:3300"}, {"v2": "10.77.0.2:3300"}],
        },
    ),
    Fault(
        "osds-silent",
        stopped("map", "timeout", "the monitors answer, but …: are the OSDs up?"),
        "rbd: timed out",
        "ceph osd tree down",
        ("map-hangs",),
        {"ceph/error": "rbd: timed out", "ceph/me/image/exists": None, "ceph/me/locks": None},
    ),
    Fault(
        "cluster-paused",
        stopped("map", "timeout", "the monitors answer, but …"),
        "flags: pauserd, pausewr",
        "ceph osd unpause",
        ("map-hangs",),
        {"ceph/cluster/flags": ["pauserd", "pausewr", "sortbitwise"]},
    ),
    Fault(
        "cluster-full",
        stopped("root", "mount", "EXT4-fs (rbd0): error loading journal"),
        "flag full",
        "ceph df",
        ("cluster-error", "root-damaged"),
        {
            "ceph/cluster/flags": ["full"],
            "ceph/cluster/health": "HEALTH_ERR",
            "ceph/cluster/checks": [{"code": "POOL_FULL", "severity": "HEALTH_ERR", "summary": "1 pool(s) full"}],
        },
    ),
    Fault(
        "data-unavailable",
        stopped("map", "timeout", "the monitors answer, but …: are the OSDs up?"),
        "PG_AVAILABILITY: Reduced data availability",
        "ceph health detail",
        ("map-hangs",),
        {
            "ceph/cluster/checks": [
                {
                    "code": "PG_AVAILABILITY",
                    "severity": "HEALTH_WARN",
                    "summary": "Reduced data availability: 8 pgs inactive",
                }
            ]
        },
    ),
    Fault(
        "cluster-error",
        healthy(),
        "MDS_ALL_DOWN: 1 filesystem is offline",
        "ceph health detail",
        changes={
            "ceph/cluster/health": "HEALTH_ERR",
            "ceph/cluster/checks": [
                {"code": "MDS_ALL_DOWN", "severity": "HEALTH_ERR", "summary": "1 filesystem is offline"}
            ],
        },
    ),
    Fault(
        "monitor-clocks",
        healthy(),
        "MON_CLOCK_SKEW: clock skew detected on mon.b",
        "time-sync-status",
        changes={
            "ceph/cluster/checks": [
                {"code": "MON_CLOCK_SKEW", "severity": "HEALTH_WARN", "summary": "clock skew detected on mon.b"}
            ]
        },
    ),
    Fault(
        "user-missing",
        stopped("map", "auth", "Ceph refuses client.diskless.udoo2"),
        "no client.diskless.udoo2",
        SITE,
        ("refused-by-ceph",),
        {"ceph/me/user": {"name": "client.diskless.udoo2", "exists": False}},
    ),
    Fault(
        "caps-missing",
        stopped("map", "auth", "Ceph refuses client.diskless.udoo2"),
        "missing: osd: profile rbd",
        SITE,
        ("refused-by-ceph",),
        {"ceph/me/user/caps_missing": ["osd: profile rbd pool=diskless namespace=udoo2 network 10.77.0.12/32"]},
    ),
    Fault(
        "cannot-blocklist",
        stopped("map", "auth", "Ceph refuses client.diskless.udoo2"),
        "owner of the lock of diskless/udoo2/root: client.4001",
        SITE,
        ("lock-of-dead-owner", "refused-by-ceph", "caps-missing"),
        {
            "ceph/me/user/can_blocklist_itself": False,
            "ceph/me/locks": [FORMER],
            "ceph/me/owner_alive": False,
            "ceph/me/user/caps_missing": ['mon: allow command "osd blocklist" with blocklistop=add …'],
        },
    ),
    Fault(
        "image-missing",
        stopped("map", "no-image", "image diskless/udoo2/root does not exist"),
        "no image diskless/udoo2/root",
        "rbd ls --long diskless/udoo2",
        ("image-not-found",),
        {"ceph/me/image": {"name": "diskless/udoo2/root", "exists": False, "problems": ["no such image"]}},
    ),
    Fault(
        "image-unmappable",
        stopped("map", "unsupported-features", "image … has features that kernel 6.1 cannot map: journaling"),
        "no kernel maps journaling",
        "rbd feature disable diskless/udoo2/root journaling",
        ("features-refused",),
        {
            "ceph/me/image/features": ["layering", "exclusive-lock", "journaling"],
            "ceph/me/image/problems": ["kernel 6.1 cannot map it: no kernel maps journaling"],
        },
    ),
    Fault(
        "lock-owner-alive",
        stopped("map", "timeout", "the monitors answer, but …"),
        "10.77.0.11 is the address of udoo1",
        "rbd status diskless/udoo2/root",
        ("map-hangs",),
        {"ceph/me/locks": [ELSEWHERE], "ceph/me/owner_alive": True},
    ),
    Fault(
        "lock-lost",
        healthy(),
        f"client of the running host: {CLIENT}",
        "diskless.ceph.reboot",
        changes={"ceph/me/locks": [ELSEWHERE], "ceph/me/owner_alive": False},
    ),
    Fault(
        "lock-by-hand",
        stopped("map", "unknown", "mapping diskless/udoo2/root failed"),
        "without a watch",
        "rbd lock ls diskless/udoo2/root",
        ("map-failed",),
        {
            "ceph/me/locks": [{**ELSEWHERE, "cookie": None}],
            "ceph/me/owner_alive": None,
            "ceph/me/image/problems": ["it was locked by hand (rbd lock add, 'x'): a kernel takes over …"],
        },
    ),
    Fault(
        "lock-of-dead-owner",
        stopped("map", "timeout", "the monitors answer, but …"),
        "owner of the lock: client.5000, 10.77.0.11:0/777",
        "diskless.ceph.recover_host",
        ("map-hangs",),
        {"ceph/me/locks": [ELSEWHERE], "ceph/me/owner_alive": False},
    ),
    Fault(
        "fenced",
        stopped("map", "blocklisted", "Ceph has blocklisted this host (10.77.0.12/24)"),
        "range 10.77.0.0/24 until",
        "-e recover_host_lift_ranges=10.77.0.0/24",
        ("blocklisted-at-boot",),
        {
            "ceph/me/blocklist": [
                {"address": "10.77.0.0/24", "kind": "range", "until": "2025-11-23T09:00:00Z", "fence": True}
            ]
        },
    ),
    Fault(
        "client-blocklisted",
        healthy(),
        f"client {CLIENT} until",
        "diskless.ceph.reboot",
        ("kernel-client-shut-out",),
        {
            "host/kernel_log": [KERNEL_FINDING],
            "ceph/me/blocklist": [
                {"address": CLIENT, "kind": "client", "until": "2025-11-23T09:00:00Z", "fence": False}
            ],
        },
    ),
    Fault(
        "ignored-by-dhcp",
        stopped("dhcp", "ignored", "DHCPDISCOVER(eth0) 52:54:00:77:00:12 ignored"),
        "dhcp not reached: ignored: DHCPDISCOVER",
        "restart diskless-dnsmasq",
    ),
    Fault(
        "address-taken",
        stopped("dhcp", "no-address", "DHCPDISCOVER(eth0) 52:54:00:77:00:12 no address available"),
        "no-address",
        "ip neighbour show 10.77.0.12",
    ),
    Fault(
        "nothing-fetched",
        stopped("loader", "silent", "DHCPACK(eth0) 10.77.0.12 52:54:00:77:00:12", "late"),
        "loader not reached: silent",
        "nft list table inet diskless",
    ),
    Fault(
        "file-not-served",
        stopped("loader", "file-missing", "file …/1a2b3c4d/start4.elf not found for 10.77.0.12"),
        "start4.elf not found",
        SITE,
    ),
    Fault(
        "file-unreadable",
        stopped(
            "loader", "file-unreadable", "cannot access /run/diskless/tftp/10.77.0.12/grub/host.cpio: Permission denied"
        ),
        "Permission denied",
        SITE,
    ),
    Fault(
        "transfer-broken",
        stopped("loader", "tftp-timeout", "failed sending …/vmlinuz to 10.77.0.12"),
        "failed sending",
        f"diskless-status --host {NAME}",
    ),
    Fault(
        "silent-kernel",
        stopped("kernel", "silent", "sent …/initrd.img-6.1.0-39-amd64 to 10.77.0.12", "late"),
        "silent: sent",
        f"ansible log1 -i inventory.yml -a 'diskless-status --host {NAME}'",
    ),
    Fault(
        "bad-initramfs",
        stopped("network", "bad-initramfs", "Initramfs unpacking failed: write error"),
        "unpacking failed",
        SITE,
    ),
    Fault("no-host-conf", stopped("network", "no-config", "no /etc/diskless/host.conf and key"), "no-config", SITE),
    Fault(
        "no-network-card",
        stopped("network", "no-nic", "no network card has the address 52:54:00:77:00:12; found: none"),
        "found: none",
        "diskless-status",
    ),
    Fault(
        "no-link",
        stopped("network", "no-carrier", "eno1 has no link after 20 s: cable or switch port?"),
        "has no link",
        "diskless-status",
    ),
    Fault(
        "refused-by-ceph",
        stopped("map", "auth", "Ceph refuses client.diskless.udoo2: wrong key"),
        "auth: Ceph refuses",
        SITE,
    ),
    Fault(
        "image-not-found",
        stopped("map", "no-image", "image diskless/udoo2/root does not exist"),
        "no-image",
        "rbd info diskless/udoo2/root",
    ),
    Fault(
        "features-refused",
        stopped("map", "unsupported-features", "image … has features that kernel 5.10 cannot map"),
        "cannot map",
        "rbd info diskless/udoo2/root",
    ),
    Fault(
        "blocklisted-at-boot",
        stopped("map", "blocklisted", "Ceph has blocklisted this host (10.77.0.12/24)"),
        "blocklisted",
        "ceph osd blocklist ls",
    ),
    Fault(
        "monitors-unreachable",
        stopped("map", "unreachable", "no answer from the monitors 10.77.0.1:3300"),
        "no answer",
        "ceph --connect-timeout 10 mon dump",
    ),
    Fault(
        "map-hangs",
        stopped("map", "timeout", "the monitors answer, but the kernel has not finished mapping"),
        "has not finished",
        "ceph health detail",
    ),
    Fault(
        "map-failed",
        stopped("map", "unknown", "mapping diskless/udoo2/root failed: write error: Invalid argument"),
        "Invalid argument",
        "diskless-status",
    ),
    Fault(
        "root-damaged",
        stopped("root", "fsck", "/dev/rbd0: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY."),
        "fsck: /dev/rbd0",
        "-e recover_host_fsck=true",
    ),
    Fault(
        "root-unusable",
        stopped("root", "no-init", "the root file system has no init that can be started"),
        "no init",
        "rbd info diskless/udoo2/root",
    ),
    Fault(
        "userspace-waits",
        stopped("userspace", "waiting", "systemd waits for stuck.service/start", "late"),
        "stuck.service",
        "systemctl list-jobs",
    ),
    Fault(
        "unit-failed-at-boot",
        stopped("userspace", "unit-failed", "data.mount has failed: exit-code"),
        "data.mount",
        "systemctl --failed",
    ),
    Fault(
        "systemd-gave-up",
        stopped("userspace", "emergency-mode", "systemd[1]: Reached target Emergency Mode"),
        "Emergency",
        "diskless-status",
    ),
    Fault(
        "panic",
        stopped("network", "panic", "Kernel panic - not syncing: Attempted to kill init!"),
        "Kernel panic",
        "diskless-status",
    ),
    Fault(
        "kernel-fault",
        stopped("userspace", "lockup", "watchdog: BUG: soft lockup - CPU#0 stuck"),
        "soft lockup",
        "diskless-status",
    ),
    Fault(
        "out-of-memory",
        stopped("userspace", "out-of-memory", "Out of memory: Killed process 1234"),
        "Killed process",
        "diskless-status",
    ),
    Fault(
        "io-hangs",
        stopped("userspace", "io-error", "I/O error, dev rbd0, sector 2048"),
        "dev rbd0",
        "ceph health detail",
    ),
    Fault(
        "boot-stopped",
        stopped("userspace", "silent", "EXT4-fs (rbd0): mounted filesystem", "late"),
        "userspace not reached: silent",
        "diskless-status",
    ),
    Fault("boots-again-and-again", starts_over(), "4 boots before this one", "diskless-status"),
    Fault(
        "other-root",
        healthy(),
        "root of the running host: diskless/udoo1/root",
        "cat /run/diskless/host.conf",
        changes={"host/root/namespace": "udoo1"},
    ),
    Fault(
        "root-read-only",
        healthy(),
        "mounted read-only",
        "dmesg",
        ("failed-units",),
        {"host/root/read_only": True, "host/failed_units": ["logrotate.service"]},
    ),
    Fault(
        "boot-not-mounted",
        healthy(),
        "/boot is not mounted",
        f"ansible {NAME} -i inventory.yml -a 'systemctl start boot.mount'",
        changes={"host/boot_mounted": False},
    ),
    Fault("exitrd-missing", healthy(), "/run/initramfs/shutdown", "diskless-status", changes={"host/exitrd": False}),
    Fault(
        "failed-units",
        healthy(),
        "data.mount",
        "systemctl status --no-pager data.mount",
        changes={"host/failed_units": ["data.mount"]},
    ),
    Fault(
        "kernel-client-shut-out",
        healthy(),
        "blocklisted, 3 times: ceph: mds0 blocklisted",
        "dmesg",
        changes={"host/kernel_log": [KERNEL_FINDING]},
    ),
    Fault("clock-wrong", healthy(), "it is at least 3600 s behind", "timedatectl", changes={"host/clock": NOW - 3600}),
    Fault("mtu-differs", healthy(), f"{NAME}: 9000 bytes", "ip link show", changes={"host/mtu": 9000}),
)
