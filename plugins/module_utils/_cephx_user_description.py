# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said about a cephx user without its key."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import networks_of
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_fencing import can_fence
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_key import read_header
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_user import CephxUser


def describe_user(user: CephxUser, release: int, now: float) -> dict[str, Any]:
    """Return a user as a module returns it; ``now`` in seconds since 1970."""
    header = read_header(user.key)
    written = [network for text in user.caps.values() for network in networks_of(text)]
    networks = sorted({network for network in written if network})
    created = datetime.fromtimestamp(header.created, timezone.utc) if header.created else None
    return {
        "name": user.name,
        "caps": dict(sorted(user.caps.items())),
        "networks": networks,
        "restricted": bool(written) and all(written),
        "matches_nobody": [network for network in networks if "/" not in network],
        "key_type": header.key_type,
        "key_created": created and created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "key_age_seconds": int(now) - header.created if header.created else None,
        "can_fence": [fence.as_dict() for fence in can_fence(user.caps.get("mon", ""), release)],
    }
