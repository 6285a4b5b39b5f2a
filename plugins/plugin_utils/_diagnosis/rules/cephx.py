# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May the host use its image, and may it get rid of its own former self?"""

from __future__ import annotations

from ..evidence import Evidence
from ..verdict import CERTAIN, POSSIBLE, Finding, Fine, Rule

_FENCING = ('mon: allow command "osd blocklist"', 'mon: allow command "osd blacklist"')


def user(evidence: Evidence) -> Finding | Fine:
    """The user itself."""
    if evidence.need(bool, "ceph", "user", "exists"):
        return Fine(f"there is {evidence.spec.cephx_user}")
    return Finding(
        "user-missing",
        "Ceph does not know the user of the host: it refuses it.",
        (f"no {evidence.spec.cephx_user} in ceph auth ls",),
        "Run the site playbook, which makes the user and writes its key into host.cpio.",
        evidence.commands.site,
        CERTAIN,
    )


def caps(evidence: Evidence) -> Finding | Fine:
    """All that it needs to map the image, and to clear up after a power cut."""
    missing = [str(cap) for cap in evidence.need(list, "ceph", "user", "caps_missing")]
    if not missing:
        return Fine(f"{evidence.spec.cephx_user} may do all that the host needs")
    only_fencing = all(cap.startswith(_FENCING) for cap in missing)
    return Finding(
        "caps-missing",
        "The user of the host may not do all that the host needs.",
        tuple(f"missing: {cap}" for cap in missing),
        "Run the site playbook, which gives the user the caps that a host needs and no more.",
        evidence.commands.site,
        POSSIBLE if only_fencing else CERTAIN,
        ("user-missing", *(["cannot-blocklist"] if only_fencing else [])),
    )


def own_fence(evidence: Evidence) -> Finding | Fine:
    """A kernel blocklists the dead owner of a lock before it breaks it: after a power cut that is its former self."""
    if evidence.need(bool, "ceph", "user", "can_blocklist_itself"):
        return Fine("it may blocklist its former self, and so break the lock that a power cut leaves")
    locks = evidence.get(list, "ceph", "locks") or []
    stuck = bool(locks) and evidence.get(bool, "ceph", "owner_alive") is False
    held = [f"owner of the lock of {evidence.image}: {lock['owner']}, {lock['address']}, dead" for lock in locks]
    return Finding(
        "cannot-blocklist",
        "The host may not blocklist its own former self: after a power cut it cannot break its own lock and boot.",
        (
            f"mon caps of {evidence.spec.cephx_user}: {evidence.get(str, 'ceph', 'user', 'caps', 'mon') or 'none'}",
            *(held if stuck else ["no dead owner holds the lock now"]),
        ),
        "Run the site playbook, which gives the user that one right. The host goes on by itself at its next try.",
        evidence.commands.site,
        CERTAIN if stuck else POSSIBLE,
        ("user-missing",),
    )


RULES = (
    Rule("user", "Ceph knows the user of the host", ("map",), user),
    Rule("caps", "The user may do what the host needs", ("map", "root"), caps),
    Rule("own-fence", "The host may blocklist its former self", ("map",), own_fence),
)
