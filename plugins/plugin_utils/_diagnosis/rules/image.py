# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is there an image, can a kernel map it, and does somebody else have it?"""

from __future__ import annotations

from typing import Any

from ....module_utils._osd_blocklist_address import parse_instance
from ....module_utils._rbd_features import CHANGEABLE, unmappable
from ..evidence import Evidence, NotKnown
from ..verdict import CERTAIN, PROBABLE, Finding, Fine, Rule

BY_HAND = "it was locked by hand"  # how host_storage_info begins what the rule of the lock tells better
# A client that died is a watcher for 30 s (osd_client_watch_timeout), and a little longer until an OSD looks.
_WATCH_SECONDS = 60


def image(evidence: Evidence) -> Finding | Fine:
    """The root itself."""
    if evidence.need(bool, "ceph", "image", "exists"):
        return Fine(f"there is {evidence.image}")
    said = evidence.get(list, "ceph", "image", "problems") or []
    return Finding(
        "image-missing",
        "The root image of the host does not exist.",
        (f"no image {evidence.image}", *map(str, said)),
        "Look whether it has another name or is in the trash, and bring it back. If the host is to start anew, the "
        "site playbook makes a new one from the golden image.",
        evidence.commands.rbd("ls", "--long", f"{evidence.spec.pool}/{evidence.spec.namespace}"),
        CERTAIN,
    )


def features(evidence: Evidence) -> Finding | Fine:
    """A kernel refuses an image with a feature that it does not know."""
    problems = [str(each) for each in _existing(evidence, "problems") if not str(each).startswith(BY_HAND)]
    found = [str(feature) for feature in _existing(evidence, "features")]
    if not problems:
        return Fine(f"kernel {evidence.spec.kernel} maps {', '.join(found)}")
    wrong = [name for name in CHANGEABLE if name in found and unmappable([name], evidence.spec.kernel)]
    rbd = evidence.commands.rbd
    return Finding(
        "image-unmappable",
        "The kernel of the host cannot map the image as it is.",
        (f"features of {evidence.image}: {', '.join(found)}", *problems),
        "Disable the features that it names. The image keeps its data."
        if wrong
        else "Look at the image: this cannot be switched off; a copy without it can be made.",
        rbd("feature", "disable", evidence.image, *wrong) if wrong else rbd("info", evidence.image),
        CERTAIN,
    )


def lock(evidence: Evidence) -> Finding | Fine:
    """Whose is it, and is that one alive?"""
    locks = evidence.need(list, "ceph", "locks")
    if not locks:
        return Fine("nobody holds the lock")
    held: dict[str, Any] = locks[0]
    client = evidence.get(str, "host", "root", "client")
    if client is not None:
        return _of_running_host(evidence, held, client)
    if held.get("cookie") is None:
        return _by_hand(evidence, held)
    elsewhere = _ip(held) != evidence.spec.address
    if evidence.need(bool, "ceph", "owner_alive"):
        if elsewhere or _waits_too_long(evidence):
            return _alive(evidence, held)
        return Fine(f"{_owner(held)}: the host itself, or its former self, which was there a moment ago")
    return _dead(evidence, held, elsewhere)


def _of_running_host(evidence: Evidence, held: dict[str, Any], client: str) -> Finding | Fine:
    if parse_instance(held["address"]) == parse_instance(client):
        return Fine(f"the host itself holds it: {_owner(held)}")
    if evidence.get(bool, "ceph", "owner_alive"):
        return _alive(evidence, held)
    return Finding(
        "lock-lost",
        "The host runs, and the lock of its image is not its own: it cannot write.",
        (f"owner of the lock: {_owner(held)}", f"client of the running host: {client}"),
        "Find out who took the lock. Reboot the host; what it has not written is lost.",
        evidence.commands.playbook("reboot"),
        CERTAIN,
        ("client-blocklisted", "fenced", "cannot-blocklist"),
    )


def _alive(evidence: Evidence, held: dict[str, Any]) -> Finding:
    address = _ip(held)
    name = evidence.name_of(address)
    if address == evidence.spec.address:
        text = "A client at the host's own address holds its image and is alive, and it is not the system that boots."
        fact = f"{address} is the address of {evidence.name} itself"
    else:
        text = "Another machine runs from the root image of the host, and is alive."
        fact = f"{address} is the address of {name}" if name else f"{address} is no address of the inventory"
    return Finding(
        "lock-owner-alive",
        text,
        (f"owner of the lock: {_owner(held)}, which watches the image", fact),
        "Stop that machine, or give it an identity of its own. Do not break the lock as long as it is alive: it would "
        "lose what it writes.",
        evidence.commands.rbd("status", evidence.image),
        CERTAIN,
    )


def _dead(evidence: Evidence, held: dict[str, Any], elsewhere: bool) -> Finding | Fine:
    if not elsewhere and evidence.need(bool, "ceph", "user", "can_blocklist_itself"):
        return Fine(f"{_owner(held)}, which is dead, left it; the host breaks it at its next boot by itself")
    return Finding(
        "lock-of-dead-owner",
        "A client that is dead holds the lock of the image, and the host may not break it.",
        (f"owner of the lock: {_owner(held)}", "no such client watches the image"),
        "recover_host blocklists exactly that client and breaks its lock, once it is proven that nobody is alive.",
        evidence.commands.recover(),
        CERTAIN,
        ("cannot-blocklist", "user-missing"),
    )


def _by_hand(evidence: Evidence, held: dict[str, Any]) -> Finding:
    return Finding(
        "lock-by-hand",
        "Somebody has locked the image by hand (rbd lock add): no kernel takes such a lock over.",
        (f"owner of the lock: {_owner(held)}, without a watch",),
        "Ask who has set it and why, and have it removed: 'rbd lock ls' names the lock, 'rbd lock rm' takes it away.",
        evidence.commands.rbd("lock", "ls", evidence.image),
        PROBABLE,
    )


def _owner(held: dict[str, Any]) -> str:
    return f"{held['owner']}, {held['address']}"


def _ip(held: dict[str, Any]) -> str:
    return str(parse_instance(held["address"]).ip)


def _waits_too_long(evidence: Evidence) -> bool:
    """Tell whether the host has been waiting for its image for longer than a dead owner could count as alive."""
    if evidence.stopped_before() != "map":
        return False
    _began, ended = evidence.asked()
    return ended - evidence.number("boot_log", "since") > _WATCH_SECONDS


def _existing(evidence: Evidence, what: str) -> list[Any]:
    if evidence.get(bool, "ceph", "image", "exists") is False:
        raise NotKnown("there is no image")
    return evidence.need(list, "ceph", "image", what)


RULES = (
    Rule("image", "The root image exists", ("map",), image),
    Rule("features", "The kernel can map the image", ("map", "root"), features),
    Rule("lock", "Nobody else holds the lock of the image", ("map", "root", "ready"), lock),
)
