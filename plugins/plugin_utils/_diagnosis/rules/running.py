# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How is the system that runs, and what will hurt it at its next reboot?"""

from __future__ import annotations

import re

from ..evidence import Evidence
from ..verdict import MINOR, POSSIBLE, PROBABLE, Finding, Fine, Rule
from .cluster import CLUSTER_STOPPED

_NO_WRITING = ("client-blocklisted", "fenced", "lock-lost", *CLUSTER_STOPPED)
_CLOCK_SECONDS = 60  # certificates, Kerberos tickets and logs mind this much; a cephx ticket is valid for an hour
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]+")


def own_root(evidence: Evidence) -> Finding | Fine:
    """A host that was booted by hand, or from another boot server, runs from somewhere else."""
    device = evidence.need(str, "host", "root", "device")
    if device.startswith("/dev/rbd"):
        names = [evidence.need(str, "host", "root", key) for key in ("pool", "namespace", "image")]
        device = "/".join(names)
    if device == evidence.image:
        return Fine(f"its root is {device}")
    return Finding(
        "other-root",
        "The host runs from another root than the one that the inventory gives it.",
        (f"root of the running host: {device}", f"inventory: {evidence.image}"),
        f"Find out who has booted it so. If that image belongs to another host, switch {evidence.name} off at once.",
        evidence.commands.on_host("cat", "/run/diskless/host.conf"),
        PROBABLE,
        ("other-image",),
    )


def writable(evidence: Evidence) -> Finding | Fine:
    """A file system that has met an error lets nobody write any more."""
    if not evidence.need(bool, "host", "root", "read_only"):
        return Fine("it can be written")
    return Finding(
        "root-read-only",
        "The root of the running host is read-only, which it is after an error.",
        ("the root is mounted read-only",),
        "Read in its kernel log what the error was, cure that, and reboot the host: its root is checked then.",
        evidence.commands.on_host("dmesg", "--level", "err,warn"),
        PROBABLE,
        (*_NO_WRITING, "mtu-differs"),
    )


def boot_mounted(evidence: Evidence) -> Finding | Fine:
    """Kernel updates go there."""
    if evidence.need(bool, "host", "boot_mounted"):
        return Fine("/boot is the boot tree")
    return Finding(
        "boot-not-mounted",
        "/boot of the host is not its boot tree: a kernel update does not reach the boot server, and the next boot "
        "may have no modules.",
        ("/boot is not mounted",),
        "Mount it; the host tries by itself every minute. Then repeat updates that were made meanwhile: "
        "update-initramfs -u.",
        evidence.commands.on_host("systemctl", "start", "boot.mount"),
        MINOR,
        ("boot-server-down", "nfs-down", "not-exported", "tree-missing"),
    )


def exitrd(evidence: Evidence) -> Finding | Fine:
    """Without it a shutdown leaves the lock, and the next boot has to break it."""
    if not evidence.spec.exitrd:
        return Fine("the inventory switches it off (diskless_exitrd)")
    if evidence.need(bool, "host", "exitrd"):
        return Fine("the next shutdown releases the lock")
    return Finding(
        "exitrd-missing",
        "The host has no exitrd: its next shutdown leaves its lock behind, which the boot after that has to break.",
        ("/run/initramfs/shutdown is not there, or cannot be executed",),
        "Apply the role initramfs to the host, or look in its boot log why the exitrd was not installed; it is there "
        "again from its next boot on.",
        evidence.commands.log(),
        MINOR,
    )


def units(evidence: Evidence) -> Finding | Fine:
    """What systemd could not start or keep running."""
    failed = [str(unit) for unit in evidence.need(list, "host", "failed_units")]
    if not failed:
        return Fine("no unit has failed")
    named = [unit for unit in failed if _UNIT.fullmatch(unit)]
    return Finding(
        "failed-units",
        "Units of the running host have failed.",
        tuple(failed),
        "Look what they say, cure it and start them again.",
        evidence.commands.on_host("systemctl", "status", "--no-pager", *named),
        MINOR,
        ("boot-not-mounted", "nfs-down", "not-exported", "root-read-only", *_NO_WRITING),
    )


def kernel_log(evidence: Evidence) -> Finding | Fine:
    """What the kernel's Ceph clients have said (kernel_log_info)."""
    found = [
        one for one in evidence.need(list, "host", "kernel_log") if one["severity"] == "error" and not one["recovered"]
    ]
    if not found:
        return Fine("the kernel's Ceph clients are not shut out")
    facts = [f"{one['signature']}, {one['count']} times: {one['sample']}" for one in found]
    return Finding(
        "kernel-client-shut-out",
        f"A Ceph client of the running kernel is in trouble: {found[0]['meaning']}",
        tuple(facts),
        str(found[0]["remedy"]),
        evidence.commands.on_host("dmesg", "--level", "err,warn"),
        POSSIBLE,
        (*_NO_WRITING, "root-read-only"),
    )


def clock(evidence: Evidence) -> Finding | Fine:
    """Against the controller's, which has noted the time before and after it asked."""
    told = evidence.number("host", "clock")
    began, ended = evidence.asked()
    behind, ahead = began - told, told - ended
    if max(behind, ahead) <= _CLOCK_SECONDS:
        return Fine("it is that of the controller")
    seconds, word = (behind, "behind") if behind > 0 else (ahead, "ahead of")
    return Finding(
        "clock-wrong",
        "The clock of the host is wrong.",
        (f"it is at least {seconds:.0f} s {word} that of the controller",),
        "Let it take its time from the network. A board without a battery starts with an old time at each boot.",
        evidence.commands.on_host("timedatectl"),
        MINOR,
    )


def mtu(evidence: Evidence) -> Finding | Fine:
    """Where one side sends larger packets than the other takes, small ones pass and large ones vanish."""
    host, server = (evidence.need(int, source, "mtu") for source in ("host", "network"))
    if host == server:
        return Fine(f"{host} bytes on the host and on the boot server")
    return Finding(
        "mtu-differs",
        "The MTU of the host's network card is not that of the boot network: large packets vanish, small ones pass.",
        (f"{evidence.name}: {host} bytes", f"boot server: {server} bytes"),
        "Give all machines and switches of the boot network the same MTU.",
        evidence.commands.on_host("ip", "link", "show"),
        POSSIBLE // 2,
    )


RULES = (
    Rule("own-root", "The host runs from its own root", (), own_root),
    Rule("writable", "The root can be written", (), writable),
    Rule("boot-mounted", "/boot is mounted", (), boot_mounted),
    Rule("units", "No unit has failed", (), units),
    Rule("kernel-log", "The kernel's Ceph clients are well", (), kernel_log),
    Rule("exitrd", "The next shutdown releases the lock", (), exitrd),
    Rule("clock", "The clock is right", (), clock),
    Rule("mtu", "The MTU is that of the boot network", (), mtu),
)
