# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session policy of the MDS: which options of Ceph it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect


@dataclass(frozen=True)
class PolicyOption:
    """A part of the policy: ``name`` is what the modules call it, ``option`` what Ceph does since release 16.

    ``daemon`` is the type of the daemons that act on it; ``kind`` is bool, float (seconds) or int.
    """

    name: str
    option: str
    kind: str
    daemon: str = "mds"


# Turning one of these off can cost data.
BLOCKLISTING = ("session_blocklist_on_timeout", "session_blocklist_on_evict")
POLICY = (
    PolicyOption("session_blocklist_on_timeout", "mds_session_blocklist_on_timeout", "bool"),
    PolicyOption("session_blocklist_on_evict", "mds_session_blocklist_on_evict", "bool"),
    PolicyOption("reconnect_timeout", "mds_reconnect_timeout", "float"),
    PolicyOption("cap_revoke_eviction_timeout", "mds_cap_revoke_eviction_timeout", "float"),
    PolicyOption("defer_session_stale", "mds_defer_session_stale", "bool"),
    PolicyOption("defer_client_eviction_on_laggy_osds", "defer_client_eviction_on_laggy_osds", "bool"),
    PolicyOption("deny_all_reconnect", "mds_deny_all_reconnect", "bool"),
    PolicyOption("max_caps_per_client", "mds_max_caps_per_client", "int"),
    PolicyOption("session_cap_acquisition_throttle", "mds_session_cap_acquisition_throttle", "int"),
    # The monitors write the blocklist, and decide for how long.
    PolicyOption("client_blocklist_duration", "mon_osd_blocklist_default_expire", "float", "mon"),
    PolicyOption("blocklist_interval", "mon_mds_blocklist_interval", "float", "mon"),
)
_OLD_RELEASE = Dialect(14)


def aliases(part: PolicyOption) -> list[str]:
    """Return the other names of a part: Ceph's own, of every release, and what the part was called there."""
    names = [part.name, part.option]
    if part.daemon == "mon" and part.option.startswith("mon_"):
        names.append(part.option[len("mon_") :])
    found = dict.fromkeys([*names, *(_OLD_RELEASE.option(name) for name in names)])
    return [name for name in found if name != part.name]


def find_part(name: str) -> PolicyOption | None:
    """Return the part that has this name, or an alias of it, in whatever spelling."""
    plain = name.strip().replace("-", "_").replace(" ", "_")
    return next((part for part in POLICY if plain in (part.name, *aliases(part))), None)


def all_names() -> list[str]:
    """Return every name that a part has."""
    return [name for part in POLICY for name in (part.name, *aliases(part))]


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the module options that set the parts."""
    return {part.name: {"type": part.kind, "aliases": aliases(part)} for part in POLICY}


def options_of_release(dialect: Dialect, known: Iterable[str]) -> dict[str, str]:
    """Return, by the name of the part, what the cluster calls the option, for those that it has.

    ``known`` is the answer of ``ceph config ls``.
    """
    names = set(known)
    own = {part.name: dialect.option(part.option) for part in POLICY}
    return {name: option for name, option in own.items() if option in names}


def typed(kind: str, text: str) -> bool | int | float:
    """Return the value that Ceph's text stands for."""
    if kind == "bool":
        return text == "true"
    return float(text) if kind == "float" else int(text)


def risk_problems(wished: Mapping[str, Any], accepted: bool) -> list[str]:
    """Return why blocklisting may not be turned off like this."""
    if accepted:
        return []
    return [
        f"{name}: false needs accept_data_loss_risk: true: a client that is evicted but not on the blocklist may still "
        "write, over what others wrote since; a longer session_autoclose (cephfs_settings) and recover_session=clean "
        "on the clients are the safe ways to keep hosts running"
        for name in BLOCKLISTING
        if wished.get(name) is False
    ]
