# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the boot log says by itself: the stage that is not reached, and the reason that host or boot server gave.

The reasons are those of roles/initramfs (boot.sh, network.sh, rbd.sh, root.sh) and of the boot log (dnsmasq.py,
kernel_signs.py, host.py). Where another rule has found what is behind one of them, this is its consequence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..evidence import Evidence, NotKnown, Trouble
from ..verdict import CERTAIN, MINOR, POSSIBLE, PROBABLE, Finding, Fine, Rule
from .cluster import CLUSTER_STOPPED

STAGES = ("dhcp", "loader", "kernel", "network", "map", "root", "userspace", "ready", "shutdown", "unmapped")
_FIRST_BLOCKLIST_RELEASE = 16  # before that it was called blacklist
_NOTHING_SERVED = ("boot-server-down", "not-admitted", "tree-missing", "not-linked")
_WRONG_FILES = (
    *("tree-missing", "not-linked", "named-file-missing", "file-damaged", "host-cpio-broken"),
    *("loader-configuration-wrong", "tree-damaged"),
)
_NO_CLUSTER = ("cluster-no-answer", "monitors-silent", "osds-silent", *CLUSTER_STOPPED)
_NO_WRITING = (*_NO_CLUSTER, "fenced", "client-blocklisted", "lock-owner-alive", "lock-lost")
_NO_MAPPING = (*_NO_WRITING, "lock-of-dead-owner", "lock-by-hand", "cannot-blocklist", "image-unmappable")


@dataclass(frozen=True)
class Sign:
    """What a reason means.

    reasons: words of the boot log. stages: where it has to be said; anywhere if empty.
    text, remedy: may name {host}, {mac}, {address}, {image} and {user}.
    command: makes what to type.
    """

    cause: str
    reasons: tuple[str, ...]
    text: str
    remedy: str
    command: Callable[[Evidence], str]
    likelihood: int = PROBABLE
    stages: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    def fits(self, trouble: Trouble) -> bool:
        """Tell whether the trouble is of this kind."""
        return trouble.reason in self.reasons and (not self.stages or trouble.stage in self.stages)

    def finding(self, evidence: Evidence, trouble: Trouble) -> Finding:
        """Return it in words."""
        spec = evidence.spec
        names = {"mac": spec.mac, "address": spec.address, "image": evidence.image, "user": spec.cephx_user}
        return Finding(
            self.cause,
            self.text.format(host=evidence.name, **names),
            (trouble.line,),
            self.remedy.format(host=evidence.name, **names),
            self.command(evidence),
            self.likelihood,
            self.explained_by,
        )


def _site(evidence: Evidence) -> str:
    return evidence.commands.site


def _log(evidence: Evidence) -> str:
    return evidence.commands.log()


def _check_root(evidence: Evidence) -> str:
    return evidence.commands.recover(fsck="true")


def _restart_dnsmasq(evidence: Evidence) -> str:
    return evidence.commands.on_boot_server("systemctl", "restart", "diskless-dnsmasq.service")


def _neighbour(evidence: Evidence) -> str:
    return evidence.commands.on_boot_server("ip", "neighbour", "show", evidence.spec.address)


def _packet_filter(evidence: Evidence) -> str:
    return evidence.commands.on_boot_server("nft", "list", "table", "inet", "diskless")


def _health(evidence: Evidence) -> str:
    return evidence.commands.ceph("health", "detail")


def _blocklist(evidence: Evidence) -> str:
    release = evidence.get(int, "cluster", "release")
    word = "blacklist" if release is not None and release < _FIRST_BLOCKLIST_RELEASE else "blocklist"
    return evidence.commands.ceph("osd", word, "ls")


def _image_info(evidence: Evidence) -> str:
    return evidence.commands.rbd("info", evidence.image)


def _jobs(evidence: Evidence) -> str:
    return evidence.commands.on_host("systemctl", "list-jobs")


def _failed_units(evidence: Evidence) -> str:
    return evidence.commands.on_host("systemctl", "--failed", "--no-pager")


DHCP = (
    Sign(
        "ignored-by-dhcp",
        ("ignored",),
        "The boot server does not answer the DHCP requests of the host.",
        "Restart dnsmasq, which has not read its list of hosts; if that is of no use, run the site playbook.",
        _restart_dnsmasq,
        CERTAIN,
        explained_by=_NOTHING_SERVED,
    ),
    Sign(
        "address-taken",
        ("no-address", "refused", "declined"),
        "The host does not get its address {address}: another machine has or leases it.",
        "Find the machine that has {address} and give it another address. A lease ends after two minutes.",
        _neighbour,
        CERTAIN,
        explained_by=("not-admitted",),
    ),
    Sign(
        "nothing-fetched",
        ("silent",),
        "The firmware has got an address, and fetches nothing.",
        "Look whether another DHCP server tells it what to boot, and whether the packet filter of the boot server "
        "drops its requests: it counts them.",
        _packet_filter,
        stages=("loader",),
        explained_by=_NOTHING_SERVED,
    ),
)

LOADER = (
    Sign(
        "file-not-served",
        ("file-missing",),
        "The loader asks for a file that the boot server does not have for it.",
        "Run the site playbook, which writes the boot tree. If a Raspberry Pi asks in a directory that is not its own, "
        "correct diskless_serial.",
        _site,
        CERTAIN,
        explained_by=_WRONG_FILES,
    ),
    Sign(
        "file-unreadable",
        ("file-unreadable",),
        "The boot server may not read a file that the loader asks for.",
        "Run the site playbook, which sets owner and mode of its files; those of a kernel have to be readable for all.",
        _site,
        CERTAIN,
        explained_by=_WRONG_FILES,
    ),
    Sign(
        "transfer-broken",
        ("tftp-error", "tftp-timeout"),
        "The transfer of a file to the loader does not come to its end.",
        "The loader tries again. If that is of no use, look for lost packets, at the switch port, and for an MTU that "
        "is not the same everywhere; a file may also be too large for the loader.",
        _log,
        explained_by=("mtu-differs", *_WRONG_FILES),
    ),
)

KERNEL = (
    Sign(
        "silent-kernel",
        ("silent",),
        "The host was sent its kernel and initramfs and has said nothing since: the kernel does not start, or the "
        "initramfs finds no network card.",
        "Look at its console. Compare diskless_mac and initramfs_modules with the hardware, and whether kernel and "
        "initramfs belong together. Without diskless_netconsole this host would always be silent.",
        _log,
        stages=("kernel", "network"),
        explained_by=(*_WRONG_FILES, "versions-differ", "other-network"),
    ),
    Sign(
        "bad-initramfs",
        ("bad-initramfs",),
        "The kernel cannot unpack the initramfs, or host.cpio.",
        "Run the site playbook, which writes host.cpio. If it is the initramfs, go back to the one before in "
        "kernel.cfg, and make the new one again on the host (update-initramfs -u).",
        _site,
        CERTAIN,
        explained_by=_WRONG_FILES,
    ),
    Sign(
        "no-host-conf",
        ("no-config",),
        "The initramfs has no host.conf and no key: the loader has not loaded host.cpio.",
        "Run the site playbook, which writes host.cpio and the loader's configuration.",
        _site,
        CERTAIN,
        explained_by=_WRONG_FILES,
    ),
)

NETWORK = (
    Sign(
        "no-network-card",
        ("no-nic",),
        "The initramfs finds no network card with the MAC address {mac}.",
        "Correct diskless_mac if the card has another address. Otherwise its driver is missing: add it to "
        "initramfs_modules and apply the role initramfs.",
        _log,
        CERTAIN,
        explained_by=("other-network", "versions-differ"),
    ),
    Sign(
        "no-link",
        ("no-carrier",),
        "The network card of the host has no link.",
        "Look at cable and switch port.",
        _log,
        CERTAIN,
    ),
)

MAP = (
    Sign(
        "refused-by-ceph",
        ("auth",),
        "Ceph refuses {user}.",
        "Run the site playbook, which writes key and caps. The host goes on by itself at its next try.",
        _site,
        explained_by=(
            *("user-missing", "key-differs", "other-image", "other-network", "caps-missing", "lock-of-dead-owner"),
            "cannot-blocklist",
        ),
    ),
    Sign(
        "image-not-found",
        ("no-image",),
        "The host does not find the image {image}.",
        "Look what there is in its namespace; the site playbook makes what is missing.",
        _image_info,
        explained_by=("image-missing", "other-image"),
    ),
    Sign(
        "features-refused",
        ("unsupported-features",),
        "The kernel of the host cannot map the image {image}.",
        "Disable the features that it names, or boot a kernel that has them.",
        _image_info,
        explained_by=("image-unmappable", "other-image"),
    ),
    Sign(
        "blocklisted-at-boot",
        ("blocklisted",),
        "Ceph has blocklisted the host.",
        "Look which entry hits {address}. One for a single client is that of a former boot and hits no other.",
        _blocklist,
        explained_by=("fenced", "client-blocklisted", "lock-owner-alive"),
    ),
    Sign(
        "monitors-unreachable",
        ("unreachable",),
        "No monitor answers the host.",
        "Look whether the monitors run and whether packets get there from the boot network: diskless_gateway, packet "
        "filters. The host goes on by itself when they answer.",
        lambda evidence: evidence.commands.ceph("--connect-timeout", "10", "mon", "dump"),
        explained_by=("other-monitors", "other-network", "mtu-differs", *_NO_CLUSTER),
    ),
    Sign(
        "map-failed",
        ("unknown",),
        "The kernel of the host does not map {image}, and the initramfs does not know why.",
        "Read what the kernel says in the boot log around that line.",
        _log,
        stages=("map",),
        explained_by=_NO_MAPPING,
    ),
    Sign(
        "map-hangs",
        ("timeout",),
        "The monitors answer the host, and mapping its image does not come to an end.",
        "Look at the OSDs, the lock of the image, and the MTU between the host and the OSDs. It goes on by itself.",
        _health,
        explained_by=(*_NO_MAPPING, "mtu-differs"),
    ),
)

ROOT = (
    Sign(
        "root-damaged",
        ("fsck", "mount", "no-filesystem", "damaged-root", "read-only"),
        "The root file system is damaged, or there is none on the image.",
        "Let recover_host check and repair it while the host is off. If that is of no use, rollback_root goes back to "
        "a snapshot, and reimage starts anew.",
        _check_root,
        CERTAIN,
        explained_by=(*_NO_WRITING, "image-unmappable"),
    ),
    Sign(
        "root-unusable",
        ("no-init", "no-root", "no-device"),
        "The root file system has no system that can be started, or there is no root at all.",
        "Look whether it is the right image; go back to a snapshot, or make a new one from the golden image.",
        _image_info,
        CERTAIN,
        explained_by=("other-image", "host-cpio-broken", "versions-differ"),
    ),
)

USERSPACE = (
    Sign(
        "userspace-waits",
        ("waiting",),
        "systemd waits for a unit that does not come to its end.",
        "Look at the unit that it names; mask it if the host can do without.",
        _jobs,
        stages=("userspace", "ready"),
        explained_by=(*_NO_WRITING, "nfs-down", "not-exported"),
    ),
    Sign(
        "unit-failed-at-boot",
        ("unit-failed",),
        "systemd could not start a unit that the boot needs.",
        "Look at the unit that it names.",
        _failed_units,
        explained_by=(*_NO_WRITING, "nfs-down", "not-exported"),
    ),
    Sign(
        "systemd-gave-up",
        ("emergency-mode", "init-frozen"),
        "systemd has given up the boot.",
        "Read on its console or in the boot log which unit it needed, often a mount of /etc/fstab; correct that on the "
        "image, or go back to a snapshot.",
        _log,
        CERTAIN,
        explained_by=_NO_WRITING,
    ),
)

KERNEL_FAULTS = (
    Sign(
        "panic",
        ("panic",),
        "The kernel has given up.",
        "Read the lines before it in the boot log. If a new kernel does this, name the one before in kernel.cfg.",
        _log,
        CERTAIN,
        explained_by=("versions-differ", "host-cpio-broken", "file-damaged"),
    ),
    Sign(
        "kernel-fault",
        ("kernel-bug", "lockup"),
        "A fault in the kernel, a driver or the hardware.",
        "Read the lines around it in the boot log. Try another kernel; if several fail, test memory and power supply.",
        _log,
    ),
    Sign(
        "out-of-memory",
        ("out-of-memory",),
        "The host has not enough memory.",
        "Read in the boot log who was killed; start less, or give it more memory.",
        _log,
        POSSIBLE,
    ),
    Sign(
        "io-hangs",
        ("io-error", "hung-task"),
        "Reading or writing the root fails or hangs.",
        "Look at the cluster first, then at the network between the host and the OSDs.",
        _health,
        explained_by=(*_NO_WRITING, "cannot-blocklist", "mtu-differs"),
    ),
)

SIGNS = (*DHCP, *LOADER, *KERNEL, *NETWORK, *MAP, *ROOT, *USERSPACE, *KERNEL_FAULTS)
_BEHIND_ANYTHING = (*_NOTHING_SERVED, *_WRONG_FILES, "versions-differ", *_NO_WRITING, "power-off")


def _look(signs: tuple[Sign, ...], evidence: Evidence, stage: str) -> Finding | Fine:
    """Look for these signs. Without one, all is well as soon as this stage was reached."""
    trouble = evidence.trouble()
    sign = next((sign for sign in signs if trouble and sign.fits(trouble)), None)
    if trouble is None or sign is None:
        reached = evidence.need(str, "boot_log", "stage") if trouble is None else trouble.stage
        # A stage that is being tried has not been reached.
        if STAGES.index(reached) < STAGES.index(stage) + (trouble is not None):
            raise NotKnown(f"the boot has not come that far: {'at' if trouble is None else 'before'} stage {reached}")
        return Fine("the boot log knows of no trouble with it")
    if trouble.reason == "waiting" and evidence.get(str, "boot_log", "state") == "booting":
        return Fine(f"{trouble.text}, and not for long yet")
    return sign.finding(evidence, trouble)


def _rule(name: str, question: str, stages: tuple[str, ...], signs: tuple[Sign, ...], reached: str) -> Rule:
    return Rule(name, question, stages, lambda evidence: _look(signs, evidence, reached))


def other(evidence: Evidence) -> Finding | Fine:
    """Whatever the boot log calls a trouble and no sign knows."""
    trouble = evidence.trouble()
    if trouble is None or any(sign.fits(trouble) for sign in SIGNS):
        evidence.need(str, "boot_log", "stage")
        return Fine("the boot log knows of no other trouble")
    return Finding(
        "boot-stopped",
        f"The boot does not go on: the stage {trouble.stage} is not reached.",
        (trouble.line,),
        "Read its log around that line, and look at its console.",
        _log(evidence),
        POSSIBLE,
        _BEHIND_ANYTHING,
    )


def keeps_running(evidence: Evidence) -> Finding | Fine:
    """A host that boots again and again without having been shut down, and is not ready now."""
    state = evidence.need(str, "boot_log", "state")
    if state == "ready":
        return Fine("it is ready")
    boots = evidence.need(list, "boot_log", "boots")
    ended = 0
    following = boots[0]["began"] if boots else 0.0
    for boot in boots[1:]:
        reached = {stage["stage"] for stage in boot["stages"]}
        if reached & {"shutdown", "unmapped"} or following - boot["began"] > _LOOP_SECONDS:
            break
        ended += 1
        following = boot["began"]
    if ended < _LOOP_BOOTS:
        return Fine("it does not start over and over")
    troubles = [boot["trouble"] for boot in boots[: ended + 1] if boot["trouble"]]
    said = [f"{each['stage']} not reached: {each['reason']}: {each['text']}" for each in troubles]
    return Finding(
        "boots-again-and-again",
        "The host starts over and over and does not come to its end.",
        (f"{ended} boots before this one ended without a shutdown", *dict.fromkeys(said)),
        "Cure what its boots stop at. If they stop at nothing: power supply, watchdog, memory.",
        _log(evidence),
        MINOR,
        tuple(sign.cause for sign in SIGNS) + _BEHIND_ANYTHING + ("boot-stopped",),
    )


# The initramfs tries for diskless_boot_timeout, 10 min unless the inventory says otherwise, before it reboots.
_LOOP_SECONDS = 3600
_LOOP_BOOTS = 3

RULES = (
    _rule("dhcp", "DHCP answers the firmware", ("dhcp", "loader"), DHCP, "dhcp"),
    _rule("transfers", "The loader gets its files", ("loader", "kernel"), LOADER, "loader"),
    _rule("kernel", "The kernel starts and is heard", ("kernel", "network"), KERNEL, "kernel"),
    _rule("network", "The initramfs has a network", ("network",), NETWORK, "network"),
    _rule("map", "The image is mapped", ("map",), MAP, "map"),
    _rule("root", "The root is mounted", ("root",), ROOT, "root"),
    _rule("userspace", "systemd starts everything", ("userspace", "ready"), USERSPACE, "ready"),
    _rule("kernel-faults", "The kernel has no faults", (), KERNEL_FAULTS, "kernel"),
    Rule("other-trouble", "The boot goes on", (), other),
    Rule("boot-loop", "The host does not start over and over", (), keeps_running),
)
