# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the cluster about its options and its configuration database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterable, Mapping

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient, CephNotFound
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster, parse_mon_dump
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import (
    LOCATION_TYPES,
    ConfigValue,
    parse_config_dump,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_plan import OptionNames
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import CephOption, parse_option_help


@dataclass(frozen=True)
class ConfigDatabase:
    """The cluster, the names of all its options, the rows of its database, and the types of its CRUSH map."""

    cluster: Cluster
    names: frozenset[str]
    rows: tuple[ConfigValue, ...]
    location_types: Mapping[str, int]


def read_database(client: CephClient) -> ConfigDatabase:
    """Read all that is read in any case; the CRUSH map only if the database has masks.

    Raises ValueError for a release that is not supported.
    """
    mon_dump, names, dump = client.ceph_json_many([("mon", "dump"), ("config", "ls"), ("config", "dump")])
    rows = tuple(parse_config_dump(dump))
    types = read_location_types(client) if any(row.mask for row in rows) else LOCATION_TYPES
    return ConfigDatabase(parse_mon_dump(mon_dump), frozenset(names), rows, types)


def find_names(client: CephClient, database: ConfigDatabase, given: Iterable[str]) -> OptionNames:
    """Return the names of the cluster's options, with those among the given that ``config ls`` leaves out.

    It does so for ``debug_ms`` and its like.
    """
    names = OptionNames(Dialect(database.cluster.release), database.names)
    unlisted = set()
    for name in {names.own(text) for text in given}:
        if not names.has(name):
            try:
                client.ceph("config", "help", name)
            except CephNotFound:
                continue
            unlisted.add(name)
    return OptionNames(names.dialect, names.known | unlisted)


def read_location_types(client: CephClient) -> dict[str, int]:
    """Return the types of the CRUSH map, which is what a mask can name, with their numbers."""
    return {entry["name"]: entry["type_id"] for entry in client.ceph_json("osd", "crush", "dump")["types"]}


def read_options(client: CephClient, names: Iterable[str]) -> dict[str, CephOption]:
    """Return the options by name; each has to exist. One of a mgr module keeps the instance in its name."""
    wanted = sorted(set(names))
    answers = client.ceph_json_many([("config", "help", name) for name in wanted])
    return {name: replace(parse_option_help(answer), name=name) for name, answer in zip(wanted, answers)}
