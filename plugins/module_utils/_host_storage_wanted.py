# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet of diskless hosts wants of Ceph: parsed from host specs, every fault named."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.diskless.ceph.plugins.module_utils._rbd_features import (
    feature_problems,
    parse_kernel,
    selectable,
    unmappable,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_image import (
    ImageName,
    SnapshotName,
    parse_snapshot_name,
)

_KEYS = ("name", "arch", "address", "pool", "namespace", "image", "cephx_user", "root_size", "features", "kernel")
# The grammar of OSD caps (src/osd/OSDCap.cc, unquoted_word); also keeps a name from ending the cap it is put in.
_CAP_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


@dataclass(frozen=True)
class WantedHost:
    """One diskless host: its root image of ``root_size`` bytes, and the cephx user that may map it."""

    name: str
    arch: str
    address: str
    root: ImageName
    cephx_user: str
    root_size: int
    features: tuple[str, ...]
    kernel: str


def parse_hosts(specs: Iterable[Mapping[str, Any]]) -> tuple[list[WantedHost], list[str]]:
    """Return the hosts of these host specs sorted by name, and the problems of all of them."""
    hosts: list[WantedHost] = []
    problems: list[str] = []
    for number, spec in enumerate(specs):
        who = f"host {spec.get('name') or f'number {number + 1}'}"
        found = _spec_problems(spec)
        problems += [f"{who}: {problem}" for problem in found]
        if not found:
            hosts.append(_host(spec))
    problems += _duplicates(hosts)
    return sorted(hosts, key=lambda host: host.name), problems


def parse_golden(golden_images: Mapping[str, Any]) -> tuple[dict[str, SnapshotName], list[str]]:
    """Return the golden snapshots by architecture, and the problems of those that cannot be understood."""
    golden = {}
    problems = []
    for arch, text in sorted(golden_images.items()):
        try:
            golden[arch] = parse_snapshot_name(str(text))
        except ValueError as error:
            problems.append(f"golden_images {arch}: {error}")
    return golden, problems


def _host(spec: Mapping[str, Any]) -> WantedHost:
    return WantedHost(
        name=spec["name"],
        arch=spec["arch"],
        address=str(ipaddress.ip_address(spec["address"])),
        root=ImageName(spec["pool"], spec["namespace"], spec["image"]),
        cephx_user=spec["cephx_user"],
        root_size=int(spec["root_size"]),
        features=selectable(spec["features"]),
        kernel=str(spec["kernel"]),
    )


def _spec_problems(spec: Mapping[str, Any]) -> list[str]:
    missing = [key for key in _KEYS if not spec.get(key)]
    if missing:
        return [f"the host spec has no {key}" for key in missing]
    problems = [
        f"{key} {spec[key]!r}: only letters, digits and . _ - can stand in cephx caps"
        for key in ("pool", "namespace")
        if not _CAP_WORD.issuperset(spec[key])
    ]
    if not str(spec["cephx_user"]).startswith("client."):
        problems.append(f"cephx_user {spec['cephx_user']!r} does not begin with client.")
    try:
        ipaddress.ip_address(spec["address"])
    except ValueError as error:
        problems.append(f"address: {error}")
    try:
        if int(spec["root_size"]) <= 0:
            raise ValueError
    except (TypeError, ValueError):
        problems.append(f"root_size {spec['root_size']!r} is not a number of bytes")
    return problems + _feature_problems(spec)


def _feature_problems(spec: Mapping[str, Any]) -> list[str]:
    features = list(spec["features"])
    problems = feature_problems(features)
    if "layering" not in features:
        problems.append("features has no layering, without which there are no clones")
    try:
        parse_kernel(str(spec["kernel"]))
    except ValueError as error:
        return [*problems, str(error)]
    # Every root image is a clone of format 2, and that carries the feature operations.
    return problems + [
        f"kernel {spec['kernel']} cannot map a root image like that: {reason}"
        for reason in unmappable([*selectable(features), "operations"], str(spec["kernel"]))
    ]


def _duplicates(hosts: Sequence[WantedHost]) -> list[str]:
    claims: dict[str, Callable[[WantedHost], str]] = {
        "name": lambda host: host.name,
        "address": lambda host: host.address,
        "cephx_user": lambda host: host.cephx_user,
        # The caps open the whole namespace, so two hosts must not share one.
        "namespace": lambda host: f"{host.root.pool}/{host.root.namespace}",
    }
    problems = []
    for what, value_of in claims.items():
        owners: dict[str, list[str]] = {}
        for host in hosts:
            owners.setdefault(value_of(host), []).append(host.name)
        problems += [
            f"hosts {', '.join(names)}: the same {what} {value}" for value, names in owners.items() if len(names) > 1
        ]
    return problems
