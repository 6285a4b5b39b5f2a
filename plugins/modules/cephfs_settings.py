#!/usr/bin/python
# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ensure the settings of CephFS file systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_settings
short_description: Set what file systems expect of their clients and of their MDS
version_added: 0.1.0
description:
  - Sets fields of the MDS map (C(ceph fs set), C(ceph fs required_client_features)) of one, some or all file systems.
    They are no configuration options; for those of the MDS see M(diskless.ceph.mds_options).
  - What is not given is left as it is.
  - Afterwards the map is read again, and the task fails unless it holds what was wanted.
author:
  - diskless.ceph contributors (@diskless-ceph)
extends_documentation_fragment:
  - diskless.ceph.attributes
  - diskless.ceph.ceph
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  file_systems:
    description: Names of the file systems; without any, all that the cluster has.
    type: list
    elements: str
    default: []
    aliases: [file_system, name]
  session_timeout:
    description:
      - Seconds of silence after which a client's session is stale, and others may take over what it held.
      - At least 30, and no more than O(session_autoclose). A new file system has 60.
    type: int
  session_autoclose:
    description:
      - Seconds of silence after which a client is evicted and, unless M(diskless.ceph.mds_options) says otherwise, put
        on the blocklist.
      - At least 30. A new file system has 300. A longer time is the safe way to let clients survive a long outage of
        their network.
    type: int
  max_mds:
    description: Number of MDS that are active at once, 1 to 256.
    type: int
  standby_count_wanted:
    description: Number of standby MDS below which the cluster's health is a warning; 0 never warns.
    type: int
  allow_standby_replay:
    description: Whether a standby MDS follows the journal of an active one, to take over sooner.
    type: bool
  max_file_size:
    description:
      - The largest size of a file, in bytes or as a string such as V(4TiB); at least 64KiB. A new file system has 1TiB.
      - Larger files that exist stay as they are.
    type: str
  allow_new_snaps:
    description: Whether snapshots can be made.
    type: bool
  joinable:
    description:
      - Whether an MDS may take a rank of the file system. With V(false) one that fails is not replaced.
      - Ceph itself takes a new O(max_mds) for leave to join; this module does not.
    type: bool
  refuse_client_session:
    description:
      - Whether new sessions of clients are refused, as while a file system is repaired.
      - From release 18 on.
    type: bool
  refuse_standby_for_another_fs:
    description:
      - Whether a standby MDS whose C(mds_join_fs) names another file system may not serve this one.
      - From release 18 on.
    type: bool
  required_client_features:
    description:
      - Exactly these features a client has to have; an empty list asks for none.
      - Clients that lack one are evicted, and refused from then on. C(ceph fs feature ls) shows the names.
      - From release 16 on.
    type: list
    elements: str
  add_required_client_features:
    description: Features to require besides those that are required; see O(required_client_features).
    type: list
    elements: str
    default: []
  remove_required_client_features:
    description: Features to require no longer; see O(required_client_features).
    type: list
    elements: str
    default: []
seealso:
  - module: diskless.ceph.cephfs_settings_info
  - module: diskless.ceph.mds_options
  - name: Ceph, administration of CephFS
    description: What the settings mean.
    link: https://docs.ceph.com/en/latest/cephfs/administration/
"""

EXAMPLES = r"""
- name: Clients of all file systems survive ten minutes without network
  diskless.ceph.cephfs_settings:
    session_autoclose: 600

- name: The file system of the homes has a warm standby and large files
  diskless.ceph.cephfs_settings:
    file_systems: [homes]
    allow_standby_replay: true
    standby_count_wanted: 1
    max_file_size: 4TiB

- name: Clients have to report their metrics
  diskless.ceph.cephfs_settings:
    file_systems: [homes]
    add_required_client_features: [metric_collect]
"""

RETURN = r"""
release:
  description: Release of Ceph that all monitors run at least.
  returned: success
  type: int
  sample: 18
file_systems:
  description: The chosen file systems after the task, or as check mode expects them; in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file system.
      type: str
      sample: cephfs
    changed_settings:
      description: Names of the settings that the task changed.
      type: list
      elements: str
      sample: [session_autoclose]
    allow_new_snaps:
      description: Whether snapshots can be made.
      type: bool
      sample: true
    allow_standby_replay:
      description: Whether a standby MDS follows the journal of an active one.
      type: bool
      sample: false
    joinable:
      description: Whether an MDS may take a rank.
      type: bool
      sample: true
    max_file_size:
      description: The largest size of a file, in bytes.
      type: int
      sample: 1099511627776
    max_mds:
      description: Number of MDS that are active at once.
      type: int
      sample: 1
    refuse_client_session:
      description: Whether new sessions of clients are refused.
      returned: release 18 and later
      type: bool
      sample: false
    refuse_standby_for_another_fs:
      description: Whether a standby MDS that is for another file system may not serve this one.
      returned: release 18 and later
      type: bool
      sample: false
    required_client_features:
      description: Features that a client has to have.
      returned: release 16 and later
      type: list
      elements: str
      sample: []
    session_autoclose:
      description: Seconds of silence after which a client is evicted.
      type: int
      sample: 600
    session_timeout:
      description: Seconds of silence after which a session is stale.
      type: int
      sample: 60
    standby_count_wanted:
      description: Number of standby MDS below which the cluster's health is a warning.
      type: int
      sample: 0
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_client import (
    CEPH_ARGUMENT_SPEC,
    CephClient,
    CephCommand,
    CephError,
)
from ansible_collections.diskless.ceph.plugins.module_utils._ceph_cluster import Cluster, read_cluster
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings import (
    FEATURES,
    SETTINGS,
    FileSystem,
    parse_fs_dump,
    settings_of_release,
    shown,
)
from ansible_collections.diskless.ceph.plugins.module_utils._cephfs_settings_plan import (
    FeatureWish,
    Plan,
    Wish,
    choose,
    plan,
    problems_of,
    unknown,
)
from ansible_collections.diskless.ceph.plugins.module_utils._rbd_size import parse_size

BOOLEANS = (
    "allow_standby_replay",
    "allow_new_snaps",
    "joinable",
    "refuse_client_session",
    "refuse_standby_for_another_fs",
)
NUMBERS = ("session_timeout", "session_autoclose", "max_mds", "standby_count_wanted")


def wish_of(params: dict[str, Any]) -> tuple[Wish, list[str]]:
    """Return what the task wants, and what of it cannot be read."""
    problems = []
    settings = {name: params[name] for name in SETTINGS if name != FEATURES and params[name] is not None}
    if "max_file_size" in settings:
        try:
            settings["max_file_size"] = parse_size(settings["max_file_size"])
        except ValueError as error:
            problems.append(f"max_file_size: {error}")
            del settings["max_file_size"]
    exactly = params[FEATURES]
    features = FeatureWish(
        exactly=None if exactly is None else tuple(exactly),
        add=tuple(params["add_required_client_features"]),
        remove=tuple(params["remove_required_client_features"]),
    )
    return Wish(settings, features), problems


def read(client: CephClient, release: int) -> dict[str, FileSystem]:
    """Read all file systems."""
    return parse_fs_dump(client.ceph_json("fs", "dump"), release)


def make_plans(client: CephClient, cluster: Cluster, params: dict[str, Any]) -> list[Plan]:
    """Read, check and plan; raises ValueError with everything that speaks against it."""
    found = read(client, cluster.release)
    file_systems = choose(found, params["file_systems"])
    wish, problems = wish_of(params)
    known: list[str] = []
    if wish.features and FEATURES in settings_of_release(cluster.release):
        known = [feature["name"] for feature in client.ceph_json("fs", "feature", "ls")]
    problems += unknown(found, params["file_systems"])
    problems += problems_of(file_systems, wish, cluster.release, known)
    if problems:
        raise ValueError("; ".join(problems))
    return [plan(file_system, wish) for file_system in file_systems]


def apply(client: CephClient, cluster: Cluster, plans: list[Plan]) -> None:
    """Bring the plans about; raises ValueError for what Ceph took and did not do."""
    client.ceph_many([CephCommand(("fs", *words)) for one in plans for words in one.commands])
    now = read(client, cluster.release)
    problems = [
        f"file system {one.name} has {name} {now[one.name].settings[name]} after it was set to {value}"
        for one in plans
        for name, value in one.after.items()
        if now[one.name].settings[name] != value
    ]
    if problems:
        raise ValueError("; ".join(problems) + ": somebody else changes it at the same time")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "file_systems": {"type": "list", "elements": "str", "default": [], "aliases": ["file_system", "name"]},
            **{name: {"type": "int"} for name in NUMBERS},
            **{name: {"type": "bool"} for name in BOOLEANS},
            "max_file_size": {"type": "str"},
            "required_client_features": {"type": "list", "elements": "str"},
            "add_required_client_features": {"type": "list", "elements": "str", "default": []},
            "remove_required_client_features": {"type": "list", "elements": "str", "default": []},
            **CEPH_ARGUMENT_SPEC,
        },
        supports_check_mode=True,
    )
    client = CephClient.from_params(module.params)
    try:
        cluster = read_cluster(client)
        plans = make_plans(client, cluster, module.params)
        if not module.check_mode and any(one.commands for one in plans):
            apply(client, cluster, plans)
    except (CephError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=any(one.commands for one in plans),
        release=cluster.release,
        file_systems=[
            {
                "name": one.name,
                **shown(one.after),
                "changed_settings": sorted(name for name in one.after if one.after[name] != one.before[name]),
            }
            for one in plans
        ],
        diff={
            "before": {one.name: shown(one.before) for one in plans},
            "after": {one.name: shown(one.after) for one in plans},
        },
    )


if __name__ == "__main__":
    main()
