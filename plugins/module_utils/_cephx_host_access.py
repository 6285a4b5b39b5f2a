# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diskless host needs of its cephx user, and whether the caps that this has are enough, however they are put."""

from __future__ import annotations

import ipaddress
import re
from typing import Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import (
    admits,
    networks_of,
    normalise_grants,
    split_grants,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_fencing import can_blocklist_itself
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_host_caps import HostCaps, host_caps
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_osd_grant import parse_osd_grant
from ansible_collections.diskless.ceph.plugins.module_utils._cephx_profile import blocklist_words
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import parse_kernel

# The kernel says "osd blocklist", and the former word only to monitors that do not know that command.
_FIRST_BLOCKLIST_KERNEL = (5, 10)
# Grants by which a client gets the maps of monitors, OSDs and placement groups (src/mon/MonCap.cc).
_READS_MAPS = re.compile(
    r"""((allow )?profile[ =]["']?(simple-rados-client(-with-blocklist)?|fs-client|rbd(-read-only|-mirror(-peer)?)?)"""
    r"""["']?|allow (\*|all|rw?x?))( network .*)?"""
)
_COMMAND = re.compile(r"""allow command ["']osd (blocklist|blacklist)["'] .*""")


def kernel_words(kernel: str, release: int) -> tuple[str, ...]:
    """Return the words in which hosts with this kernel, or a newer one, ask a cluster to blocklist somebody."""
    words = blocklist_words(release)
    return words[:1] if parse_kernel(kernel) >= _FIRST_BLOCKLIST_KERNEL else words


def can_break_own_lock(caps: Mapping[str, str], address: str, kernel: str, release: int) -> bool | None:
    """Tell whether a host may blocklist its former self, which it has to before it breaks that one's lock.

    None if that hangs on a pattern that cannot be judged.
    """
    answers = [
        can_blocklist_itself(caps.get("mon", ""), word, address, release) for word in kernel_words(kernel, release)
    ]
    if False in answers:
        return False
    return None if None in answers else True


def missing_caps(caps: Mapping[str, str], host: HostCaps, kernel: str, release: int) -> list[str]:
    """Return what of the caps that a host is given (``host_caps``) it cannot do with the caps that it has.

    Each is a service and a grant, as in ``osd: profile rbd pool=diskless namespace=pi1 network 10.0.0.1/32``. Caps that
    are wider, or put in other words, miss nothing; what cannot be judged is not counted as missing.
    """
    wanted = host_caps(host, release)
    missing = {
        "mon": [
            grant
            for grant in split_grants(wanted["mon"])
            if _mon_misses(caps.get("mon", ""), grant, host.address, kernel, release)
        ],
        "osd": [
            grant for grant in split_grants(wanted["osd"]) if _osd_misses(caps.get("osd", ""), grant, host.address)
        ],
    }
    # With the double quotes that can stand between a shell's single ones.
    return [f"{service}: {normalise_grants(grant)[0]}" for service, grants in missing.items() for grant in grants]


def _mon_misses(caps: str, wanted: str, address: str, kernel: str, release: int) -> bool:
    command = _COMMAND.fullmatch(wanted)
    if command:
        word = command[1]
        return word in kernel_words(kernel, release) and can_blocklist_itself(caps, word, address, release) is False
    ip = ipaddress.ip_address(address)
    return not any(
        admits(network, ip) and _READS_MAPS.fullmatch(grant)
        for grant, network in zip(split_grants(caps), networks_of(caps))
    )


def _osd_misses(caps: str, wanted: str, address: str) -> bool:
    ip = ipaddress.ip_address(address)
    needed = parse_osd_grant(wanted)
    found = [parse_osd_grant(grant) for grant in split_grants(caps)]
    return None not in found and not any(grant.covers(needed, ip) for grant in found if grant and needed)
