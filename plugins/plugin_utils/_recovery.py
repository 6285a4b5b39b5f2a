# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done so that a host that is off can boot again, in which order, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ._blocking_fences import blocking_fences, parse_ranges

LIFT_RANGES = "recover_host_lift_ranges"


@dataclass(frozen=True)
class Recovery:
    """The plan for one host. With problems nothing of it may be done.

    owner: client and address (client instance) of who holds the lock of the root image; None if nobody does.
    lift: the entries of the blocklist to remove at the end, as M(diskless.ceph.osd_blocklist) takes them.
    found: what there is, and steps: what is done about it, for people.
    """

    problems: list[str]
    owner: dict[str, str] | None
    lift: list[dict[str, str]]
    found: list[str]
    steps: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The plan in the types of JSON."""
        return asdict(self)


def plan_recovery(evidence: Mapping[str, Any]) -> Recovery:
    """Plan for one host from what playbooks have gathered; raises ValueError for ranges that are none.

    evidence: C(spec), its host spec. C(image), its root image as M(diskless.ceph.rbd_image_info) returns it, or None.
    C(off), the verdict of the filter host_off. C(lock_problems). C(blocklist), all entries. C(lift_ranges) that the
    user names. C(blocklist_expire). C(fsck), None or its C(host), C(repair) and C(snapshot). C(power_on) and
    C(can_switch_on).
    """
    spec, image, fsck = evidence["spec"], evidence["image"], evidence["fsck"]
    name, fence = spec["name"], f"{spec['address']}:0/0"
    fences = blocking_fences(
        name, spec["address"], evidence["blocklist"], parse_ranges(_listed(evidence["lift_ranges"])), LIFT_RANGES
    )
    # Whoever is switched on while its file system is checked must not get in.
    lift = list(dict.fromkeys([*fences.lift, *([fence] if fsck else [])]))
    lock = image["lock"] if image else None
    state = "alive until then" if evidence["off"]["switch_off"] else "dead"
    owner = f"{lock['locker']}, {lock['address']}, {state}" if lock else "nobody"
    problems = [*evidence["lock_problems"], *fences.problems]
    if image is None:
        spelled = "/".join((spec["pool"], spec["namespace"], spec["image"]))
        problems.append(f"{name} has no root image {spelled}; the site playbook makes one")
    return Recovery(
        problems=problems,
        owner={"client": lock["locker"], "address": lock["address"]} if lock else None,
        lift=[{"address": address, "state": "absent", "instances": "exact"} for address in lift],
        found=[
            f"{name} is off: {evidence['off']['proof']}",
            f"lock of its root image: {owner}",
            f"shut out by: {', '.join(fences.lift) or 'nothing'}",
        ],
        steps=_steps(evidence, lock, fence, lift),
    )


def _steps(evidence: Mapping[str, Any], lock: Mapping[str, Any] | None, fence: str, lift: Sequence[str]) -> list[str]:
    fsck, steps = evidence["fsck"], []
    if evidence["off"]["switch_off"]:
        steps.append("switch its power off")
    if lock:
        steps += [
            f"blocklist {lock['address']} for {evidence['blocklist_expire']}",
            f"break lock {lock['lock_id']!r} of {lock['locker']} on {evidence['image']['spec']}",
        ]
    if fsck:
        steps += [
            f"blocklist {fence} while its file system is checked",
            f"take snapshot {fsck['snapshot']}",
            f"check the file system on {fsck['host']}, repair {fsck['repair']}",
        ]
    steps += [f"lift {address} from the blocklist" for address in lift]
    if evidence["power_on"]:
        steps.append("switch it on" if evidence["can_switch_on"] else "wait for somebody to switch it on")
        steps.append("follow it until it is ready, and see that it owns its root image")
    return steps


def _listed(ranges: Sequence[str] | str) -> list[str]:
    listed = ranges.split(",") if isinstance(ranges, str) else ranges
    return [text.strip() for text in map(str, listed) if text.strip()]
