# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One grant of osd caps: what it allows where, and whether that is as much as another one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ansible_collections.diskless.ceph.plugins.module_utils._cephx_caps import admits, networks_of

_ALL = frozenset({"r", "w", "class-read", "class-write"})
_RIGHTS = {"r": {"r"}, "w": {"w"}, "x": {"class-read", "class-write"}}
# What they are made of for the images themselves (src/osd/OSDCap.cc, OSDCapProfile::expand).
_PROFILES = {"rbd": _ALL, "rbd-read-only": frozenset({"r", "class-read"})}


@dataclass(frozen=True)
class OsdGrant:
    """What one grant allows. As ``pool`` "" is every pool; as ``namespace`` None is every one, "" the default one."""

    rights: frozenset[str]
    pool: str = ""
    namespace: str | None = None
    object_prefix: str = ""
    network: str = ""

    def covers(self, wanted: OsdGrant, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Tell whether a client at this address may do by this grant all that ``wanted`` allows."""
        return (
            admits(self.network, ip)
            and wanted.rights <= self.rights
            and self.pool in ("", wanted.pool)
            and self._has_namespace(wanted.namespace)
            and wanted.object_prefix.startswith(self.object_prefix)
        )

    def _has_namespace(self, wanted: str | None) -> bool:
        if self.namespace is None:
            return True
        if self.namespace.endswith("*"):
            return wanted is not None and wanted.startswith(self.namespace[:-1])
        return self.namespace == wanted


def parse_osd_grant(text: str) -> OsdGrant | None:
    """Parse a grant as ``split_grants`` returns it; None for one that hangs on what is not known here, such as tags.

    The grammar is that of src/osd/OSDCap.cc. A profile that Ceph does not know allows nothing.
    """
    fields: dict[str, str] = {}
    rights: set[str] = set()
    words = iter(text.split())
    for word in words:
        key, separator, value = word.partition("=")
        if key in ("pool", "namespace", "object_prefix", "network", "profile"):
            fields[key] = (value if separator else next(words, "")).strip("\"'")
        elif word in ("*", "all"):
            rights |= _ALL
        elif set(word) <= set(_RIGHTS):
            rights.update(*(_RIGHTS[letter] for letter in word))
        elif word in _ALL:
            rights.add(word)
        elif word != "allow":
            return None
    if "profile" in fields:
        rights |= _PROFILES.get(fields["profile"], frozenset())
    return OsdGrant(
        frozenset(rights),
        pool=fields.get("pool", ""),
        namespace=fields.get("namespace"),
        object_prefix=fields.get("object_prefix", ""),
        network=networks_of(text)[0],
    )
