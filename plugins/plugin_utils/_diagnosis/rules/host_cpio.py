# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does host.cpio say what the inventory and Ceph say?"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from ..._host_conf import host_conf
from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, MINOR, POSSIBLE, Finding, Fine, Rule

_PREFIX = "DISKLESS_"
_CEPH = ("USER", "POOL", "NAMESPACE", "IMAGE", "MS_MODE")
_NETWORK = ("MAC", "ADDRESS", "GATEWAY")
_MONITORS = "MONITORS"


def ceph_settings(evidence: Evidence) -> Finding | Fine:
    """Which image, as whom, and by which protocol."""
    differs = _differences(evidence, _CEPH)
    if not differs:
        return Fine(f"image {evidence.image}, user {evidence.spec.cephx_user}")
    return Finding(
        "other-image",
        "host.cpio names another image or user than the inventory: the host maps what it must not, or nothing.",
        differs,
        "Run the site playbook, which writes host.cpio again.",
        evidence.commands.site,
        CERTAIN,
    )


def network_settings(evidence: Evidence) -> Finding | Fine:
    """The initramfs looks for a card with this MAC address, and takes this address."""
    differs = _differences(evidence, _NETWORK)
    if not differs:
        return Fine(f"{evidence.spec.mac}, {evidence.spec.address}/{evidence.spec.prefix}")
    return Finding(
        "other-network",
        "host.cpio has another network than the inventory: the initramfs finds no card, or the host nobody.",
        differs,
        "Run the site playbook, which writes host.cpio again.",
        evidence.commands.site,
        CERTAIN,
    )


def other_settings(evidence: Evidence) -> Finding | Fine:
    """What does not decide whether it boots."""
    wanted = _wanted(evidence)
    differs = _differences(evidence, [name for name in wanted if name not in (*_CEPH, *_NETWORK, _MONITORS)])
    if not differs:
        return Fine("all other settings are those of the inventory")
    return Finding(
        "other-settings",
        "host.cpio has settings that the inventory has no longer.",
        differs,
        "Run the site playbook, which writes host.cpio again.",
        evidence.commands.site,
        MINOR,
    )


def monitors(evidence: Evidence) -> Finding | Fine:
    """The kernel asks those that host.cpio names, and no other."""
    named = named_monitors(evidence)
    wanted = _wanted_monitors(evidence)
    if set(named) == set(wanted):
        return Fine(", ".join(named))
    left = [monitor for monitor in named if monitor in wanted]
    lost = [monitor for monitor in named if monitor not in wanted]
    text = "host.cpio names no monitor of the cluster: they have moved."
    if left:
        text = "host.cpio names not all monitors of the cluster, or some that are none."
    return Finding(
        "other-monitors",
        text,
        (f"host.cpio: {', '.join(named) or 'none'}", f"wanted: {', '.join(wanted)}"),
        "Run the site playbook, which writes the monitors that there are into host.cpio.",
        evidence.commands.site,
        CERTAIN if not left else POSSIBLE if lost else MINOR,
    )


def key(evidence: Evidence) -> Finding | Fine:
    """Compared by fingerprint: nobody needs to see it."""
    served = evidence.need(str, "boot", "key_fingerprint")
    valid = evidence.need(str, "ceph", "user", "key_fingerprint")
    if served == valid:
        return Fine(f"SHA-256 {valid}")
    return Finding(
        "key-differs",
        "The key in host.cpio is not the one that Ceph has: it was replaced, and the boot tree not written since.",
        (f"host.cpio: SHA-256 {served}", f"Ceph, {evidence.spec.cephx_user}: SHA-256 {valid}"),
        "Run the site playbook, which writes the key of Ceph into host.cpio.",
        evidence.commands.site,
        CERTAIN,
    )


def named_monitors(evidence: Evidence) -> list[str]:
    """Return the monitors that host.cpio names. Raises NotKnown."""
    return [monitor for monitor in _served(evidence).get(_MONITORS, "").split(",") if monitor]


def _wanted_monitors(evidence: Evidence) -> list[str]:
    """Return those that the site playbook would write: the inventory's, or the cluster's own for its protocol."""
    if evidence.spec.monitors:
        return list(evidence.spec.monitors)
    protocol = "v1" if evidence.spec.ms_mode == "legacy" else "v2"
    found = [monitor.get(protocol) for monitor in evidence.need(list, "cluster", "monitors")]
    wanted = [str(address) for address in found if address]
    if not wanted:
        raise NotKnown(f"Ceph tells no monitor that speaks {protocol}")
    return wanted


def _differences(evidence: Evidence, names: Iterable[str]) -> tuple[str, ...]:
    served, wanted = _served(evidence), _wanted(evidence)
    return tuple(
        f"{name}: host.cpio has {served.get(name, 'nothing')!r}, the inventory {wanted[name]!r}"
        for name in names
        if served.get(name) != wanted[name]
    )


def _served(evidence: Evidence) -> Mapping[str, str]:
    """Return the settings in host.cpio, by their names without prefix. Raises NotKnown."""
    found = evidence.need(dict, "boot", "host_conf")
    if not all(isinstance(value, str) for value in found.values()):
        raise NotKnown("the boot server does not tell all settings in host.cpio")
    return {str(name).removeprefix(_PREFIX): value for name, value in found.items()}


def _wanted(evidence: Evidence) -> dict[str, str]:
    """Return what the site playbook would write, but for the monitors."""
    lines = (line.partition("=") for line in host_conf(evidence.spec, ()).splitlines())
    return {name.removeprefix(_PREFIX): "".join(shlex.split(value)) for name, _sign, value in lines}


RULES = (
    Rule("host-network", "host.cpio has the network of the inventory", ("network", "map"), network_settings),
    Rule("host-monitors", "host.cpio has the monitors of the cluster", ("map",), monitors),
    Rule("host-image", "host.cpio has the image of the inventory", ("map",), ceph_settings),
    Rule("host-key", "host.cpio has the key of Ceph", ("map",), key),
    Rule("host-settings", "host.cpio has the settings of the inventory", (), other_settings),
)
