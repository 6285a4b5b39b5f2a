# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MDS sessions: what ``ceph tell mds.NAME client ls`` says of the clients of a file system."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._mds_session_ranks import MdsRank
from ansible_collections.diskless.ceph.plugins.module_utils._osd_blocklist_address import Instance, parse_instance

KINDS = ("kernel", "fuse", "libcephfs")
# Session::get_state_name, src/mds/SessionMap.h
STATES = ("opening", "open", "stale", "killing", "closing", "closed")
_CEPH_VERSION = re.compile(r"ceph version (\S+)")


@dataclass(frozen=True)
class Session:
    """The session of one client with one rank. ``address`` is ``IP:PORT/NONCE``, as in an entry of the blocklist."""

    client_id: int
    address: str
    hostname: str | None
    entity: str
    kind: str
    kernel_version: str | None
    ceph_version: str | None
    root: str | None
    mount_point: str | None
    pid: int | None
    state: str
    uptime_seconds: float
    caps: int
    requests_in_flight: int
    features: str | None
    file_system: str
    rank: int
    mds: str

    @property
    def target(self) -> Instance:
        """The address, parsed."""
        return parse_instance(self.address)

    @property
    def instance(self) -> str:
        """The client as Ceph prints it: ``client.4152 10.0.0.1:0/2284328471``."""
        return f"client.{self.client_id} {self.address}"

    @property
    def of_manager(self) -> bool:
        """Whether it belongs to a manager daemon of the cluster."""
        return self.entity.startswith("mgr.")

    def as_dict(self) -> dict[str, Any]:
        """Return the session as a module returns it."""
        shown = {"instance": self.instance, "ip": str(self.target.ip)}
        return {**asdict(self), **shown, "uptime_seconds": int(self.uptime_seconds)}

    def __str__(self) -> str:
        return f"{self.instance} ({self.entity} on {self.hostname or 'an unnamed host'})"


@dataclass(frozen=True)
class Manager:
    """The active manager daemon, which is a CephFS client as well: its name and its addresses without ports."""

    name: str
    ips: frozenset[str]


def parse_manager(mgr_dump: Mapping[str, Any]) -> Manager:
    """Parse ``ceph mgr dump -f json``."""
    addresses = mgr_dump["active_addrs"]["addrvec"] if mgr_dump["active_name"] else []
    return Manager(
        mgr_dump["active_name"],
        frozenset(str(parse_instance(f"{entry['addr']}/{entry['nonce']}").ip) for entry in addresses),
    )


def parse_sessions(answer: Iterable[Mapping[str, Any]], rank: MdsRank, manager: Manager) -> list[Session]:
    """Parse the JSON of ``client ls`` of one rank, sorted by client."""
    return sorted((_session(entry, rank, manager) for entry in answer), key=lambda session: session.client_id)


def _session(entry: Mapping[str, Any], rank: MdsRank, manager: Manager) -> Session:
    said = entry["client_metadata"]
    address = parse_instance(f"{entry['entity']['addr']['addr']}/{entry['entity']['addr']['nonce']}")
    kind = _kind(said)
    version = _CEPH_VERSION.match(said.get("ceph_version", ""))
    return Session(
        client_id=entry["id"],
        address=str(address),
        hostname=said.get("hostname"),
        entity=_entity(entry, kind, address, manager),
        kind=kind,
        kernel_version=said.get("kernel_version"),
        ceph_version=version[1] if version else None,
        root=said.get("root"),
        mount_point=said.get("mount_point"),
        pid=int(said["pid"]) if said.get("pid", "").isdecimal() else None,
        state=entry["state"],
        uptime_seconds=entry["uptime"],
        caps=entry["num_caps"],
        requests_in_flight=entry["requests_in_flight"],
        features=_features(said),
        file_system=rank.file_system,
        rank=rank.rank,
        mds=str(rank.mds),
    )


def _kind(said: Mapping[str, Any]) -> str:
    """Only the kernel names its version, and only ceph-fuse knows where it is mounted."""
    if "kernel_version" in said:
        return "kernel"
    return "fuse" if "mount_point" in said else "libcephfs"


def _entity(entry: Mapping[str, Any], kind: str, address: Instance, manager: Manager) -> str:
    """Return the cephx name. Only Ceph 20 has all of it; before, the part after the dot is what the client says."""
    if "auth_name" in entry:
        return f"{entry['auth_name']['type_str']}.{entry['auth_name']['id']}"
    name = entry["client_metadata"].get("entity_id", "")
    if kind == "libcephfs" and name == manager.name and str(address.ip) in manager.ips:
        return f"mgr.{name}"
    return f"client.{name}"


def _features(said: Mapping[str, Any]) -> str | None:
    """Return the feature bits: Ceph 14 has them as a string, later releases one level down."""
    if "client_features" in said:
        return str(said["client_features"]["feature_bits"])
    return said.get("features")
