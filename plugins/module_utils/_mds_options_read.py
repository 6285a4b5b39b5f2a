# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the session policy of the MDS."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import CephClient
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import read_cluster
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config import parse_config_dump
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_config_effective import read_daemons, read_effective
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_dialect import Dialect
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_option import parse_option_help
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options import options_of_release
from ansible_collections.diskless.ceph.plugins.module_utils._mds_options_plan import PolicyState


def read_policy(client: CephClient) -> PolicyState:
    """Ask the cluster for all that is known of the policy."""
    dialect = Dialect(read_cluster(client).release)
    known, rows = client.ceph_json_many([("config", "ls"), ("config", "dump")])
    names = options_of_release(dialect, known)
    helps = client.ceph_json_many([("config", "help", option) for option in names.values()])
    state = PolicyState(
        dialect=dialect,
        options={name: parse_option_help(answer) for name, answer in zip(names, helps)},
        rows=parse_config_dump(rows),
        daemons=read_daemons(client, ["mds", "mon"], dialect.release),
    )
    return read_again(client, state)


def read_again(client: CephClient, state: PolicyState) -> PolicyState:
    """Ask the daemons anew what they work with."""
    return replace(state, effective=read_effective(client, state.dialect.release, state.daemons))
